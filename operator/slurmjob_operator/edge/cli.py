"""The command line: `slurmjob-operator run`, and the commands that speak to no cluster."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from slurmjob_operator import __version__
from slurmjob_operator.core.marker import INSTALLATION_PATTERN
from slurmjob_operator.edge import logs

if TYPE_CHECKING:
    from slurmjob_operator.engine.ports import Outside

OFFLINE: Final = {
    "manifest": "print the SlurmJob for an sbatch script",
    "render": "print what slurmrestd is sent for a SlurmJob or an sbatch script",
    "check": "validate SlurmJobs and SlurmConnections",
}
"""Commands that speak to no cluster and read their arguments themselves."""


def parser() -> argparse.ArgumentParser:
    """All flags."""
    top = argparse.ArgumentParser(prog="slurmjob-operator", description="Run Slurm jobs from Kubernetes.")
    top.add_argument("--version", action="version", version=f"slurmjob-operator {__version__}")
    commands = top.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="watch SlurmJobs and SlurmConnections, and act")
    run.add_argument("--namespace", default="slurmjob-system", help="the operator's own namespace")
    run.add_argument(
        "--installation",
        type=_installation,
        default=None,
        help="id of this installation in the marker of Slurm jobs (default: the uid of its namespace, and its name)",
    )
    run.add_argument(
        "--allow-plain-http", action="store_true", help="allow connections to slurmrestd by http:// (tokens in clear)"
    )
    run.add_argument("--liveness-host", default="0.0.0.0", help="address of /healthz, /readyz and /metrics")  # noqa: S104 - a pod's probe comes from outside
    run.add_argument(
        "--liveness-port", type=int, default=8080, help="port of /healthz, /readyz and /metrics (default 8080)"
    )
    run.add_argument("--log-format", choices=["text", "json"], default="json")
    run.add_argument("--log-level", choices=["debug", "info", "warning", "error"], default="info")
    for name, what in OFFLINE.items():
        commands.add_parser(name, help=what, add_help=False)
    return top


def _installation(text: str) -> str:
    if not re.fullmatch(INSTALLATION_PATTERN, text):
        raise argparse.ArgumentTypeError(f"must match {INSTALLATION_PATTERN}")
    return text


def main(arguments: Sequence[str] | None = None, *, prepare: Callable[[Outside], Outside] = lambda it: it) -> None:
    """Entry point. `prepare` may replace parts of what the engine has around it."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] and words[0] in OFFLINE:
        sys.exit(_offline(words[0], words[1:]))
    flags = parser().parse_args(words)
    logs.configure(form=flags.log_format, level=flags.log_level)
    os.environ.setdefault("USER", "slurmjob-operator")  # Kopf asks getpass, which fails for a uid without a name
    try:
        asyncio.run(_run(flags, prepare))
    except KeyboardInterrupt:
        sys.exit(130)


def _offline(command: str, words: Sequence[str]) -> int:
    """The exit code. Imported here: Kopf and the clients take seconds to load, and a pre-commit hook needs none."""
    from slurmjob_operator.edge import check, manifest, render

    commands = {"manifest": manifest.main, "render": render.main, "check": check.main}
    try:
        return commands[command](words)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains at its end
        return 0


async def _run(flags: argparse.Namespace, prepare: Callable[[Outside], Outside]) -> None:
    from slurmjob_operator.edge import running

    await running.run(flags, prepare)


if __name__ == "__main__":
    main()
