"""One pool of sockets per slurmrestd server, shared by all connections that name it."""

from __future__ import annotations

from slurmjob_operator.api.connection import SlurmConnectionSpec
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.http import SlurmrestdServer, check_url
from slurmjob_operator.slurm.port import SlurmPort
from slurmjob_operator.slurm.token import SlurmToken


class Servers:
    """Keyed by address; a server is made when the first connection needs it."""

    def __init__(self, *, allow_plain_http: bool) -> None:
        self._allow_plain_http = allow_plain_http
        self._servers: dict[str, SlurmrestdServer] = {}

    def open(self, spec: SlurmConnectionSpec, token: SlurmToken) -> SlurmPort:
        """See `SlurmPorts`."""
        url = check_url(spec.servers[0].url, allow_plain_http=self._allow_plain_http)
        server = self._servers.get(url)
        if server is None:
            server = self._servers[url] = SlurmrestdServer(url, allow_plain_http=self._allow_plain_http)
        return SlurmrestdClient(
            server, token, api_version=spec.api_version, timeout_seconds=float(spec.request_timeout_seconds)
        )

    async def close(self) -> None:
        """See `SlurmPorts`."""
        for server in self._servers.values():
            await server.close()
