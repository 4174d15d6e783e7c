"""`#PBS` and `#BSUB` lines: the options that the real sbatch makes of them, and what it refuses."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmjob_operator.sbatch import foreign, foreign_options, foreign_resources
from slurmjob_operator.sbatch.arguments import Given
from slurmjob_operator.sbatch.errors import InvalidScript, InvalidValue
from slurmjob_operator.sbatch.options import TABLE as REAL
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, R24_11, Release
from tests.unit.sbatch.measured import RELEASES, TABLE

Options = dict[str, str | None]


def _given(script: str, before: dict[str, str] | None = None, *, release: Release = NEWEST) -> tuple[Given, ...]:
    options = [Given(option=TABLE[name], text=text, line=2) for name, text in (before or {}).items()]
    return foreign.read(f"#!/bin/sh\n{script}", release=release, table=TABLE).after(options, release=release)


def _read(script: str, before: dict[str, str] | None = None, *, release: Release = NEWEST) -> Options:
    return {one.option.name: one.text for one in _given(script, before, release=release)}


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("-a 12:00", {"begin": "12:00"}),
        ("-A research", {"account": "research"}),
        ("-e err -o none", {"error": "err", "output": "none"}),
        ("-e host:/err", {"error": "host:/err"}),
        ("-h", {"hold": None}),
        ("-hN x", {"hold": None, "job-name": "x"}),
        ("-J 1-3", {"array": "1-3"}),
        ("-t 1-10%2", {"array": "1-10%2"}),
        ("-m abe", {"mail-type": "BEGIN,END,FAIL"}),
        ("-m EA", {"mail-type": "END,FAIL"}),
        ("-m abx", {"mail-type": "BEGIN,FAIL"}),
        ("-m n", {"mail-type": "NONE"}),
        ("-m eN", {"mail-type": "NONE"}),
        ("-M alice@x", {"mail-user": "alice@x"}),
        ("-N a -N b", {"job-name": "b"}),
        ("-Nx", {"job-name": "x"}),
        ("-p 10", {"nice": "10"}),
        ("-q gpu", {"partition": "gpu"}),
        ("-q gpu@host", {"partition": "gpu@host"}),
        ("-v A=1,B=2", {"export": "A=1,B=2"}),
        ("-v A=1 -v B -v C=3", {"export": "A=1,B,C=3"}),
        ("-W depend=afterok:1", {"dependency": "afterok:1"}),
        ("-W DEPEND=singleton", {"dependency": "singleton"}),
        ("-W depend=", {"dependency": ""}),
        ("-W group_list=x -W block=true -W x", {}),
        ("-c n -C x -I -j oe -k oe -r n -S /bin/sh -u a -V -z", {}),
        ("--job_name=x --out=o --resource_list=nodes=2", {"job-name": "x", "output": "o", "nodes": "2"}),
        ("--join --join=oe --working_dir=/data", {}),
        ("--h", {"hold": None}),
        ("--dest gpu", {"partition": "gpu"}),
        ("-N a --", {"job-name": "a"}),
        ("hetjob -N x", {}),
        ("-N a#b", {"job-name": "a"}),
    ],
)
def test_pbs(words: str, found: Options, release: Release) -> None:
    assert _read(f"#PBS {words}\n", release=release) == found


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("resources", "found"),
    [
        ("nodes=2", {"nodes": "2"}),
        ("nodes=2:ppn=4", {"nodes": "2", "ntasks": "8"}),
        ("nodes=2:ppn=4:gpus=1", {"nodes": "2", "ntasks": "8", "gpus-per-node": "1"}),
        ("nodes=2:ppn=4+1:ppn=2", {"nodes": "3", "ntasks": "18"}),
        ("nodes=2:gpus=1+1:gpus=2", {"nodes": "3", "gpus-per-node": "2"}),
        ("nodes=2:gpus=", {"nodes": "2", "gpus-per-node": ""}),
        ("nodes=2:gpus=tesla:2", {"nodes": "4", "gpus-per-node": "tesla"}),
        ("nodes=n1:ppn=2", {"ntasks": "2", "nodelist": "n1"}),
        ("nodes=n1:ppn=2+n2:ppn=3", {"ntasks": "5", "nodelist": "n1,n2"}),
        ("nodes=n2+n1+n[3-4]", {"nodelist": "n2,n1,n[3-4]"}),
        ("nodes=1:fast:ppn=2", {"nodes": "1", "ntasks": "2", "nodelist": "fast"}),
        ("nodes=1:PPN=2", {"nodes": "1", "nodelist": "PPN=2"}),
        ("nodes=ppn=3:2", {"nodes": "2", "ntasks": "6"}),
        ("nodes=2:ppn=3:ppn=4", {"nodes": "2", "ntasks": "14"}),
        ("nodes=2x:ppn=2x", {"nodes": "2", "ntasks": "4"}),
        ("nodes=2:ppn=x", {"nodes": "2"}),
        ("nodes=1:ppn=-2", {"nodes": "1", "ntasks": "-2"}),
        ("nodes=-1", {"nodes": "1"}),
        ("nodes=_x", {"nodelist": "x"}),
        ("nodes=0", {}),
        ("nodes=0x2", {}),
        ("nodes=", {}),
        ("nodes=+:", {}),
        ("nodes=4294967297", {"nodes": "1"}),
        ("nodes=2,walltime=1:00:00", {"nodes": "2", "time": "1:00:00"}),
        ("walltime=1:00:00,nodes=2:ppn=3,mem=1gb", {"time": "1:00:00", "nodes": "2", "ntasks": "6", "mem": "1g"}),
        ("cput=20,walltime=10", {"time": "10"}),
        ("walltime=10,pcput=20", {"time": "20"}),
        ("walltime=", {"time": ""}),
        ("xwalltime=10", {"time": "10"}),
        ("WALLTIME=10", {}),
        ("mem=1GB", {"mem": "1G"}),
        ("mem=1000kb", {"mem": "1000k"}),
        ("mem=1b", {"mem": "1"}),
        ("mem=1gbb", {"mem": "1gb"}),
        ("mem=4gb,file=10mb", {"mem": "4g", "tmp": "10m"}),
        ("qmem=3gb", {"mem": "3g"}),
        ("mem", {}),
        ("pmem=1gb,nodes=2", {"nodes": "2"}),
        ("vmem=1gb,pvmem=1gb,arch=nodes=3,host=n1,opsys=x,other=x,software=x", {}),
        ("procs=4,gpus=1,ngpus=1,place=excl,qos=high,feature=x,mppwidth=4", {}),
        ("nice=5x,nodes=2", {"nice": "5x", "nodes": "2"}),
        ("nice=", {"nice": ""}),
        ("proc=fast", {"constraint": "fast"}),
        ("proc=a,nodes=2,walltime=3", {"constraint": "a", "time": "3"}),
        ("mppnodes=n1", {"nodelist": "n1"}),
        ("mppnodes=", {}),
        ("select=2", {"nodes": "2"}),
        ("SELECT=2-3", {"nodes": "2-3"}),
        ("select=2:ncpus=4", {"nodes": "2", "mincpus": "4"}),
        ("select=2:ncpus=4:mem=1gb", {"nodes": "2", "mincpus": "4", "mem": "1g"}),
        ("select=2:ncpus=4:mem=1gb:ngpus=1", {"nodes": "2", "mincpus": "4", "mem": "1gb:ngpus=1"}),
        ("select=2,walltime=10:00", {"nodes": "2,walltime=10"}),
        ("select=1:ncpus=4+2:ncpus=2", {"nodes": "1", "mincpus": "2"}),
        ("ncpus=4,mem=1gb", {"mincpus": "4,mem=1gb"}),
        ("mpiprocs=3", {"ntasks-per-node": "3"}),
        (
            "select=2:ncpus=4:mpiprocs=2",
            {"nodes": "2", "mincpus": "4", "ntasks-per-node": "2", "cpus-per-task": "2"},
        ),
        (
            "mpiprocs=8:select=2:ncpus=10",
            {"nodes": "2", "mincpus": "10", "ntasks-per-node": "8", "cpus-per-task": "1"},
        ),
        ("select=2:ncpus=4:mpiprocs=4", {"nodes": "2", "mincpus": "4", "ntasks-per-node": "4"}),
        ("select=2:ncpus=4:mpiprocs=0", {"nodes": "2", "mincpus": "4", "ntasks-per-node": "0"}),
        ("select=2:ncpus=0x8:mpiprocs=2", {"nodes": "2", "mincpus": "0x8", "ntasks-per-node": "2"}),
        ("ncpus=4:mpiprocs=2", {"mincpus": "4", "ntasks-per-node": "2"}),
        ("naccelerators=2", {"gres": "gpu:2"}),
        ("accelerator=TRUE", {"gres": "gpu:1"}),
        ("accelerator=True:naccelerators=2", {"gres": "gpu:2"}),
        ("naccelerators=2,accelerator=true", {"gres": "gpu:2"}),
        ("accelerator=false", {}),
        ("accelerator=trueish,nodes=2", {"nodes": "2", "gres": "gpu:1"}),
        ("", {}),
    ],
)
def test_resources(resources: str, found: Options, release: Release) -> None:
    assert _read(f'#PBS -l "{resources},"\n' if not resources else f'#PBS -l "{resources}"\n', release=release) == found


def test_lists_are_read_one_by_one() -> None:
    assert _read("#PBS -l select=2:ncpus=4 -l select=3:mpiprocs=2") == {
        "nodes": "3", "mincpus": "4", "ntasks-per-node": "2"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "before", "found"),
    [
        ("-v A", {"export": "ALL"}, {"export": "ALL,A"}),
        ("-l proc=a -l proc=b", {"constraint": "fast"}, {"constraint": "b,a,fast"}),
        ("-l naccelerators=2 -l naccelerators=1", {"gres": "widget:1"}, {"gres": "widget:1,gpu:2,gpu:1"}),
        ("-l nodes=1 -N b", {"nodes": "2"}, {"nodes": "1", "job-name": "b"}),
    ],
)
def test_some_are_added_to_what_is_there(words: str, before: dict[str, str], found: Options) -> None:
    assert _read(f"#PBS {words}\n", before) == found


@pytest.mark.parametrize("letter", ["d", "w"])
def test_the_folder_is_known_from_24_11_on(letter: str) -> None:
    for release in (R24_11, NEWEST):
        assert _read(f"#PBS -{letter} /data\n", release=release) == {"chdir": "/data"}
    with pytest.raises(InvalidScript, match=f"-{letter} is no option of #PBS"):
        _read(f"#PBS -{letter} /data\n", release=OLDEST)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("-J 'x[1-3]' -q gpu", {"job-name": "x[1-3]", "partition": "gpu"}),
        ("-o out.%J -e none", {"output": "out.%J", "error": "none"}),
        ("-W 1:30", {"time": "1:30"}),
        ("-n 4", {"ntasks": "4"}),
        ("-n 2,4", {"ntasks": "4"}),
        ("-n ,4", {"ntasks": "4"}),
        ("-n 2,4,6", {"ntasks": "4,6"}),
        ("-M 4000", {"mem-per-cpu": "4000K"}),
        ("-M +4", {"mem-per-cpu": "4K"}),
        ("-M ' 4'", {"mem-per-cpu": "4K"}),
        ("-M 4GB", {"mem-per-cpu": "4GB"}),
        ("-M 1.5", {"mem-per-cpu": "1.5"}),
        ("-m 'n1 n2'", {"nodelist": "n1,n2"}),
        ("-m ' n1  n2'", {"nodelist": ",n1,,n2"}),
        ("-x", {"exclusive": None}),
        ("-xJ y", {"exclusive": None, "job-name": "y"}),
        ("-c /data", {"chdir": "/data"}),
        ("-cwd /data", {"chdir": "/data"}),
        ("-n 2 -cwd /data -x", {"ntasks": "2", "chdir": "/data", "exclusive": None}),
        ("-x -x -cwd /data", {"exclusive": None, "chdir": "/data"}),
        ("-J -cwd -n 2", {"job-name": "-cwd", "ntasks": "2"}),
        (
            "--cwd=/data --time 10 --mem 8 --ex",
            {"chdir": "/data", "time": "10", "mem-per-cpu": "8K", "exclusive": None},
        ),
    ],
)
def test_bsub(words: str, found: Options, release: Release) -> None:
    assert _read(f"#BSUB {words}\n", release=release) == found


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("script", ["#BSUB -J a\n#PBS -N b\n", "#PBS -N b\n#PBS -Q\n#BSUB -J a\n"])
def test_pbs_does_not_count_beside_bsub(script: str, release: Release) -> None:
    assert _read(script, release=release) == {"job-name": "a"}


def test_an_empty_bsub_is_enough() -> None:
    assert _read("#PBS -N b\n#BSUB\n") == {}


def test_all_lines_are_one_list() -> None:
    assert _read("#PBS -N\ntrue\n#PBS a\n") == {"job-name": "a"}
    assert _read("#BSUB -cwd\n#BSUB /data\n") == {"chdir": "/data"}


def test_where() -> None:
    found = _given("# comment\n#PBS -N\n#PBS a\n#PBS --resource_list nodes=2\n")
    assert [one.where for one in found] == ["script, line 3: #PBS -N", "script, line 5: #PBS -l"]


IGNORING = "that sbatch knows (`#SBATCH --ignore-pbs` leaves out all such lines)"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("#PBS -N a\n#PBS -Q\n", f"script, line 3: '-Q': -Q is no option of #PBS {IGNORING}"),
        ("#PBS -P x\n", f"script, line 2: '-P': -P is no option of #PBS {IGNORING}"),
        ("#PBS --outt=x\n", f"script, line 2: '--outt=x': is no option of #PBS {IGNORING}; did you mean --out?"),
        ("#PBS --job x\n", "script, line 2: '--job': is short for more than one option: --job_array, --job_name"),
        ("#PBS --hold=1\n", "script, line 2: '--hold=1': --hold takes no argument"),
        ("#PBS -j\n", "script, line 2: '-j': -j needs an argument"),
        ("#PBS -N hetjob\n", "script, line 2: '-N': -N needs an argument"),
        ("#PBS -m x\n", "script, line 2: 'x': #PBS -m: must have one of the letters a, b, e and n"),
        ("#PBS -l naccelerators=0\n", "script, line 2: '0': #PBS -l: naccelerators must be a whole number above 0"),
        ("#PBS -l naccelerators=1:\n", "script, line 2: '1:': #PBS -l: naccelerators must be a whole number above 0"),
        ("#PBS -W umask=888\n", "script, line 2: '888': #PBS -W: a umask must be a number from 0 to 0777"),
        ("#PBS -W umask=-1\n", "script, line 2: '-1': #PBS -W: a umask must be a number from 0 to 0777"),
        ("#BSUB -R x\n", f"script, line 2: '-R': -R is no option of #BSUB {IGNORING}"),
        ("#BSUB -n 4,\n", "script, line 2: '4,': #BSUB -n: must be a number of tasks, or two with a comma"),
        ("#PBS -l :x\n", "script, line 2: ':': a word must not begin with a colon outside quotes"),
    ],
)  # fmt: skip
def test_what_is_refused(script: str, message: str) -> None:
    with pytest.raises(InvalidScript) as refused:
        _read(script)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("script", "value"),
    [
        ("#PBS foo\n", "foo"),
        ("#PBS -h x\n", "x"),
        ("#PBSX\n", "X"),
        ("#PBS --join oe\n", "oe"),
        ("#PBS -N -l nodes=2\n", "nodes=2"),
        ("#BSUB -J a < b\n", "<"),
        ("#BSUB -x -cwd /data\n", "/data"),
        ("#BSUB -x\n#BSUB -cwd /data\n", "/data"),
        ("#BSUB -oo out\n", "out"),
    ],
)
def test_operands_are_refused(script: str, value: str) -> None:
    with pytest.raises(InvalidScript, match="is no option, nor an option's argument") as refused:
        _read(script)
    assert refused.value.value == value


@pytest.mark.parametrize(
    ("text", "warned"),
    [("022", True), ("8", True), ("0777", True), ("", False), ("x", False), ("077,depend=singleton", False)],
)
def test_a_umask_is_lost(text: str, warned: bool) -> None:
    found = foreign.read(f"#!/bin/sh\n\n#PBS -W umask={text}\n", release=NEWEST, table=TABLE)
    assert found.given == ()
    message = "script, line 3: #PBS -W: the umask of a job cannot be said over REST; call `umask` in the script"
    assert found.warnings == ((message,) if warned else ())


def test_all_that_they_mean_is_in_the_table() -> None:
    plain = {*foreign_resources.PLAIN.values(), *foreign_resources.SIZES.values()}
    others = {"ntasks", "gpus-per-node", "gres", "constraint", "cpus-per-task", "mail-type", "export", "dependency"}
    rows = (*foreign_options.PBS_ROWS, *foreign_options.BSUB_ROWS)
    said = {meant.option for row in rows for meant in _meaning(row)} - {foreign_options.UMASK}
    assert (plain | others | said) <= set(REAL)


def _meaning(row: foreign_options.ForeignOption) -> list[foreign_resources.Meant]:
    try:
        return list(row.meaning("1"))
    except InvalidValue:
        return []


@given(st.text(st.sampled_from("nodes=ppn:gpus+walltime,select2mxN-' \"#"), max_size=60), st.sampled_from(RELEASES))
def test_no_line_crashes(text: str, release: Release) -> None:
    for magic in ("PBS", "BSUB"):
        with suppress(InvalidScript):
            assert {one.option.name for one in _given(f"#{magic} -l {text}\n", release=release)} <= set(TABLE)
