"""What daemons and slurmrestd say of each other, of tokens, and of what is not there."""

from __future__ import annotations

from typing import Final

from slurmjob_operator.slurm.error_numbers.group import Group, Meaning

GROUPS: Final[tuple[Group, ...]] = (
    Group(
        meaning=Meaning.UNKNOWN,
        advice=(
            "Slurm's daemons cannot talk to each other just now; the operator finds out what became of the request"
        ),
        numbers="""
            -1 SLURM_ERROR, 1000 SLURM_UNEXPECTED_MSG_ERROR, 1001 SLURM_COMMUNICATIONS_CONNECTION_ERROR,
            1002 SLURM_COMMUNICATIONS_SEND_ERROR, 1003 SLURM_COMMUNICATIONS_RECEIVE_ERROR,
            1004 SLURM_COMMUNICATIONS_SHUTDOWN_ERROR, 1006 SLURM_PROTOCOL_IO_STREAM_VERSION_ERROR,
            1008 SLURM_PROTOCOL_INSANE_MSG_LENGTH, 1012 SLURM_UNKNOWN_FORWARD_ADDR,
            1013 SLURM_COMMUNICATIONS_MISSING_SOCKET_ERROR, 1014 SLURM_COMMUNICATIONS_INVALID_INCOMING_FD,
            1015 SLURM_COMMUNICATIONS_INVALID_OUTGOING_FD, 1016 SLURM_COMMUNICATIONS_INVALID_FD,
            1017 SLURM_BLOCKED_ON_READ, 1018 SLURM_BLOCKED_ON_WRITE, 1019 SLURM_COMMUNICATIONS_REJECTED,
            1020 SLURM_COMMUNICATIONS_QUIESCE_TIMEOUT, 1021 SLURM_COMMUNICATIONS_CONNECT_TIMEOUT,
            1022 SLURM_COMMUNICATIONS_WRITE_TIMEOUT, 1023 SLURM_COMMUNICATIONS_READ_TIMEOUT,
            1800 SLURMCTLD_COMMUNICATIONS_CONNECTION_ERROR, 1801 SLURMCTLD_COMMUNICATIONS_SEND_ERROR,
            1802 SLURMCTLD_COMMUNICATIONS_RECEIVE_ERROR, 1803 SLURMCTLD_COMMUNICATIONS_SHUTDOWN_ERROR,
            2090 ESLURM_INTERNAL, 5000 -, 5001 -, 5002 -, 5003 ESLURM_PROTOCOL_INCOMPLETE_PACKET,
            5004 SLURM_PROTOCOL_SOCKET_IMPL_TIMEOUT, 5006 -, 6002 -, 7000 ESLURM_DB_CONNECTION,
            7008 ESLURM_DB_CONNECTION_INVALID, 7010 ESLURM_BAD_SQL
        """,
    ),
    Group(
        meaning=Meaning.UNKNOWN,
        advice=(
            "slurmrestd and slurmctld are of releases that do not go together; an upgrade is under way, "
            "or was left half done"
        ),
        numbers="1005 SLURM_PROTOCOL_VERSION_ERROR",
    ),
    Group(
        meaning=Meaning.UNKNOWN,
        advice=(
            "slurmrestd heard nothing back: a refused token looks like that on Slurm 22.05, and so does "
            "a slurmctld that hung up"
        ),
        numbers="5005 SLURM_PROTOCOL_SOCKET_ZERO_BYTES_SENT",
    ),
    Group(
        meaning=Meaning.UNKNOWN,
        advice="while something is cancelled this is what a slurmctld that does not answer looks like",
        numbers="1 EPERM",
    ),
    Group(
        meaning=Meaning.LATER,
        advice="this slurmctld is the one in reserve; the one that is in charge has to be asked",
        numbers="2027 ESLURM_IN_STANDBY_MODE, 2131 ESLURM_IN_STANDBY_USE_BACKUP",
    ),
    Group(
        meaning=Meaning.RATE_LIMITED,
        advice=("Slurm's own rate limiter; the operator slows down, and `limits` of the connection make it slower"),
        numbers="1804 SLURMCTLD_COMMUNICATIONS_BACKOFF, 1805 SLURMCTLD_COMMUNICATIONS_HARD_DROP",
    ),
    Group(
        meaning=Meaning.CREDENTIALS,
        advice="the token in the connection's Secret is not accepted: renew it, for a user that Slurm knows",
        numbers="""
            1007 SLURM_PROTOCOL_AUTHENTICATION_ERROR, 6000 ESLURM_AUTH_CRED_INVALID, 6001 ESLURM_AUTH_EXPIRED,
            6006 -, 6007 ESLURM_AUTH_UNPACK, 6009 ESLURM_AUTH_UNABLE_TO_GENERATE_TOKEN, 6010 ESLURM_AUTH_NOBODY,
            9008 ESLURM_REST_AUTH_FAIL
        """,
    ),
    Group(
        meaning=Meaning.NOT_FOUND,
        advice="slurmctld does not know this job any more, or never did",
        numbers="2017 ESLURM_INVALID_JOB_ID",
    ),
    Group(
        meaning=Meaning.NOT_FOUND,
        advice="there is no such record",
        numbers="9003 ESLURM_REST_EMPTY_RESULT",
    ),
)
