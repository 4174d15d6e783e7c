"""What the real `sbatch --hold` makes of script files: all of them in one go inside the cluster."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sandboxlib import slurm_cluster
from sandboxlib.paths import Paths
from sandboxlib.slurm_suites import USERS
from tests.differential.cases import ENVIRONMENT, HOME, Case, Held, Outcome, Refused
from tests.differential.reasons import NOTHING_SUBMITTED, of_sbatch

PATIENCE_SECONDS: Final = 5
"""`--wait` in a script makes sbatch wait for the end of a held job."""

AT_ONCE: Final = 4
OF_ONE_SHELL: Final = 20

EACH: Final = """\
scripts=$1 said=$2 seconds=$3; shift 3
for name; do
  timeout -s KILL "$seconds" sbatch --hold "$scripts/$name" >"$said/$name.out" 2>"$said/$name.err" </dev/null
  echo $? >"$said/$name.code"
done
"""
ALL: Final = """\
cd {home} || exit 1
ls "$1" | xargs -P {at_once} -n {of_one_shell} sh -c "$4" each "$1" "$2" "$3"
"""


def submit(paths: Paths, suite: str, cases: Sequence[Case]) -> dict[str, Outcome]:
    """By name what became of each script, submitted as alice from her home."""
    with _folder(paths, suite) as (host, inside):
        for case in cases:
            (host / "scripts" / case.name).write_bytes(case.script.encode())
        run = ALL.format(home=HOME, at_once=AT_ONCE, of_one_shell=OF_ONE_SHELL)
        words = [f"{inside}/scripts", f"{inside}/said", str(PATIENCE_SECONDS), EACH]
        variables = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
        inside_command(paths, suite, ["env", "-i", *variables, "sh", "-c", run, "all", *words], user="alice")
        return {case.name: _outcome(host / "said", case.name) for case in cases}


def inside_command(paths: Paths, suite: str, argv: Sequence[str], *, user: str) -> str:
    """Standard output of a command inside the cluster. Its exit code is not looked at: `xargs` sums up."""
    done = subprocess.run(
        slurm_cluster.exec_argv(paths, suite, argv, user), capture_output=True, text=True, check=False
    )
    return done.stdout


@contextmanager
def _folder(paths: Paths, suite: str) -> Iterator[tuple[Path, str]]:
    """A folder of alice's with `scripts` and `said` in it, as the host sees it and as she does."""
    name = f"differential-{secrets.token_hex(4)}"
    host = slurm_cluster.home(paths, suite, "alice") / name
    for folder in (host, host / "scripts", host / "said"):
        folder.mkdir()
        os.chown(folder, USERS["alice"], USERS["alice"])
    try:
        yield host, f"{HOME}/{name}"
    finally:
        shutil.rmtree(host)


def _outcome(said: Path, name: str) -> Outcome:
    """`Submitted batch job 7`, or the id alone with `--parsable`; sbatch that still waits was killed after it."""
    output = (said / f"{name}.out").read_text().strip()
    errors = (said / f"{name}.err").read_text(errors="replace").strip()
    code = (said / f"{name}.code").read_text().strip()
    last = output.split()[-1].partition(";")[0] if output else ""
    if last.isdigit():
        return Held(job_id=int(last), said=errors)
    if code == "0":
        return Refused(reason=NOTHING_SUBMITTED, text=errors)
    return Refused(reason=of_sbatch(errors), text=errors)
