"""`slurmjob-operator manifest`: the SlurmJob for a script, the same job whichever way its options are written."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from slurmjob_operator.api.template import JobTemplate
from slurmjob_operator.edge import check, manifest
from slurmjob_operator.edge.offline import kubectl_yaml
from slurmjob_operator.edge.offline.targets import TARGETS
from slurmjob_operator.sbatch.options import TABLE
from slurmjob_operator.sbatch.value import NEWEST
from slurmjob_operator.slurm.request import Target
from slurmjob_operator.slurm.template import components

SCRIPT = """\
#!/bin/bash
#SBATCH --job-name="Wing sweep"
#SBATCH -N4 --ntasks-per-node=64   # all of it
# a comment, kept
#SBATCH --time=1-00:00:00 --chdir=/scratch

#SBATCH --mem=180G
cat <<EOF
\ttabs, and blanks at the end  \

#SBATCH --time=not a directive
EOF
srun ./solver
"""
HEAD = """\
apiVersion: slurmjob.dev/v1alpha1
kind: SlurmJob
metadata:
  name: wing-sweep
spec:
  connectionRef:
    name: campus
  template:
"""


def _literal(script: str) -> str:
    lines = "".join(f"      {line}\n" if line else "\n" for line in script.split("\n")[:-1])
    return f"    script: |\n{lines}"


class Run:
    """A run of the command in a folder that holds `job.sh`."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys
        self.file = folder / "job.sh"
        self.file.write_text(SCRIPT)

    def __call__(self, *words: str, code: int = 0, environ: dict[str, str] | None = None) -> str:
        """What it prints; words that end in `.sh` are files of the folder. `err` is what it says."""
        named = [str(self.folder / word) if word.endswith(".sh") else word for word in words]
        found = manifest.main(named, environ=environ or {})
        said = self._capsys.readouterr()
        self.err = said.err
        assert found == code, said.err
        assert (said.out == "") == (code != 0)
        return said.out

    def template(self, *words: str, environ: dict[str, str] | None = None) -> dict[str, Any]:
        """The template that it prints."""
        (document,) = kubectl_yaml.documents(self(*words, environ=environ))
        found: dict[str, Any] = document.value["spec"]["template"]
        return found


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(tmp_path, capsys)


# --- Three ways to write it -------------------------------------------------------------------------------


def test_as_it_is(run: Run) -> None:
    assert run("job.sh", "--connection=campus") == HEAD + _literal(SCRIPT)
    assert run.err == ""


def test_the_command_line_as_fields(run: Run) -> None:
    words = ["--time=5", "-p", "gpu", "job.sh", "--connection", "campus", "-Hn", "3", "--gres=gpu:2", "--no-requeue"]
    fields = """\
    hold: true
    partition: gpu
    time: "5"
    ntasks: 3
    gres: "gpu:2"
    requeue: false
"""
    printed = run(*words)
    assert sorted(printed.splitlines()) == sorted((HEAD + fields + _literal(SCRIPT)).splitlines())
    assert run(*words) == printed


def test_all_as_fields(run: Run) -> None:
    template = run.template("job.sh", "--fields", "--connection=campus", "-N2")
    script = template.pop("script")
    assert template == {
        "jobName": "Wing sweep",
        "nodes": 2,
        "ntasksPerNode": 64,
        "time": "1-00:00:00",
        "chdir": "/scratch",
        "mem": "180G",
    }
    gone = ("#SBATCH --job", "#SBATCH -N4", "#SBATCH --time=1", "#SBATCH --mem")
    assert script == "".join(line for line in SCRIPT.splitlines(keepends=True) if not line.startswith(gone))


def test_all_as_directives(run: Run) -> None:
    template = run.template("--directives", "--connection=campus", "-N2", "--comment=two words", "job.sh")
    assert list(template) == ["script"]
    header = template["script"].partition("# a comment")[0].splitlines()
    assert header[0] == "#!/bin/bash"
    assert set(header[1:]) == {
        '#SBATCH --job-name="Wing sweep"',
        "#SBATCH --nodes=2",
        "#SBATCH --ntasks-per-node=64",
        "#SBATCH --time=1-00:00:00",
        "#SBATCH --chdir=/scratch",
        "#SBATCH --mem=180G",
        '#SBATCH --comment="two words"',
    }


def _options(template: dict[str, Any]) -> list[dict[str, str]]:
    """The options that the operator reads of a template, for each component."""
    parts = components(JobTemplate.model_validate(template), target=Target(release=NEWEST))
    return [{name: setting.text for name, setting in part.settings.items()} for part in parts]


WORDS = st.lists(
    st.sampled_from(
        [
            *["--mem=2G", "-t5", "--time=1:30", "-n 4", "--exclusive", "--nice", "--nice=-5", "-H", "--requeue"],
            *["--no-requeue", "--comment=a # b", "--comment=it's", '--comment="q"', "--job-name=on", "-J1e3", "-k"],
            *["--gres=gpu:2,widget", "--mail-type=END,FAIL", "--array=0-9%2", "--nodes=2-4", "--signal=B:USR1@9"],
            *["--hint=nomultithread", "--export=A=1,B=2", "-wn1,n2", "--begin=now+1hour", "--open-mode=append", "-O"],
            *["--chdir=/x y", "-oout-%j.txt", "--switches=1@5", "--acctg-freq=task=30", "-c2", "--licenses=a:2"],
        ]
    ),
    max_size=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(directives=WORDS, words=WORDS)
def test_the_same_job_in_each_way(directives: list[str], words: list[str], run: Run) -> None:
    header = "".join(f"#SBATCH {_quoted(word)}\n" for word in directives)
    (run.folder / "other.sh").write_text(f"#!/bin/sh\n{header}# more\ntrue\n")
    split = [part for word in words for part in (word.split(" ") if word.startswith("-n ") else [word])]
    default, fields, lines = (
        _code_and_template(run, ["other.sh", *split, *mode]) for mode in ([], ["--fields"], ["--directives"])
    )
    assume(default is not None)
    assert fields is not None
    assert lines is not None
    assert _options(default or {}) == _options(fields) == _options(lines)
    assert "#SBATCH" not in fields["script"]


def _quoted(word: str) -> str:
    name, equals, value = word.partition("=")
    return f"{name}{equals}'{value.replace(chr(39), chr(92) + chr(39))}'" if " " in value or "'" in value else word


def _code_and_template(run: Run, words: list[str]) -> dict[str, Any] | None:
    """None where the job is refused: some of the options exclude each other."""
    try:
        return run.template(*words)
    except AssertionError:
        return None


def test_what_is_printed_passes_check(run: Run) -> None:
    for mode in ([], ["--fields"], ["--directives"]):
        report = check.check_text(run("job.sh", "--connection=campus", "-J", "y", *mode), TARGETS)
        assert list(check.as_text(report)) == ["1 object checked: 0 errors, 0 warnings"]


def test_components_keep_their_own(run: Run) -> None:
    het = "#!/bin/sh\n#SBATCH -n1 --mem=1G\n#SBATCH hetjob\n#SBATCH -n2\ntrue\n"
    (run.folder / "het.sh").write_text(het)
    assert run.template("het.sh", "-D/")["script"] == het
    assert [one["ntasks"] for one in _options(run.template("het.sh", "-D/", "--directives"))] == ["1", "2"]
    run("het.sh", "--fields", code=1)
    assert run.err == "--fields: the components of a heterogeneous job differ, and fields hold for all of them\n"


def test_lines_of_other_batch_systems(run: Run) -> None:
    (run.folder / "pbs.sh").write_text("#!/bin/sh\n#PBS -l nodes=2\n#SBATCH --time=5\ntrue\n")
    assert run.template("pbs.sh", "-D/", "--fields") == {
        "nodes": 2, "time": "5", "chdir": "/", "script": "#!/bin/sh\ntrue\n"
    }  # fmt: skip
    ignored = run.template("pbs.sh", "-D/", "--fields", "--ignore-pbs")
    assert "nodes" not in ignored
    assert _options(ignored)[0].keys() - {"ignore-pbs"} == {"time", "chdir"}


# --- The script, and what it is called --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["job.sh"], "wing-sweep"),
        (["job.sh", "--name=other"], "other"),
        (["job.sh", "--name", "other"], "other"),
        (["job.sh", "-J", "Ünder_score.(2)."], "under-score.2"),
        (["job.sh", "-J", "%%%"], "job"),
        (["job.sh", "-J", "x" * 300], "x" * 253),
        (["Bare_Job.1.sh"], "bare-job.1"),
        (["--wrap=true"], "wrap"),
        (["-"], "sbatch"),
        ([], "sbatch"),
    ],
)
def test_names(words: list[str], name: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (run.folder / "Bare_Job.1.sh").write_text("#!/bin/sh\n")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"#!/bin/sh\ntrue\n")))
    (document,) = kubectl_yaml.documents(run(*words))
    assert document.value["metadata"] == {"name": name}


def test_namespace(run: Run) -> None:
    (document,) = kubectl_yaml.documents(run("job.sh", "--namespace=team-aero"))
    assert document.value["metadata"] == {"name": "wing-sweep", "namespace": "team-aero"}


def test_wrap_makes_the_script_that_sbatch_makes(run: Run) -> None:
    assert run.template("--wrap", "echo a; echo b", "-D/") == {
        "chdir": "/",
        "script": "#!/bin/sh\n# This script was created by sbatch --wrap.\n\necho a; echo b\n",
    }


# --- The environment --------------------------------------------------------------------------------------

ENVIRON = {"SBATCH_TIMELIMIT": "7", "SBATCH_OVERCOMMIT": "", "SBATCH_NO_REQUEUE": "0", "SBATCH_MEM_PER_NODE": "1G"}


def test_variables_count_on_request_alone(run: Run) -> None:
    assert run.template("job.sh", environ=ENVIRON).keys() == {"script"}
    template = run.template("job.sh", "--use-sbatch-environment", "--mem=2G", environ=ENVIRON)
    del template["script"]
    assert template == {"time": "7", "overcommit": True, "mem": "2G"}


# --- What it says -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--wrap=true"], "warning: no --chdir: the job works in the folder that `jobDefaults.chdir`"),
        (["job.sh"], "warning: spec.connectionRef.name is 'default': name the SlurmConnection with --connection"),
        (["job.sh", "--wait"], "warning: --wait: wait with `kubectl wait --for=condition=Finished`"),
        (["job.sh", "-v"], "warning: --verbose: "),
        (["job.sh", "--network=x"], "warning: template.network: on Slurm 22.05: "),
    ],
)
def test_warnings(words: list[str], sentence: str, run: Run) -> None:
    run(*words)
    assert sentence in run.err


def test_one_release_alone(run: Run) -> None:
    run("job.sh", "--network=x", "--slurm-release=24.11", "--connection=campus")
    assert run.err == ""
    run("job.sh", "--network=x", "--slurm-release", "22.05", code=1)
    assert "template.network: Slurm 22.05 refuses it" in run.err


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["job.sh", "--time=1h"], 1, "--time: '1h': must be minutes"),
        (["job.sh", "-t1h", "-t5"], 1, "--time: '1h': must be minutes"),
        (["job.sh", "--exclusive=node"], 1, "--exclusive: 'node': must be another word"),
        (["job.sh", "--uid=alice"], 1, "--uid: "),
        (["job.sh", "--mem-per-cpu=1G"], 1, "template.memPerCpu: "),
        (["bad.sh"], 1, "bad.sh: script, line 2: '--tiem=5': is no option"),
        (["dos.sh"], 1, "dos.sh: script, line 1: must end its lines with"),
        (["job.sh", "--comment=[slurmjob.dev/1 x]"], 1, "template.comment: must not hold"),
        (["--wrap=#SBATCH -n3"], 1, "--wrap: sbatch reads no `#SBATCH` lines in it"),
        (["job.sh", "--requeue=expedite"], 1, "--requeue: 'expedite' cannot be said by a field"),
        (["job.sh", "--tiem=5"], 2, "'--tiem=5': is no option of sbatch 26.05"),
        (["job.sh", "--mem"], 2, "--mem needs an argument"),
        (["-n1", ":", "-n2", "job.sh"], 2, "':': separates no components here"),
        (["job.sh", "--wrap=true"], 2, "--wrap makes the script; there is none beside it"),
        (["job.sh", "--fields", "--directives"], 2, "--fields: not beside --directives"),
        (["job.sh", "--name=No"], 2, "--name: 'No': must be"),
        (["job.sh", "--connection", "a_b"], 2, "--connection: 'a_b': must be"),
        (["job.sh", "--name"], 2, "--name needs an argument"),
        (["job.sh", "--fields=x"], 2, "--fields takes no argument"),
        (["job.sh", "--slurm-release=x"], 2, "--slurm-release: 'x': must be a release of Slurm"),
        (["none.sh"], 2, "none.sh: No such file or directory"),
        (["latin.sh"], 2, "latin.sh:2: is not UTF-8"),
    ],
)
def test_refused(words: list[str], code: int, sentence: str, run: Run) -> None:
    (run.folder / "bad.sh").write_text("#!/bin/sh\n#SBATCH --tiem=5\n")
    (run.folder / "dos.sh").write_text("#!/bin/sh\r\ntrue\n", newline="")
    (run.folder / "latin.sh").write_bytes(b"#!/bin/sh\n# \xe9\n")
    run(*words, code=code)
    assert sentence in run.err


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert manifest.main(["--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: slurmjob-operator manifest ")


def test_every_field_can_be_given(run: Run) -> None:
    """By one of its examples, beside what it needs."""
    (run.folder / "short.sh").write_text("#!/bin/sh\ntrue\n")
    with_effect = [option for option in TABLE.values() if option.means_nothing is None]
    fields = {option.field: option for option in with_effect if option.field is not None and option.type is not None}
    missing = {
        field
        for field, option in fields.items()
        if not any(
            field in (_code_and_template(run, [*company, word, "short.sh"]) or {})
            for word in (f"--{option.name}", *(f"--{option.name}={text}" for text in option.type.examples))
            for company in COMPANIES
        )
    }
    assert missing == set()


COMPANIES = ([], ["--stepmgr"], ["--gpus=2"], ["--gpus=2", "--ntasks=2"], ["--nodes=2"])
