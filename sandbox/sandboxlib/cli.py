"""The command line of the sandbox."""

from __future__ import annotations

import argparse
import fcntl
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial

from sandboxlib import control_plane, memory, operator_process, slurm_cluster, slurm_upgrade
from sandboxlib.daemons import Daemon, SandboxError, kill, pause, resume, start, state_of, stop, tail
from sandboxlib.paths import Paths, default_paths
from sandboxlib.progress import say
from sandboxlib.side_by_side import side_by_side

EXAMPLES = """\
five lines to play with:
  sandbox/sandbox up
  eval "$(sandbox/sandbox env)"
  sandbox/sandbox operator start
  sandbox/sandbox connection forky --user alice --namespace default | kubectl apply -f -
  sandbox/sandbox exec forky -- squeue
"""

ONE_DAEMON = {
    "start": "start one daemon, or let it go on",
    "stop": "stop one daemon",
    "kill": "end one daemon with SIGKILL",
    "pause": "hold one daemon: it lives and does not answer",
    "resume": "let a paused daemon go on",
}


def parser() -> argparse.ArgumentParser:
    """All commands."""
    top = argparse.ArgumentParser(
        prog="sandbox",
        description="Real Kubernetes and real Slurm on this machine, without containers.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    suites = slurm_cluster.SUITES
    up = commands.add_parser("up", help="bring it up (all of it, or what is named)")
    up.add_argument("--slurm", action="append", choices=suites, help="a Slurm cluster; can be repeated")
    up.add_argument("--kube", action="store_true", help="the Kubernetes control plane")
    down = commands.add_parser("down", help="stop everything")
    down.add_argument("--purge", action="store_true", help="forget its state too")
    upgrade = commands.add_parser("upgrade", help="go over to a newer Slurm, over the same state and under living jobs")
    upgrade.add_argument("suite", choices=suites)
    upgrade.add_argument("--to", choices=suites, required=True, help="the suite whose Slurm it is")
    commands.add_parser("status", help="what runs, which versions, where")
    commands.add_parser("env", help='for eval "$(…)": KUBECONFIG, PATH, addresses')
    run = commands.add_parser("exec", help="run a command inside a Slurm cluster: exec SUITE -- CMD …")
    run.add_argument("suite", choices=suites)
    run.add_argument("--user", default="root")
    token = commands.add_parser("token", help="print a Slurm JWT")
    token.add_argument("suite", choices=suites)
    token.add_argument("--user", required=True)
    token.add_argument("--lifespan", type=int, default=3600, help="seconds (default 3600)")
    logs = commands.add_parser("logs", help="the last lines of a log")
    logs.add_argument("name")
    logs.add_argument("-n", type=int, default=40)
    for verb, words in ONE_DAEMON.items():
        commands.add_parser(verb, help=words).add_argument("name")
    operator = commands.add_parser("operator", help="the operator as a process; what follows -- are flags for it")
    operator.add_argument("verb", choices=(*ONE_DAEMON, "logs"))
    connection = commands.add_parser("connection", help="print Secret and SlurmConnection for kubectl apply -f -")
    connection.add_argument("suite", choices=suites)
    connection.add_argument("--user", required=True)
    connection.add_argument("--namespace", required=True)
    connection.add_argument("--name", default="campus")
    connection.add_argument("--lifespan", type=int, default=86400, help="of the token, in seconds (default 86400)")
    return top


def split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Our own arguments, and what follows the first `--`."""
    if "--" not in arguments:
        return arguments, []
    where = arguments.index("--")
    return arguments[:where], arguments[where + 1 :]


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; 1 and one clear message when something failed."""
    own, rest = split(list(sys.argv[1:] if arguments is None else arguments))
    flags = parser().parse_args(own)
    flags.rest = rest
    try:
        paths = default_paths()
        paths.make()
        return COMMANDS[flags.command](paths, flags)
    except SandboxError as error:
        say(f"sandbox: {error}")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has seen enough
        return 0
    except OSError as error:
        say(f"sandbox: {error.strerror}: {error.filename}" if error.filename else f"sandbox: {error}")
    except ValueError as error:
        say(f"sandbox: {error}")
    return 1


def _up(paths: Paths, flags: argparse.Namespace) -> int:
    everything = not flags.slurm and not flags.kube
    with (paths.run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        began = time.monotonic()
        parts = [partial(control_plane.up, paths)] if flags.kube or everything else []
        for suite in slurm_cluster.SUITES if everything else dict.fromkeys(flags.slurm or ()):
            parts.append(partial(slurm_cluster.up, paths, suite))
        side_by_side(parts)
        say(f"up after {time.monotonic() - began:.1f} s")
    return 0


def _down(paths: Paths, flags: argparse.Namespace) -> int:
    began = time.monotonic()
    with (paths.run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stop([operator_process.daemon(paths)])
        slurms = [partial(slurm_cluster.down, paths, suite) for suite in slurm_cluster.SUITES]
        side_by_side([*slurms, partial(control_plane.down, paths)])
    if flags.purge:
        shutil.rmtree(paths.state, ignore_errors=True)
    say(f"down after {time.monotonic() - began:.1f} s")
    return 0


def _upgrade(paths: Paths, flags: argparse.Namespace) -> int:
    with (paths.run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        seconds = slurm_upgrade.upgrade(paths, flags.suite, to=flags.to)
    say(f"upgraded after {seconds:.1f} s")
    return 0


def _status(paths: Paths, _flags: argparse.Namespace) -> int:
    print("\n".join(control_plane.status(paths)))
    operator = operator_process.daemon(paths)
    print(f"{operator.name}: {state_of(operator)}")
    for suite in slurm_cluster.SUITES:
        print("\n".join(slurm_cluster.status(paths, suite)))
    print(f"memory of all daemons: {memory.used_by(_daemons(paths)) / 1e6:.0f} MB (PSS)")
    return 0


def _env(paths: Paths, _flags: argparse.Namespace) -> int:
    print(f"export KUBECONFIG={shlex.quote(str(control_plane.admin_kubeconfig(paths)))}")
    print(f"export PATH={shlex.quote(str(control_plane.folder(paths) / 'bin'))}:$PATH")
    print(f"export OPERATOR_URL={shlex.quote(operator_process.url(paths))}")
    for suite in slurm_cluster.SUITES:
        print(f"export SLURMRESTD_{suite.upper()}={shlex.quote(slurm_cluster.rest_url(paths, suite))}")
    return 0


def _exec(paths: Paths, flags: argparse.Namespace) -> int:
    if not flags.rest:
        raise SandboxError("exec needs a command: sandbox exec forky -- squeue")
    return subprocess.call(slurm_cluster.exec_argv(paths, flags.suite, flags.rest, flags.user))


def _token(paths: Paths, flags: argparse.Namespace) -> int:
    print(slurm_cluster.token(paths, flags.suite, user=flags.user, lifespan=flags.lifespan))
    return 0


def _logs(paths: Paths, flags: argparse.Namespace) -> int:
    print(tail(paths.logs / f"{flags.name}.log", flags.n))
    return 0


def _daemons(paths: Paths) -> list[Daemon]:
    """All but the operator, which is not a part of the sandbox."""
    slurms = (slurm_cluster.daemons(paths, suite) for suite in slurm_cluster.SUITES)
    return [*control_plane.daemons(paths), *(daemon for slurm in slurms for daemon in slurm)]


def _daemon(paths: Paths, name: str) -> Daemon:
    operator, known = operator_process.daemon(paths), _daemons(paths)
    for daemon in (operator, *known):
        if daemon.name == name:
            return daemon
    raise SandboxError(f"no daemon {name}; there are: {', '.join(daemon.name for daemon in known) or 'none yet'}")


def _one(paths: Paths, flags: argparse.Namespace) -> int:
    _act(paths, _daemon(paths, flags.name), flags.command)
    return 0


def _act(paths: Paths, daemon: Daemon, verb: str, rest: Sequence[str] = ()) -> None:
    """One of `ONE_DAEMON`; the operator is given its rights before it is started."""
    if verb == "start" and daemon.name == "operator":
        operator_process.start_operator(paths, rest)
    elif verb == "stop":
        stop([daemon])
    else:
        {"start": start, "kill": kill, "pause": pause, "resume": resume}[verb](daemon)


def _operator(paths: Paths, flags: argparse.Namespace) -> int:
    daemon = operator_process.daemon(paths)
    if flags.verb == "logs":
        print(tail(daemon.log, 100))
    else:
        _act(paths, daemon, flags.verb, flags.rest)
    return 0


def _connection(paths: Paths, flags: argparse.Namespace) -> int:
    token = slurm_cluster.token(paths, flags.suite, user=flags.user, lifespan=flags.lifespan)
    url = slurm_cluster.rest_url(paths, flags.suite)
    sys.stdout.write(operator_process.connection(namespace=flags.namespace, name=flags.name, url=url, token=token))
    return 0


COMMANDS: dict[str, Callable[[Paths, argparse.Namespace], int]] = {
    "up": _up,
    "down": _down,
    "upgrade": _upgrade,
    "status": _status,
    "env": _env,
    "exec": _exec,
    "token": _token,
    "logs": _logs,
    **dict.fromkeys(ONE_DAEMON, _one),
    "operator": _operator,
    "connection": _connection,
}
