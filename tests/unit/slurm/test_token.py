"""What counts as a Slurm JWT, and that nothing of any other value is shown or sent."""

from __future__ import annotations

import base64
import time
import traceback
from typing import Any

import jwt
import pytest

from slurmjob_operator.slurm.token import InvalidToken, parse_token

KEY = "k" * 64
GOOD: dict[str, Any] = {"exp": 4_102_444_800, "iat": 0, "sun": "alice"}


def _token(claims: dict[str, Any], *, algorithm: str = "HS256") -> bytes:
    return jwt.encode(claims, None if algorithm == "none" else KEY, algorithm=algorithm).encode()


def _raw(claims: str, *, header: str = '{"alg":"HS256"}') -> bytes:
    """A token with whatever JSON one likes in it."""
    parts = (base64.urlsafe_b64encode(part).rstrip(b"=") for part in (header.encode(), claims.encode(), b"signature"))
    return b".".join(parts)


@pytest.mark.parametrize("form", ["{}", "SLURM_JWT={}", " {}\n", "SLURM_JWT={}\n"])
def test_a_token_as_scontrol_prints_it(form: str) -> None:
    text = _token(GOOD).decode()
    token = parse_token(form.format(text).encode())
    assert (token.user, token.expires_at, token.reveal()) == ("alice", 4_102_444_800, text)


def test_the_claim_of_other_identity_providers() -> None:
    claims = {"exp": 4_102_444_800, "username": "alice"}
    assert parse_token(_token(claims)).user == "alice"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"", "not a JSON web token"),
        (b"hunter2", "not a JSON web token"),
        (b"\xff\xfe", "not a JSON web token"),
        (b"a.b.c", "not a JSON web token"),
        (b"x" * 20_000, "longer than 16384 bytes"),
        (_token(GOOD, algorithm="none"), "neither HS256 nor RS256"),
        (_token(GOOD, algorithm="HS512"), "neither HS256 nor RS256"),
        (_token({**GOOD, "kubernetes.io": {"namespace": "x"}}), "Kubernetes service account token"),
        (_token({"sun": "alice"}), "no `exp` claim"),
        (_token({"exp": 4_102_444_800}), "no user claim"),
        (_token({**GOOD, "sun": ""}), "no user claim"),
        (_token({**GOOD, "sun": ["alice"]}), "no user claim"),
        (_token({**GOOD, "sun": "a b"}), "no user claim"),
        (_token({**GOOD, "sun": "a\nb"}), "no user claim"),
        (_token({**GOOD, "sun": "j\u00fcrgen"}), "no user claim"),
        (_token({**GOOD, "sun": "a\u00a0b"}), "no user claim"),
        (_token({**GOOD, "sun": "a" * 257}), "no user claim"),
        (_token({**GOOD, "sun": None, "username": "alice"}), "no user claim"),
        (_token({"exp": 4_102_444_800, "username": "root"}), "privileged user root"),
        (_raw('{"exp":1e999,"sun":"alice"}'), "no `exp` claim"),
        (_raw('{"exp":NaN,"sun":"alice"}'), "no `exp` claim"),
        (_raw('{"exp":true,"sun":"alice"}'), "no `exp` claim"),
        (_raw('{"exp":"4102444800","sun":"alice"}'), "no `exp` claim"),
        (_raw('{"exp":9,"sun":"alice"}', header='{"alg":["HS256"]}'), "neither HS256 nor RS256"),
        (_raw('{"exp":9,"sun":"alice"}', header="{}"), "neither HS256 nor RS256"),
        (_raw("[" * 9000), "not a JSON web token"),
        (_raw("[1]"), "not a JSON web token"),
        (_token(GOOD)[:20] + b"\r\nX-Other: 1" + _token(GOOD)[20:], "not a JSON web token"),
        (_token(GOOD)[:20] + b"\n" + _token(GOOD)[20:], "not a JSON web token"),
        (_token(GOOD) + b"\n" + _token(GOOD), "not a JSON web token"),
        (_token({**GOOD, "sun": "root"}), "privileged user root"),
        (_token({**GOOD, "sun": "0"}), "would take for a uid"),
        (_token({**GOOD, "sun": "+0"}), "would take for a uid"),
        (_token({**GOOD, "sun": "-00"}), "would take for a uid"),
        (_token({**GOOD, "sun": "2001"}), "would take for a uid"),
        (_token({**GOOD, "sun": "slurm"}), "privileged user slurm"),
    ],
)
def test_what_is_never_sent(value: bytes, why: str) -> None:
    with pytest.raises(InvalidToken, match=why) as refusal:
        parse_token(value)
    shown = f"{refusal.value!r}{''.join(traceback.format_exception(refusal.value))}"
    for part in value.decode("latin-1").split("."):
        assert len(part) < 5 or part not in shown


def test_who_is_privileged_is_the_callers_choice() -> None:
    assert parse_token(_token({**GOOD, "sun": "root"}), privileged=frozenset()).user == "root"
    with pytest.raises(InvalidToken, match="privileged user alice"):
        parse_token(_token(GOOD), privileged=frozenset({"alice"}))


def test_a_public_key_signature_is_as_good() -> None:
    assert parse_token(_raw('{"exp":4102444800.9,"sun":"alice"}', header='{"alg":"RS256"}')).expires_at == 4_102_444_800


def test_an_expired_token_is_still_a_token() -> None:
    """Whether it may be used is the caller's question; it knows the time."""
    assert parse_token(_token({**GOOD, "exp": int(time.time()) - 5})).user == "alice"


def test_the_value_is_not_in_any_representation() -> None:
    token = parse_token(_token(GOOD))
    assert token.reveal() not in f"{token!r} {token} {[token]}"
    assert token.reveal().rpartition(".")[2] not in repr(token)
