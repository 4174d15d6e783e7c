"""One user's requests to one slurmrestd: sent, and answers that are no success turned into the errors of `errors`."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Hashable, Mapping
from functools import partial
from typing import Any, Final

from slurmjob_operator.slurm.budget import RetryBudget
from slurmjob_operator.slurm.classify import HUNG_UP, NOT_SERVED, Operation, classify
from slurmjob_operator.slurm.dialects import reading
from slurmjob_operator.slurm.dialects.dialect import Dialect
from slurmjob_operator.slurm.error_numbers import TABLE
from slurmjob_operator.slurm.error_numbers.group import Meaning
from slurmjob_operator.slurm.errors import (
    AccountingUnavailable,
    ConnectionLost,
    CredentialsRejected,
    OutcomeUnknown,
    Refused,
    SlurmError,
    Unavailable,
)
from slurmjob_operator.slurm.http import Query, Reply, SlurmrestdServer, no_slurm_answers
from slurmjob_operator.slurm.token import SlurmToken

RETRY_SECONDS: Final = 0.5
"""At most so long before a request is sent again."""

UNSPECIFIED: Final = -1
"""Of a job that is read: slurmctld is silent. Of nodes that are read (22.05): they are not shown to this user. Of one
that is submitted or updated: slurmctld's own word, `slurm.ERROR` of a job_submit plug-in; one that is away, hangs or
dies gives 1800, 1000, 104, 5004 (measured on all three)."""

BY_THE_SITE: Final = (
    "slurmctld refuses it without a reason, as a job_submit plug-in of the site does; the site knows why, and its "
    "words to the user do not come with a refusal"
)
MOST_MESSAGES: Final = 16
NOT_EVERYWHERE: Final = frozenset({"jobs/state"})
"""Paths that a slurmrestd may not serve although it serves the API version."""
NOT_TO_EVERYBODY: Final = frozenset({"nodes", "partitions"})
"""Paths that slurmctld may not show to this user, who has not gone wrong then."""
NOTHING_FOUND: Final = 9003
"""What slurmdbd's plug-in of 22.05 says instead of an empty list, with 200 or 500; a slurmdbd that is away says another
one (measured)."""


class Caller:
    """`dialect` is None until the API version is known.

    `release` is the one that was found out, None before that. `outdated` is whether an answer since then came from
    another release or cluster, or from a slurmrestd that does not serve this API version (404 without JSON).
    `cluster` is the name that was found out, None before that and where answers do not name it; what another one says
    is no answer.
    """

    def __init__(
        self, server: SlurmrestdServer, token: SlurmToken, *, timeout_seconds: float, period_seconds: float = 10.0
    ) -> None:
        self.server = server
        self.token = token
        self.dialect: Dialect | None = None
        self.release: str | None = None
        self.cluster: str | None = None
        self.outdated = False
        self.timeout_seconds = timeout_seconds
        self.period_seconds = period_seconds
        self.retries = RetryBudget()

    def speaking(self, dialect: Dialect) -> Caller:
        """The same user on the same server, in another dialect."""
        other = Caller(
            self.server, self.token, timeout_seconds=self.timeout_seconds, period_seconds=self.period_seconds
        )
        other.dialect, other.retries = dialect, self.retries
        return other

    def in_haste(self, seconds: float) -> Caller:
        """The same, with less time for each answer."""
        other = self.speaking(self.known())
        other.timeout_seconds = min(seconds, self.timeout_seconds)
        return other

    @property
    def viewer(self) -> Hashable:
        """Who looks at what; others for whom this is the same see the same."""
        return self.server.way, self.token.user, self.dialect and self.dialect.version

    def known(self) -> Dialect:
        """The dialect; raises `Unavailable` before it is known."""
        if self.dialect is None:
            raise Unavailable("the API version is not discovered yet")
        return self.dialect

    async def send(
        self,
        method: str,
        path: str,
        *,
        operation: Operation,
        query: Query = (),
        body: Mapping[str, Any] | None = None,
        plugin: str = "slurm",
    ) -> Reply:
        """One request to a path below this API version of slurmctld's plug-in, e.g. `job/7`, or of slurmdbd's. One that
        changes nothing is sent a second time at once where the connection was lost, as after a restart of slurmrestd.
        """
        if self.server.shared.has_refused(self.token, seconds=self.period_seconds):
            raise CredentialsRejected("this server has refused the token a moment ago; it is not shown to it again yet")
        attempt = partial(self._send, method, path, operation=operation, query=query, body=body, plugin=plugin)
        self.retries.earn()
        try:
            return await attempt()
        except ConnectionLost:
            if operation.changes or not self.retries.spend():
                raise
            await asyncio.sleep(RETRY_SECONDS * random.random())  # noqa: S311 - jitter
            return await attempt()

    async def _send(
        self,
        method: str,
        path: str,
        *,
        operation: Operation,
        query: Query,
        body: Mapping[str, Any] | None,
        plugin: str,
    ) -> Reply:
        reply = await self.server.request(
            method,
            f"/{plugin}/{self.known().version}/{path}",
            token=self.token,
            timeout_seconds=self.timeout_seconds,
            changes=operation.changes,
            query=query,
            body=body,
            tells_of_outage=partial(_tells_of_outage, operation, path) if plugin == "slurm" else no_slurm_answers,
        )
        if path not in NOT_EVERYWHERE:
            self._notice(reply)
        self._refuse_strangers(reply, changes=operation.changes)
        return reply

    async def read(self, path: str, *, query: Query = ()) -> Mapping[str, Any]:
        """What slurmctld says; raises when it says an error."""
        reply = await self.send("GET", path, operation=Operation.READ, query=query)
        try:
            return checked(reply, Operation.READ)
        except (CredentialsRejected, Unavailable) as error:
            told = _silence(error) if self.known().tells_bad_tokens else await self._seen_by_slurmdbd(error)
            if isinstance(told, CredentialsRejected):
                self.server.shared.refuse(self.token)
            raise told from None

    async def _seen_by_slurmdbd(self, error: SlurmError) -> SlurmError:
        """On 22.05 slurmctld's refusal of a token looks like its silence (TRAP J1); slurmdbd says which it is."""
        message, code, status = str(error), error.code, error.status
        try:
            await self.ask_slurmdbd("job/1")
        except CredentialsRejected as rejected:
            return rejected
        except SlurmError:
            return error
        return Unavailable(message, code=code, status=status)

    async def ask_slurmdbd_anything(self, path: str, *, query: Query = ()) -> Reply:
        """slurmdbd's plug-in's answer, whatever it is."""
        return await self.send("GET", path, operation=Operation.READ, query=query, plugin="slurmdb")

    async def ask_slurmdbd(self, path: str, *, query: Query = ()) -> Mapping[str, Any]:
        """What slurmdbd says; raises `AccountingUnavailable` when slurmrestd answers that it does not."""
        reply = await self.ask_slurmdbd_anything(path, query=query)
        if error_number(first_error(reply.body or {})) == NOTHING_FOUND:
            return {"meta": {}}
        try:
            return checked(reply, Operation.READ)
        except Unavailable as error:
            if reply.body is None:
                raise
            raise AccountingUnavailable(f"slurmdbd: {error}", code=error.code, status=error.status) from None

    def _refuse_strangers(self, reply: Reply, *, changes: bool) -> None:
        """Under the ids of our jobs another cluster has others, or none; a job that it took is held, and stays so."""
        name = cluster_of(reply.body or {})
        if self.cluster is None or name in (None, self.cluster):
            return
        self.outdated = True
        kind = OutcomeUnknown if changes else Unavailable
        raise kind(f"cluster {name} answers where {self.cluster} did", status=reply.status)

    def _notice(self, reply: Reply) -> None:
        """Nearly every answer names the release, so an upgrade shows at the next one."""
        if self.release is None:
            return
        if reply.body is None:
            self.outdated |= reply.status in NOT_SERVED
        else:
            self.outdated |= release_of(reply.body) not in (None, self.release)


def _tells_of_outage(operation: Operation, path: str, reply: Reply) -> bool | None:
    """Whether an answer says that slurmctld is not there for slurmrestd, or slurmrestd not for a proxy. A number that
    may also be a refusal, of a token, by a plug-in of the site or to show something, tells nothing."""
    if reply.body is None:
        return no_slurm_answers(reply)
    code = error_number(_telling_error(reply.body, operation))
    if code == HUNG_UP or (code == UNSPECIFIED and (operation.changes or path in NOT_TO_EVERYBODY)):
        return None
    row = None if code is None else TABLE.get(code)
    return row is not None and row.meaning is Meaning.UNKNOWN


def _silence(error: SlurmError) -> SlurmError:
    """Where a refused token has an error of its own, zero bytes are an slurmctld that hung up."""
    if error.code != HUNG_UP:
        return error
    return Unavailable(error.message, code=error.code, status=error.status)


def release_of(body: Mapping[str, Any]) -> str | None:
    """Slurm's release as an answer names it; None where it does not."""
    return reading.text(_about_slurm(body).get("release"))


def cluster_of(body: Mapping[str, Any]) -> str | None:
    """The name of the cluster in an answer; None where it does not say, as before v0.0.40."""
    return reading.text(_about_slurm(body).get("cluster"))


def _about_slurm(body: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = reading.mapping(body.get("meta"))
    return reading.mapping(meta.get("slurm") or meta.get("Slurm"))


def checked(reply: Reply, operation: Operation) -> Mapping[str, Any]:
    """The body of a success; raises for anything else."""
    body = reply.body
    if body is not None and 200 <= reply.status < 300 and first_error(body) is None:
        return body
    raise error_of(reply, operation)


def error_of(reply: Reply, operation: Operation) -> SlurmError:
    """The error for an answer that is no success."""
    told, fallback = _telling_error(reply.body or {}, operation), f"HTTP status {reply.status}"
    code = error_number(told)
    if told is not None and _says_the_site(reply, operation, told):
        return Refused(explain(reply, fallback, told, advice=BY_THE_SITE), code=code, status=reply.status)
    return classify(
        operation=operation,
        code=code,
        status=reply.status,
        message=explain(reply, fallback, told),
        answered_by_slurm=reply.body is not None,
    )


def _says_the_site(reply: Reply, operation: Operation, told: Mapping[str, Any]) -> bool:
    """Whether a number is what a job_submit plug-in returned, and nothing was submitted or updated: `slurm.ERROR`, or
    one that Slurm itself has no words for, so that none of its own functions failed with it."""
    if operation not in (Operation.SUBMIT, Operation.UPDATE) or reply.status < 400:
        return False
    code = error_number(told)
    return code == UNSPECIFIED or (code not in TABLE and told.get("error") == f"Unknown error {code}")


def rows(body: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """The objects of a list in an answer."""
    return reading.objects(body.get(key))


def listed(body: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """A list in an answer of slurmctld's, from which something may be missing. Raises `Unavailable` where it is no list
    of objects: what cannot be read is not missing."""
    found = body.get(key)
    objects = reading.objects(found)
    if not isinstance(found, list) or len(objects) < len(found):
        raise Unavailable(f"an answer that cannot be read: its `{key}` is not a list of objects", status=200)
    return objects


def job_rows(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The same for jobs, each with its id: one without may be any."""
    found = listed(body, "jobs")
    if any(reading.job_id(row.get("job_id")) is None for row in found):
        raise Unavailable("an answer that cannot be read: one of its jobs has no id", status=200)
    return found


def accounted_rows(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The same of slurmdbd's; where it finds nothing, an answer may have no list. Raises `AccountingUnavailable`."""
    if body.get("jobs") is None and isinstance(body.get("meta"), Mapping):
        return []
    try:
        return job_rows(body)
    except Unavailable as error:
        raise AccountingUnavailable(f"slurmdbd: {error}", status=error.status) from None


def first_error(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The first of an answer's errors."""
    errors = reading.errors(body.get("errors"))
    return errors[0] if errors else None


def status_errors(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The errors in what a cancellation came to, a row for each job (v0.0.41 and newer), as others are."""
    found = [reading.mapping(row.get("error")) for row in rows(body, "status")]
    return [
        {
            "error_number": error.get("code"),
            "error": error.get("message"),
            "description": error.get("string"),
        }
        for error in found
        if error.get("code") is not None
    ]


def _telling_error(body: Mapping[str, Any], operation: Operation) -> Mapping[str, Any] | None:
    """Of several errors the one to go by. 22.05 refuses a submission with -1 ("unspecified") before the number that
    says why; where something is read, -1 is what a silent slurmctld gives, and stays the first."""
    errors = reading.errors(body.get("errors"))
    if operation is Operation.SUBMIT:
        errors.sort(key=lambda error: error_number(error) in (None, -1))
    return errors[0] if errors else None


def error_number(error: Mapping[str, Any] | None) -> int | None:
    """Slurm's number of an error; job/submit of v0.0.38 calls it `error_code`."""
    return None if error is None else reading.number(error.get("error_number", error.get("error_code")))


def explain(reply: Reply, fallback: str, told: Mapping[str, Any] | None = None, *, advice: str | None = None) -> str:
    """Slurm's own words and number, what to do about it (`advice`, where it is not that of the number), and the site's
    words; those of the first error unless another one is named."""
    first = told or first_error(reply.body or {})
    if first is None:
        words = f"{fallback}: {reply.text}" if reply.text else fallback
    else:
        words = _words(first, fallback, advice)
    site = site_message(reply.body or {})
    return f"{words}. The site says: {site}" if site else words


def _words(first: Mapping[str, Any], fallback: str, advice: str | None) -> str:
    error = reading.text(first.get("error"))
    words = reading.text(first.get("description")) or error or fallback
    if error and error not in words:
        words = f"{words} ({error})"
    code = error_number(first)
    if code is None:
        return words
    row = TABLE.get(code)
    advice = advice or (row.advice if row else None)
    return f"{words} [Slurm error {code}]{f': {advice}' if advice else ''}"


def site_message(body: Mapping[str, Any]) -> str | None:
    """What a job_submit plug-in of the site has to say to the user."""
    return reading.text(body.get("job_submit_user_msg")) or reading.text(
        reading.mapping(body.get("result")).get("job_submit_user_msg")
    )


def messages(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Warnings, errors beside a job id, and the site's own words; not the notice that the job is held."""
    found = [*reading.errors(body.get("warnings")), *reading.errors(body.get("errors"))][:MOST_MESSAGES]
    texts = [reading.text(row.get("description")) or reading.text(row.get("error")) for row in found]
    texts.append(site_message(body))
    return tuple(text for text in texts if text and "held state" not in text)


def not_submitted(reply: Reply, body: Mapping[str, Any]) -> SlurmError:
    """200 without a job id and without errors: nothing was submitted, and a warning says why (TRAP S2)."""
    warnings = "; ".join(messages(body))
    if not warnings:
        return OutcomeUnknown("slurmrestd answered without a job id", status=reply.status)
    return classify(
        operation=Operation.SUBMIT, code=2000, status=reply.status, message=f"nothing was submitted: {warnings}"
    )


def checked_id(job_id: int) -> int:
    """Only a positive number ever gets into a path: an empty id would cancel by filter."""
    if isinstance(job_id, bool) or not isinstance(job_id, int) or job_id <= 0:
        raise ValueError("a job id is a positive number")
    return job_id
