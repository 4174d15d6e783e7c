"""The port on a real slurmrestd, for the API family v0.0.40 to v0.0.45."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from slurmjob_operator.core.identity import SLURMDBD_NAME_BYTES, same_name
from slurmjob_operator.core.records import Accepted, ClusterInfo, JobRecord, Source
from slurmjob_operator.slurm.classify import Operation, classify
from slurmjob_operator.slurm.dialects import family_v0040 as family
from slurmjob_operator.slurm.dialects import reading
from slurmjob_operator.slurm.errors import (
    AccountingUnavailable,
    JobNotFound,
    NotSupported,
    OutcomeUnknown,
    RateLimited,
    SlurmError,
    Unavailable,
)
from slurmjob_operator.slurm.http import Query, Reply, SlurmrestdServer
from slurmjob_operator.slurm.request import JobRequest
from slurmjob_operator.slurm.token import SlurmToken

FIRST_CHUNK: Final = 500
LARGEST_CHUNK: Final = 3500
"""As many ids of ten digits as fit into the 65,536 characters that httpx sends."""
SMALLEST_CHUNK: Final = 1
BACKLOG_READS: Final = 15
BACKLOG_SECONDS: Final = 0.2
LONGEST_LISTING: Final = 3000
"""Jobs of a whole list: about 25 MB and 3 s of slurmrestd (measured: 8.2 kB and 0.6 ms a job)."""
TOO_LONG: Final = frozenset({400, 413, 414, 431})
AUTO: Final = "Auto"


class SlurmrestdClient:
    """One user on one slurmrestd. `api_version` is a version, or Auto."""

    def __init__(
        self, server: SlurmrestdServer, token: SlurmToken, *, api_version: str = AUTO, timeout_seconds: float = 30.0
    ) -> None:
        self._server = server
        self._token = token
        self._wanted = api_version
        self._version: str | None = None if api_version == AUTO else api_version
        self._timeout = timeout_seconds
        self._chunk = FIRST_CHUNK
        self._accounting = True

    @property
    def user(self) -> str:
        """See `SlurmPort`."""
        return self._token.user

    # --- Discovery ----------------------------------------------------------------------------------------

    async def info(self) -> ClusterInfo:
        """See `SlurmPort`. `diag` is readable by ordinary users and needs a good token; `ping` does not (J3)."""
        candidates = family.VERSIONS if self._wanted == AUTO else (self._wanted,)
        for version in candidates:
            reply = await self._send("GET", f"/slurm/{version}/diag", operation=Operation.READ)
            if reply.status == 404 and reply.body is None:
                continue
            body = self._checked(reply, Operation.READ)
            self._version = version
            self._accounting = await self._has_accounting(version)
            return _cluster_info(body, version, accounting=self._accounting)
        known = f"{family.VERSIONS[-1]} to {family.VERSIONS[0]}" if self._wanted == AUTO else self._wanted
        raise NotSupported(f"this slurmrestd serves none of the API versions asked for ({known})")

    async def _has_accounting(self, version: str) -> bool:
        """Where Slurm has no slurmdbd, slurmrestd serves no path below /slurmdb: 404 without JSON (measured on 26.05).
        One that does not answer now answers with an error, so it is there."""
        reply = await self._send("GET", f"/slurmdb/{version}/job/1", operation=Operation.READ)
        return not (reply.status == 404 and reply.body is None)

    @property
    def _slurm(self) -> str:
        return f"/slurm/{self._require_version()}"

    @property
    def _slurmdb(self) -> str:
        return f"/slurmdb/{self._require_version()}"

    def _require_version(self) -> str:
        if self._version is None:
            raise Unavailable("the API version is not discovered yet")
        return self._version

    # --- Changing -----------------------------------------------------------------------------------------

    async def submit_held(self, request: JobRequest, *, comment: str, extra: str | None = None) -> Accepted:
        """See `SlurmPort`. A job id counts whatever else the answer says (TRAPS S1, S2, S3)."""
        reply = await self._send(
            "POST",
            f"{self._slurm}/job/submit",
            operation=Operation.SUBMIT,
            body=family.encode(request, comment=comment, extra=extra, version=self._require_version()),
        )
        body = reply.body or {}
        job_id = reading.number(body.get("job_id")) or reading.number(reading.mapping(body.get("result")).get("job_id"))
        if job_id is not None and job_id > 0:
            return Accepted(job_id=job_id, messages=_messages(body))
        error = _first_error(body)
        if error is None and 200 <= reply.status < 300:
            raise _not_submitted(reply, body)
        raise self._error(reply, Operation.SUBMIT)

    async def release(self, job_id: int, *, comment: str, keep_held: bool = False) -> None:
        """See `SlurmPort`. The answer is not believed: read back (TRAP H3)."""
        reply = await self._send(
            "POST",
            f"{self._slurm}/job/{_checked_id(job_id)}",
            operation=Operation.UPDATE,
            body={"comment": comment} if keep_held else {"hold": False, "comment": comment},
        )
        self._checked(reply, Operation.UPDATE)

    async def cancel(self, job_id: int) -> None:
        """See `SlurmPort`. Never with a signal: an unknown one kills (measured). 2021 is "already ended"."""
        reply = await self._send("DELETE", f"{self._slurm}/job/{_checked_id(job_id)}", operation=Operation.CANCEL)
        body = reply.body or {}
        codes = {reading.number(reading.mapping(row.get("error")).get("code")) for row in _rows(body, "status")}
        codes |= {reading.number(row.get("error_number")) for row in _rows(body, "errors")}
        bad = codes - {None, 0, 2017, 2021}
        if not bad and reply.body is not None and (200 <= reply.status < 300 or codes & {2017, 2021}):
            return
        code = next(iter(sorted(code for code in bad if code is not None)), None)
        raise classify(
            operation=Operation.CANCEL,
            code=code,
            status=reply.status,
            message=_explain(reply, "cancelling failed"),
            answered_by_slurm=reply.body is not None,
        )

    # --- Reading ------------------------------------------------------------------------------------------

    async def job(self, job_id: int) -> JobRecord:
        """See `SlurmPort`."""
        reply = await self._send("GET", f"{self._slurm}/job/{_checked_id(job_id)}", operation=Operation.READ)
        body = self._checked(reply, Operation.READ)
        for raw in _rows(body, "jobs"):
            record = family.controller_record(raw)
            if record.job_id == job_id:
                return record
        raise JobNotFound(f"slurmctld's answer does not hold job {job_id}", status=reply.status)

    async def states(self, job_ids: Sequence[int]) -> Mapping[int, frozenset[str]]:
        """See `SlurmPort`. Chunks are halved when an address is too long for whoever stands between us."""
        found: dict[int, frozenset[str]] = {}
        ids = list(job_ids)
        while ids:
            chunk, rest = ids[: self._chunk], ids[self._chunk :]
            query = [("job_id", str(_checked_id(job_id))) for job_id in chunk]
            reply = await self._send("GET", f"{self._slurm}/jobs/state", operation=Operation.READ, query=query)
            if reply.status in TOO_LONG and len(chunk) > SMALLEST_CHUNK:
                self._chunk = max(SMALLEST_CHUNK, len(chunk) // 2)
                continue
            body = self._checked(reply, Operation.READ)
            for row in _rows(body, "jobs"):
                job_id = reading.number(row.get("job_id"))
                if job_id is not None:
                    found[job_id] = reading.words(row.get("state"))
            if len(chunk) == self._chunk:
                self._chunk = min(LARGEST_CHUNK, self._chunk + self._chunk // 4 + 1)
            ids = rest
        return found

    async def accounting(self, job_id: int) -> tuple[JobRecord, ...]:
        """See `SlurmPort`."""
        if not self._accounting:
            return ()
        body = await self._ask_slurmdbd(f"job/{_checked_id(job_id)}")
        records = [family.accounting_record(raw) for raw in _rows(body, "jobs")]
        return tuple(sorted((r for r in records if r.job_id == job_id), key=lambda r: r.submit_time or 0))

    async def search(self, *, name: str, since: int) -> tuple[JobRecord, ...]:
        """See `SlurmPort`."""
        if not self._accounting:
            return tuple(r for r in await self._listing(since) if same_name(r.name, name))
        found = await self._submitted_since(since, name=name)
        return tuple([await self._job_or(record) for record in found if same_name(record.name, name)])

    async def held_jobs(self, *, since: int, known: Collection[int]) -> tuple[JobRecord, ...]:
        """See `SlurmPort`."""
        if self._accounting:
            open_ones = [r for r in await self._submitted_since(since) if "PENDING" in r.states]
            jobs = [await self._job_or(record) for record in open_ones if record.job_id not in known]
        else:
            jobs = [record for record in await self._listing(since) if record.job_id not in known]
        return tuple(record for record in jobs if record.source is Source.CONTROLLER and record.waits_held)

    async def _submitted_since(self, since: int, *, name: str | None = None) -> list[JobRecord]:
        """slurmdbd's newest record of each job of our user, once slurmdbd has heard all that slurmctld knows."""
        await self._wait_until_slurmdbd_has_heard_all()
        query = [("users", self.user), ("submit_time", str(since)), ("skip_steps", "true")]
        if name is not None and _can_be_asked_for(name):
            query.append(("job_name", name))
        body = await self._ask_slurmdbd("jobs", query=query)
        found = [family.accounting_record(raw) for raw in _rows(body, "jobs")]
        newest = {r.job_id: r for r in sorted(found, key=lambda r: r.submit_time or 0) if r.user == self.user}
        # slurmdbd does not always keep to its filters: a time in the future is none (measured on 26.05)
        return [record for record in newest.values() if (record.submit_time or since) >= since]

    async def _wait_until_slurmdbd_has_heard_all(self) -> None:
        """Messages on their way take an instant; after an outage of slurmdbd the caller comes again."""
        for _ in range(BACKLOG_READS):
            backlog = await self.accounting_backlog()
            if not backlog:
                return
            await asyncio.sleep(BACKLOG_SECONDS)
        raise AccountingUnavailable("slurmdbd has not yet heard all that slurmctld knows")

    async def _listing(self, since: int) -> list[JobRecord]:
        """slurmctld's whole list, for a Slurm without slurmdbd: never a long one, never two at once (TRAP P1)."""
        async with self._server.listing:
            reply = await self._send("GET", f"{self._slurm}/jobs/state", operation=Operation.READ)
            count = len(_rows(self._checked(reply, Operation.READ), "jobs"))
            if count > LONGEST_LISTING:
                raise Unavailable(
                    f"without slurmdbd only a list of {LONGEST_LISTING} jobs is searched; there are {count}"
                )
            reply = await self._send("GET", f"{self._slurm}/jobs", operation=Operation.READ)
        records = [family.controller_record(raw) for raw in _rows(self._checked(reply, Operation.READ), "jobs")]
        return [r for r in records if r.user == self.user and (r.submit_time or since) >= since]

    async def _ask_slurmdbd(self, path: str, *, query: Query = ()) -> Mapping[str, Any]:
        reply = await self._send("GET", f"{self._slurmdb}/{path}", operation=Operation.READ, query=query)
        try:
            return self._checked(reply, Operation.READ)
        except Unavailable as error:
            raise AccountingUnavailable(f"slurmdbd: {error}", code=error.code, status=error.status) from None

    async def _job_or(self, known: JobRecord) -> JobRecord:
        """slurmctld's record, that has the comment; slurmdbd's where slurmctld has forgotten the job."""
        try:
            return await self.job(known.job_id)
        except JobNotFound:
            return known

    async def accounting_backlog(self) -> int | None:
        """See `SlurmPort`."""
        reply = await self._send("GET", f"{self._slurm}/diag", operation=Operation.READ)
        body = self._checked(reply, Operation.READ)
        return reading.number(reading.mapping(body.get("statistics")).get("dbd_agent_queue_size"))

    # --- Answers ------------------------------------------------------------------------------------------

    async def _send(
        self,
        method: str,
        path: str,
        *,
        operation: Operation,
        query: Query = (),
        body: Mapping[str, Any] | None = None,
    ) -> Reply:
        return await self._server.request(
            method,
            path,
            token=self._token,
            timeout_seconds=self._timeout,
            changes=operation.changes,
            query=query,
            body=body,
        )

    def _checked(self, reply: Reply, operation: Operation) -> Mapping[str, Any]:
        body = reply.body
        if body is not None and 200 <= reply.status < 300 and _first_error(body) is None:
            return body
        raise self._error(reply, operation)

    def _error(self, reply: Reply, operation: Operation) -> SlurmError:
        body = reply.body or {}
        first = _first_error(body)
        code = None if first is None else reading.number(first.get("error_number"))
        error = classify(
            operation=operation,
            code=code,
            status=reply.status,
            message=_explain(reply, f"HTTP status {reply.status}"),
            answered_by_slurm=reply.body is not None,
        )
        if isinstance(error, RateLimited):
            error.retry_after_seconds = None
        return error


def _checked_id(job_id: int) -> int:
    """Only a positive number ever gets into a path: an empty id would cancel by filter."""
    if isinstance(job_id, bool) or not isinstance(job_id, int) or job_id <= 0:
        raise ValueError("a job id is a positive number")
    return job_id


def _can_be_asked_for(name: str) -> bool:
    """Whether slurmdbd's filter finds this name: it takes a list separated by commas, and keeps some names in
    another form (see `same_name`). Other names are compared here."""
    return "," not in name and '"' not in name and len(name.encode()) < SLURMDBD_NAME_BYTES


def _rows(body: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    return reading.objects(body.get(key))


def _first_error(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    errors = _rows(body, "errors")
    return errors[0] if errors else None


def _explain(reply: Reply, fallback: str) -> str:
    """Slurm's own words and number."""
    first = _first_error(reply.body or {})
    if first is None:
        return f"{fallback}: {reply.text}" if reply.text else fallback
    words = reading.text(first.get("description")) or reading.text(first.get("error")) or fallback
    error = reading.text(first.get("error"))
    if error and error not in words:
        words = f"{words} ({error})"
    code = reading.number(first.get("error_number"))
    return words if code is None else f"{words} [Slurm error {code}]"


def _messages(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Warnings, errors beside a job id, and the site's own words; not the notice that the job is held."""
    rows = [*_rows(body, "warnings"), *_rows(body, "errors")]
    texts = [reading.text(row.get("description")) or reading.text(row.get("error")) for row in rows]
    texts.append(reading.text(body.get("job_submit_user_msg")))
    return tuple(text for text in texts if text and "held state" not in text)


def _not_submitted(reply: Reply, body: Mapping[str, Any]) -> SlurmError:
    """200 without a job id and without errors: nothing was submitted, and a warning says why (TRAP S2)."""
    warnings = "; ".join(_messages(body))
    if not warnings:
        return OutcomeUnknown("slurmrestd answered without a job id", status=reply.status)
    return classify(
        operation=Operation.SUBMIT, code=2000, status=reply.status, message=f"nothing was submitted: {warnings}"
    )


def _cluster_info(body: Mapping[str, Any], version: str, *, accounting: bool) -> ClusterInfo:
    slurm = reading.mapping(reading.mapping(body.get("meta")).get("slurm"))
    return ClusterInfo(
        cluster_name=reading.text(slurm.get("cluster")) or "unknown",
        release=reading.text(slurm.get("release")) or "unknown",
        api_version=version,
        accounting=accounting,
    )
