"""Every test in one run, as `make test` does it: unit tests, then three lanes, one for each Slurm, side by side.

One closing line of counts by kind and by release. A skipped test counts as missing and fails the run. Each lane has a
sandbox of its own, made anew and thrown away in the end; one that somebody has up is left alone. What each pytest said
stays in `.sandbox/lanes/`.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sandbox"))

from sandboxlib.daemons import SandboxError
from sandboxlib.slurm_suites import SUITES
from tests.lanes import OF_DOCUMENTS, ROOT, Lane, Result, Runner, Stopped, pytest

FOLDER = ROOT / ".sandbox" / "lanes"


def main(arguments: Sequence[str] | None = None) -> int:
    """0 only when every test ran and passed, and nothing was left over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the lanes' sandboxes up")
    parser.add_argument("--faults", action="store_true", help="the fault runs alone, the long ones too")
    parser.add_argument("--differential", action="store_true", help="the comparison with sbatch alone, all of it")
    parser.add_argument("--lane", action="append", choices=SUITES, help="this lane, and no unit tests; can be repeated")
    flags = parser.parse_args(arguments)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("tests: another run is under way in this checkout")
            return 1
        return _run(flags)


def _run(flags: argparse.Namespace) -> int:
    began = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    runner, unit = Runner(FOLDER), Result()
    lanes = [Lane.of(name, number, runner) for number, name in enumerate(SUITES) if name in (flags.lane or SUITES)]
    parts = [partial(_guarded, lane, _part(lane, flags)) for lane in lanes]
    surprises: list[str] = []
    try:
        if not (flags.faults or flags.differential or flags.lane):
            side_by_side(runner, [partial(_unit, runner, unit)])
        side_by_side(runner, parts)
        surprises = list(dict.fromkeys(line for lane in lanes if lane.release for line in lane.unexpected()))
    except KeyboardInterrupt:
        unit.wrong.append("it was stopped")
    finally:
        runner.go_on()
        if not flags.keep:
            side_by_side(runner, [lane.down for lane in lanes])
    results = {"unit": unit, **{lane.name: lane.result for lane in lanes}}
    for name, result in results.items():
        _tell(name, result)
    say(closing_line(lanes, unit, time.monotonic() - began, surprises))
    ran = [result for name, result in results.items() if name != "unit" or result.passed or result.wrong]
    return 0 if all(result.good for result in ran) else 1


def _part(lane: Lane, flags: argparse.Namespace) -> Callable[[], None]:
    if flags.faults:
        return lane.test_faults
    return lane.test_differential if flags.differential else lane.test


def _unit(runner: Runner, result: Result) -> None:
    workers = os.cpu_count() or 1
    pytest(runner, result, "unit", "unit and model", "tests/unit", "tests/model", OF_DOCUMENTS, workers=workers)


def _guarded(lane: Lane, test: Callable[[], None]) -> None:
    try:
        test()
    except (SandboxError, OSError) as error:
        lane.result.wrong.append(str(error))


def side_by_side(runner: Runner, parts: Sequence[Callable[[], None]]) -> None:
    """All of them at once; when somebody stops it, each ends at its next step."""
    with ThreadPoolExecutor(len(parts)) as pool:
        futures = [pool.submit(part) for part in parts]
        try:
            for future in futures:
                future.result()
        except BaseException as error:
            runner.stop()
            if isinstance(error, Stopped):
                raise KeyboardInterrupt from error
            raise


def _tell(name: str, result: Result) -> None:
    lines = [f"FAILED  {test}  {result.reasons.get(test, '')}".rstrip() for test in result.failed]
    lines += [f"SKIPPED {test}" for test in result.missing]
    lines += [f"WRONG   {what}" for what in result.wrong]
    for line in lines:
        say(f"[{name}] {line}")


def closing_line(lanes: Sequence[Lane], unit: Result, seconds: float, surprises: Sequence[str]) -> str:
    """Counts by kind and by release, how long it took, and what was not as usual."""
    results = [unit, *(lane.result for lane in lanes)]
    passed = sum(result.passed.total() for result in results)
    failed, missing = (sum(len(names) for names in column) for column in _columns(results))
    ran = [lane for lane in lanes if lane.result.passed]
    parts = [unit.kinds(), *(f"Slurm {lane.release or lane.name}: {lane.result.kinds()}" for lane in ran)]
    true = all(lane.memory_limits for lane in lanes)
    limits = "true" if true else "not enforced here: the end OUT_OF_MEMORY was not seen"
    line = (
        f"tests: {passed} passed ({'; '.join(part for part in parts if part)}), {failed} failed, {missing} skipped, "
        f"in {seconds // 60:.0f} min {seconds % 60:.0f} s; memory limits {limits}"
    )
    return "; ".join([line, *surprises])


def _columns(results: Sequence[Result]) -> tuple[list[list[str]], list[list[str]]]:
    return [result.failed for result in results], [result.missing for result in results]


def say(text: str) -> None:
    """One text on standard output, at once."""
    print(text, flush=True)


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
