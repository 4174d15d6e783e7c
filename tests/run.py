"""Every test in one run, as `make test` does it: unit tests, the real parts, and that nothing is left.

One closing line of counts by kind. A skipped test counts as missing and fails the run. A sandbox that was up
before stays up; else it is taken down, and its state thrown away.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sandbox"))

from sandboxlib import cli, control_plane, slurm_cluster
from sandboxlib.daemons import SandboxError, is_running
from sandboxlib.paths import Paths, default_paths

ROOT = Path(__file__).resolve().parents[1]
WORKERS = 6
"""More than there are cores: tests on real parts mostly wait."""

LABEL = "slurmjob.dev/test=true"
KINDS = ("unit", "model", "contract", "integration", "e2e", "faults")


@dataclass
class Result:
    """What all runs of pytest came to."""

    passed: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    memory_limits: str = "not looked at"

    def read(self, report: Path) -> None:
        """Add a JUnit report."""
        for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - our own pytest wrote it
            classname = case.get("classname", "")
            name = f"{classname}::{case.get('name')}"
            if case.find("failure") is not None or case.find("error") is not None:
                self.failed.append(name)
            elif case.find("skipped") is not None:
                self.missing.append(name)
            else:
                self.passed[next((kind for kind in KINDS if f"tests.{kind}." in classname), "other")] += 1

    def line(self, seconds: float) -> str:
        """The closing line."""
        kinds = ", ".join(f"{self.passed[kind]} {kind}" for kind in self.passed)
        total = sum(self.passed.values())
        return (
            f"tests: {total} passed ({kinds}), {len(self.failed)} failed, {len(self.missing)} skipped, "
            f"in {seconds // 60:.0f} min {seconds % 60:.0f} s; memory limits {self.memory_limits}"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """0 only when every test ran and passed, and nothing was left over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the sandbox up")
    parser.add_argument("--faults", action="store_true", help="the fault runs alone, the long ones too")
    flags = parser.parse_args(arguments)
    began = time.monotonic()
    paths, result = default_paths(), Result()
    paths.make()
    was_up = any(is_running(daemon) for daemon in control_plane.daemons(paths))
    try:
        ok = _run_faults(paths, result) if flags.faults else _run(paths, result)
    except SandboxError as error:
        say(str(error))
        ok = False
    finally:
        if not flags.keep and not was_up:
            cli.main(["down", "--purge"])
    for name in result.failed:
        say(f"FAILED  {name}")
    for name in result.missing:
        say(f"SKIPPED {name}")
    say(result.line(time.monotonic() - began))
    complete = ok and not result.failed and not result.missing and result.passed.total() > 0
    return 0 if complete else 1


def _run(paths: Paths, result: Result) -> bool:
    say("== unit tests and the model")
    ok = _pytest(paths, result, "tests/unit", "tests/model", workers=os.cpu_count() or 1)
    say("== the sandbox: a real Kubernetes API server and a real Slurm")
    if cli.main(["up"]) != 0:
        return False
    before = _ledger(paths)
    true = any("memory limits true" in line for line in slurm_cluster.status(paths, "forky"))
    result.memory_limits = "true" if true else "not enforced here: the end OUT_OF_MEMORY was not seen"
    say("== contract and integration tests")
    ok &= _pytest(paths, result, "tests/contract", "tests/integration", workers=WORKERS)
    say("== end-to-end tests")
    cli.main(["operator", "start"])
    ok &= _pytest(paths, result, "tests/e2e", "-m", "not alone", workers=WORKERS)
    ok &= _nothing_left(paths)
    say("== end-to-end tests that take the operator or a daemon away")
    ok &= _pytest(paths, result, "tests/e2e", "-m", "alone")
    ok &= _nothing_left(paths)
    ok &= _each_ran_once(_ledger(paths) - before)
    say("== fault runs; each closes with a line of counts (the control run must find doubles)")
    ok &= _pytest(paths, result, "tests/faults", "-m", "not long")
    return _nothing_left(paths) and ok


def _run_faults(paths: Paths, result: Result) -> bool:
    if cli.main(["up"]) != 0:
        return False
    ok = _pytest(paths, result, "tests/faults", "-v")
    return _nothing_left(paths) and ok


def _pytest(paths: Paths, result: Result, *arguments: str, workers: int = 0) -> bool:
    report = paths.run / "pytest.xml"
    report.unlink(missing_ok=True)
    argv = [sys.executable, "-m", "pytest", "-q", "--show-capture=no", f"--junitxml={report}", *arguments]
    if workers:
        argv += ["-n", str(workers)]
    done = subprocess.run(argv, cwd=ROOT, check=False)
    if report.exists():
        result.read(report)
    return done.returncode == 0


def _nothing_left(paths: Paths, seconds: float = 60.0) -> bool:
    """The tests' namespaces, deleted with all that was in them, have gone: no finalizer holds one."""
    deadline = time.monotonic() + seconds
    while True:
        left = control_plane.kubectl(paths, "get", "namespaces", "-l", LABEL, "-o", "name").split()
        if not left:
            return True
        if time.monotonic() > deadline:
            say(f"namespaces that are not let go: {' '.join(left)}")
            return False
        time.sleep(0.5)


def _ledger(paths: Paths) -> Counter[str]:
    ledger = slurm_cluster.home(paths, "forky", "alice") / "ledger"
    return Counter(ledger.read_text().splitlines()) if ledger.exists() else Counter()


def _each_ran_once(lines: Counter[str]) -> bool:
    """Every job of every test wrote its SlurmJob and its Slurm id into the ledger once, and no SlurmJob has two ids.
    What Slurm started again by itself, under the same id and with a higher restart count, is counted apart."""
    twice = [line for line, count in lines.items() if count > 1]
    jobs = Counter(name for name, _ in {tuple(line.split()[:2]) for line in lines})
    twice += [job for job, count in jobs.items() if count > 1]
    for line in twice:
        say(f"ran more than once: {line}")
    restarts = sum(not line.endswith(" 0") for line in lines)
    say(f"executions in the ledger: {sum(lines.values())}, of {len(jobs)} SlurmJobs, {restarts} restarted by Slurm")
    return not twice and bool(lines)


def say(text: str) -> None:
    """One text on standard output, at once."""
    print(text, flush=True)


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
