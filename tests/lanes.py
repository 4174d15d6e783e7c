"""A lane: a sandbox of its own with one Slurm, and the tests that run in it while other lanes run theirs.

Whatever a test does to an operator or to a daemon stays in its lane, so that tests which take one away on different
Slurms go on side by side.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from sandboxlib import control_plane, slurm_cluster
from sandboxlib.paths import FIRST_PORT, Paths, default_paths

ROOT: Final = Path(__file__).resolve().parents[1]
LABEL: Final = "slurmjob.dev/test=true"
KINDS: Final = ("unit", "model", "contract", "integration", "traps", "differential", "e2e", "faults")
WORKERS: Final = 5
"""More than there are cores: tests on real parts mostly wait."""

OF_DOCUMENTS: Final = "tests/contract/test_openapi.py"
"""Needs no daemon, so it runs once, with the unit tests."""

ORDER: Final[Mapping[str, tuple[str, ...]]] = {
    "bookworm": ("contract", "e2e", "alone"),
    "trixie": ("alone", "contract", "e2e"),
    "forky": ("contract", "e2e", "alone"),
}
"""What is `alone` mostly waits, what is not takes both cores: so not all lanes do the same at the same time. In
`KUBERNETES_IN` no operator runs yet when the contract's turn comes."""

KUBERNETES_IN: Final = "bookworm"
"""The lane that also runs what needs no Slurm: integration tests and the contract of the API server."""

EVERY_SLURM_IN: Final = "forky"
"""The lane that also brings the other Slurms up: for one operator on all three, and for the upgrade of one of them."""

FAULTS_IN: Final[Mapping[str, str]] = {
    "tests/faults/test_kill_points.py": "bookworm",
    "tests/faults/test_lost_answers.py": "trixie",
    "tests/faults/test_lost_state.py": "bookworm",
}
"""The lane of each file of fault runs, so that all take about the same time; what is not named runs in the last one."""

LAST_LANE: Final = "forky"
PORTS_OF_A_LANE: Final = 100
UNTOLD: Final = re.compile(
    r"^([.sxXFE]+ *\[ *\d+%\]|[.sxXFE]*|bringing up nodes\.\.\.|=+ slowest .*|[\d.]+s (call|setup|teardown) .*)$"
)
"""Dots of progress and durations: they stay in the log."""


LONGEST_REASON = 400


class Stopped(Exception):
    """Somebody wants the run to end."""


@dataclass
class Result:
    """What runs of pytest came to: the tests that passed by kind, and the names of the others."""

    passed: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """What went wrong besides a test."""
    reasons: dict[str, str] = field(default_factory=dict)
    """Of each test that failed: where, and what was said there."""

    def read(self, report: Path) -> None:
        """Add a JUnit report. A skipped test is a missing one."""
        for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - our own pytest wrote it
            classname = case.get("classname", "")
            name = f"{classname}::{case.get('name')}"
            broken = next((part for part in case if part.tag in ("failure", "error")), None)
            if broken is not None:
                self.failed.append(name)
                self.reasons[name] = _reason(broken)
            elif case.find("skipped") is not None:
                self.missing.append(name)
            else:
                self.passed[next((kind for kind in KINDS if f"tests.{kind}." in classname), "other")] += 1

    def kinds(self) -> str:
        """E.g. `60 contract, 45 e2e`."""
        return ", ".join(f"{self.passed[kind]} {kind}" for kind in (*KINDS, "other") if self.passed[kind])

    @property
    def good(self) -> bool:
        """Whether tests ran, and nothing is wrong."""
        return self.passed.total() > 0 and not (self.failed or self.missing or self.wrong)


def _reason(broken: ElementTree.Element) -> str:
    """In a line: the output above may be long, and a reader may have nothing but its end."""
    said = (broken.get("message") or "").strip() or "no message"
    place = ((broken.text or "").strip().splitlines() or [""])[-1]
    return f"{place}: {' '.join(said.split())}"[:LONGEST_REASON]


class Runner:
    """Starts programs for several lanes at once, says what they come to, and can end them all."""

    def __init__(self, folder: Path) -> None:
        """`folder` is where the output of each program stays."""
        self._folder = folder
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False
        folder.mkdir(parents=True, exist_ok=True)

    def say(self, lane: str, *lines: str) -> None:
        """Lines on standard output, each behind the lane's name; those of one call stay together."""
        with self._lock:
            for line in lines:
                print(f"[{lane}] {line}", flush=True)

    def run(self, lane: str, title: str, argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> bool:
        """Run a program to its end. Said is what it said, without dots and durations; all of it if it failed.

        Raises `Stopped` after `stop`."""
        began, log = time.monotonic(), self._folder / f"{lane}-{title.replace(' ', '-')}.log"
        with log.open("wb") as output:
            code = self._ended(self._started(argv, env, output))
        lines = log.read_text(errors="replace").splitlines()
        told = lines if code else [line for line in lines if not UNTOLD.match(line)]
        self.say(lane, f"== {title}: {time.monotonic() - began:.0f} s{'' if code == 0 else ', FAILED'}", *told)
        return code == 0

    def run_aloud(self, lane: str, title: str, argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> bool:
        """The same for what may take long and says what it does: each line is said at once."""
        process = self._started(argv, env, subprocess.PIPE)
        with process.stdout or nullcontext(()) as lines:
            for line in lines:
                self.say(lane, f"{title}: {line.decode(errors='replace').rstrip()}")
        return self._ended(process) == 0

    def _started(
        self, argv: Sequence[str], env: Mapping[str, str] | None, output: IO[bytes] | int
    ) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._stopped:
                raise Stopped
            process = subprocess.Popen(
                argv,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
            )
            self._running.add(process)
        return process

    def _ended(self, process: subprocess.Popen[bytes]) -> int:
        code = process.wait()
        with self._lock:
            self._running.discard(process)
            if self._stopped:
                raise Stopped
        return code

    def stop(self) -> None:
        """End what runs now, and start nothing more."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.terminate()

    def go_on(self) -> None:
        """After `stop`: for what has to be put in order."""
        self._stopped = False


@dataclass(kw_only=True)
class Lane:
    """See the module. `name` is that of the suite."""

    name: str
    paths: Paths
    runner: Runner
    result: Result = field(default_factory=Result)
    release: str = ""
    memory_limits: bool = False

    @classmethod
    def of(cls, name: str, number: int, runner: Runner) -> Lane:
        """Lanes of one checkout have neighbouring ports, those of another one, most likely, others."""
        usual = default_paths()
        lanes = len(slurm_cluster.SUITES) * PORTS_OF_A_LANE
        first = FIRST_PORT + 1000 + lanes * (zlib.crc32(str(ROOT).encode()) % 28) + PORTS_OF_A_LANE * number
        paths = Paths(
            checkout=usual.checkout, state=ROOT / ".sandbox" / "lanes" / name, cache=usual.cache, first_port=first
        )
        return cls(name=name, paths=paths, runner=runner)

    # --- Its sandbox --------------------------------------------------------------------------------------

    def up(self) -> None:
        """Begin anew, whatever an earlier run has left."""
        self.down()
        if self._sandbox("up", "--kube", "--slurm", self.name):
            self.release = slurm_cluster.releases(self.paths).get(self.name, "")
            limits = slurm_cluster.status(self.paths, self.name)
            self.memory_limits = any("memory limits true" in line for line in limits)
        else:
            self.result.wrong.append("the sandbox did not come up")

    def down(self) -> None:
        """Stop all of it, and forget its state."""
        if not self._sandbox("down", "--purge"):
            self.result.wrong.append("the sandbox did not go down")

    def unexpected(self) -> list[str]:
        """A sentence where this Slurm is not of the release that it is known by."""
        return slurm_cluster.unexpected(self.paths)

    def _sandbox(self, *arguments: str) -> bool:
        argv = [str(ROOT / "sandbox" / "sandbox"), *arguments]
        return self.runner.run_aloud(self.name, f"sandbox {arguments[0]}", argv, env=self._environment())

    def _environment(self) -> dict[str, str]:
        return {
            "SANDBOX_STATE": str(self.paths.state),
            "SANDBOX_CACHE": str(self.paths.cache),
            "SANDBOX_FIRST_PORT": str(self.paths.first_port),
            "SANDBOX_SUITE": self.name,
        }

    # --- Its tests ----------------------------------------------------------------------------------------

    def test(self) -> None:
        """Everything but the long fault runs. The control run leaves double executions, so they are counted before."""
        self.up()
        if self.result.wrong:
            return
        for part in ORDER[self.name]:
            getattr(self, f"_{part}")()
        self._each_ran_once()
        if self.name == EVERY_SLURM_IN:
            self._pytest("e2e of several Slurms", "tests/e2e", "-m", "every_slurm or upgrade")
            self._nothing_left()
        self._pytest("faults", *self.fault_runs(), "-m", "not long")
        self._nothing_left()
        self._differential()  # It leaves thousands of jobs of one user in slurmdbd, so it comes last.

    def _contract(self) -> None:
        here = self.name == KUBERNETES_IN
        of_kubernetes = ("tests/integration",) if here else ("--ignore=tests/contract/test_kube_port.py",)
        arguments = ("tests/contract", "tests/traps", f"--ignore={OF_DOCUMENTS}", *of_kubernetes)
        self._pytest("contract", *arguments, "-m", "not alone", workers=WORKERS)
        self._pytest("contract alone", "tests/contract", "tests/traps", "-m", "alone")

    def _differential(self, *, everything: bool = False) -> None:
        self._sandbox("operator", "start")
        self._pytest("differential", "tests/differential", DIFFERENTIAL="all" if everything else "part")
        self._nothing_left()

    def _e2e(self) -> None:
        self._sandbox("operator", "start")
        self._pytest("e2e", "tests/e2e", "-m", "not alone and not every_slurm", workers=WORKERS)
        self._nothing_left()

    def _alone(self) -> None:
        self._sandbox("operator", "start")
        self._pytest("e2e alone", "tests/e2e", "-m", "alone and not upgrade and not long")
        self._nothing_left()

    def test_differential(self) -> None:
        """All scripts by the real sbatch and by us."""
        self.up()
        if not self.result.wrong:
            self._differential(everything=True)

    def test_faults(self) -> None:
        """The fault runs of this lane, the long ones too, and the long end-to-end tests."""
        self.up()
        if self.result.wrong:
            return
        self._pytest("faults", *self.fault_runs())
        self._nothing_left()
        self._sandbox("operator", "start")
        self._pytest("e2e long", "tests/e2e", "-m", "long")
        self._nothing_left()

    def fault_runs(self) -> list[str]:
        """Arguments of pytest: this lane's share of the fault runs."""
        if self.name == LAST_LANE:
            return ["tests/faults", *(f"--ignore={path}" for path in FAULTS_IN)]
        return [path for path, lane in FAULTS_IN.items() if lane == self.name]

    def _pytest(self, title: str, *arguments: str, workers: int = 0, **environment: str) -> None:
        env = {**self._environment(), **environment}
        pytest(self.runner, self.result, self.name, title, *arguments, workers=workers, env=env)

    def _nothing_left(self, seconds: float = 60.0) -> None:
        """The tests' namespaces, deleted with all that was in them, have gone: no finalizer holds one."""
        deadline = time.monotonic() + seconds
        while left := control_plane.kubectl(self.paths, "get", "namespaces", "-l", LABEL, "-o", "name").split():
            if time.monotonic() > deadline:
                self.result.wrong.append(f"namespaces that are not let go: {' '.join(left)}")
                return
            time.sleep(0.5)

    def _each_ran_once(self) -> None:
        ledger = slurm_cluster.home(self.paths, self.name, "alice") / "ledger"
        lines = Counter(ledger.read_text().splitlines()) if ledger.exists() else Counter()
        said, twice = executions(lines)
        self.runner.say(self.name, said)
        self.result.wrong += twice


def pytest(
    runner: Runner,
    result: Result,
    lane: str,
    title: str,
    *arguments: str,
    workers: int,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run pytest, and add what it came to."""
    report = ROOT / ".sandbox" / "lanes" / f"{lane}-{title.replace(' ', '-')}.xml"
    report.unlink(missing_ok=True)
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--show-capture=no",
        "--durations=12",
        f"--junitxml={report}",
        *arguments,
    ]
    argv += ["-n", str(workers), "--dist", "worksteal"] if workers else []
    good = runner.run(lane, title, argv, env=env)
    if report.exists():
        result.read(report)
    if not good and not (result.failed or result.missing):
        result.wrong.append(f"pytest failed: {title}")


def executions(lines: Counter[str]) -> tuple[str, list[str]]:
    """How many executions a ledger tells of, and what is wrong with them.

    Every job of every test wrote its SlurmJob and its Slurm id into the ledger once, and no SlurmJob has two ids.
    What Slurm started again by itself, under the same id and with a higher restart count, is counted apart."""
    twice = [line for line, count in lines.items() if count > 1]
    jobs = Counter(name for name, _ in {tuple(line.split()[:2]) for line in lines})
    twice += [job for job, count in jobs.items() if count > 1]
    restarts = sum(not line.endswith(" 0") for line in lines)
    said = f"executions in the ledger: {lines.total()}, of {len(jobs)} SlurmJobs, {restarts} restarted by Slurm"
    return said, [f"ran more than once: {line}" for line in twice] if lines else ["nothing ran at all"]
