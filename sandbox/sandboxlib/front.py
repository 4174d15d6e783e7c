"""What operations put before a slurmrestd: a reverse proxy with TLS (haproxy), with what such proxies ask and refuse.

Its pages are HTML, as haproxy's own are: who takes one for Slurm's word draws wrong conclusions.
"""

from __future__ import annotations

import os
import re
import signal
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandboxlib import certificates, haproxy
from sandboxlib.certificates import Leaf
from sandboxlib.daemons import Daemon, SandboxError, running_pid, start, stop
from sandboxlib.paths import Paths, renew
from sandboxlib.ports import listens

RELOAD_SECONDS = 10.0
LONGEST_URL = 15_000
"""About where haproxy itself answers 400: its buffer has 16 KiB."""

_PREFIX = re.compile(r"(/[A-Za-z0-9_-]+)*")
_WORD = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """One proxy. `name` is that of its folder and its log; `port` and `server_port` are its own and slurmrestd's, both
    on 127.0.0.1, which is also the only name in its certificate.

    `prefix` stands before slurmrestd's own paths and is taken away; any other path is answered with 404. `header` is
    one that each request must have (401). `client_certificate`: whether one of `ca.crt` must be shown. `longest_url`
    is in bytes (414), `largest_body` too (413). `server_seconds`: how long slurmrestd may take (504). Below `/says-N/`
    each of `pages` is answered, whatever is asked.
    """

    name: str
    port: int
    server_port: int
    prefix: str = ""
    header: tuple[str, str] | None = None
    client_certificate: bool = False
    longest_url: int | None = None
    largest_body: int | None = None
    server_seconds: float = 60.0
    pages: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        words = [self.name, *(self.header or ())]
        if not _PREFIX.fullmatch(self.prefix) or not all(_WORD.fullmatch(word) for word in words):
            raise ValueError("name and header of a front are of letters, digits, - and _, its prefix of such parts")

    @property
    def url(self) -> str:
        """For a connection's `servers`."""
        return f"{self.origin}{self.prefix}"

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"https://127.0.0.1:{self.port}"


def folder(paths: Paths, front: Front) -> Path:
    """Configuration and certificates: `ca.crt`, `server.crt`, and `client.crt` and `client.key` for a client."""
    return paths.state / "fronts" / front.name


def configuration(front: Front, *, files: Path) -> str:
    """haproxy's. The log has a line for each request, with how many tokens came with it, and one for each TLS handshake
    that failed."""
    rules = "\n".join(f"  http-request {rule}" for rule in _rules(front))
    verify = f" ca-file {files}/ca.crt verify required" if front.client_certificate else ""
    return f"""\
global
  log stdout format raw local0
defaults
  mode http
  log global
  retries 0
  timeout connect 2s
  timeout client 60s
  timeout server {round(front.server_seconds * 1000)}ms
frontend front
  bind 127.0.0.1:{front.port} ssl crt {files}/server.pem{verify}
  log-format "%ST %ts %HM %HPO tokens=%[var(txn.tokens)]"
  http-request set-var(txn.tokens) req.hdr_cnt(X-SLURM-USER-TOKEN)
{rules}
  default_backend slurmrestd
backend slurmrestd
  server slurmrestd 127.0.0.1:{front.server_port}
"""


def _rules(front: Front) -> Iterator[str]:
    """In the order in which a proxy would ask: who are you, is it too much, is it here."""
    if front.header is not None:
        name, value = front.header
        yield _page(401, f"!{{ req.hdr({name}) -m str {value} }}")
    if front.longest_url is not None:
        yield _page(414, f"{{ url_len gt {front.longest_url} }}")
    if front.largest_body is not None:
        yield _page(413, f"{{ req.body_size gt {front.largest_body} }}")
    for status in front.pages:
        yield _page(status, f"{{ path_beg /says-{status}/ }}")
    if front.prefix:
        yield _page(404, f"!{{ path_beg {front.prefix}/ }}")
        yield rf"replace-path {front.prefix}(/.*) \1"


def _page(status: int, condition: str) -> str:
    text = f"<html><body><h1>{status}</h1>The front says so.</body></html>"
    return f'return status {status} content-type text/html string "{text}" if {condition}'


def daemon(paths: Paths, front: Front) -> Daemon:
    """What `start`, `stop` and the others of `daemons` take. Makes its files and fetches haproxy when they are not
    there."""
    files, program = _prepare(paths, front), haproxy.find(paths)
    return Daemon(
        name=f"front-{front.name}",
        argv=(str(program.path), "-W", "-db", "-f", str(files / "haproxy.cfg")),
        log=paths.logs / f"front-{front.name}.log",
        pid_file=paths.run / f"front-{front.name}.pid",
        env=program.env,
        ready=lambda: listens(front.port),
    )


@contextmanager
def running(paths: Paths, front: Front) -> Iterator[Daemon]:
    """It runs until the end of the block."""
    made = daemon(paths, front)
    try:
        start(made)
        yield made
    finally:
        stop([made])


def _prepare(paths: Paths, front: Front) -> Path:
    files, log = folder(paths, front), paths.logs / f"front-{front.name}-certificates.log"
    certificates.make_ca(files, log)
    certificates.make_leaf(files, Leaf(name="server", common_name="front", alt_names=("IP:127.0.0.1",)), log)
    certificates.make_leaf(files, Leaf(name="client", common_name="client"), log)
    _join(files)
    renew(files / "haproxy.cfg", configuration(front, files=files), mode=0o600)
    return files


def _join(files: Path) -> None:
    """haproxy wants certificate and key in one file."""
    text = (files / "server.crt").read_text() + (files / "server.key").read_text()
    renew(files / "server.pem", text, mode=0o600)


def renew_certificate(paths: Paths, front: Front) -> None:
    """Another key and certificate of the same CA, as certbot would bring them; nothing is restarted, and who is
    connected stays so until its request is answered. Raises `SandboxError` when the proxy does not show it soon."""
    files, made = folder(paths, front), daemon(paths, front)
    (files / "server.crt").unlink()
    _prepare(paths, front)
    master = running_pid(made.pid_file)
    if master is None:
        raise SandboxError(f"{made.name} does not run")
    os.kill(master, signal.SIGUSR2)
    deadline = time.monotonic() + RELOAD_SECONDS
    while shown(front) != (files / "server.crt").read_text():
        if time.monotonic() > deadline:
            raise SandboxError(f"{made.name} still shows its old certificate")
        time.sleep(0.05)


def shown(front: Front) -> str:
    """The certificate that it shows now, as PEM; empty, when it does not answer."""
    try:
        return ssl.get_server_certificate(("127.0.0.1", front.port), timeout=2.0)
    except OSError:
        return ""


def requests(made: Daemon) -> list[str]:
    """What came so far, by its log: `STATUS STATE METHOD PATH tokens=N` for each request that was read."""
    return [line for line in made.log.read_text().splitlines() if " tokens=" in line]
