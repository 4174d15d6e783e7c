"""What a scalar of YAML means to kubectl: the rules of Go's yaml.v2, then those of its way through JSON."""

from __future__ import annotations

import base64
import binascii
import math
import re
from decimal import Decimal
from typing import Any, Final

Scalar = str | int | float | bool | None

STANDARD: Final = "tag:yaml.org,2002:"

_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"], True),
    **dict.fromkeys(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"], False),
    **dict.fromkeys(["", "~", "null", "Null", "NULL"], None),
}
_NOT_FINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INTEGERS: Final = (
    (re.compile(r"([-+]?)0[xX]([0-9a-fA-F]+)"), 16),
    (re.compile(r"([-+]?)0[bB]([01]+)"), 2),
    (re.compile(r"([-+]?)0[oO]?([0-7]+)"), 8),
    (re.compile(r"([-+]?)(0|[1-9][0-9]*)"), 10),
)
_INT64: Final = 2**63
_MOST_DIGITS: Final = 400
"""No longer integer is a number in 64 bits, leading zeros apart, nor a finite float."""
_SHORTEST_EXPONENT: Final = 1e21
"""From here on Go writes a whole number into JSON with an exponent, and reads it back as a fraction."""


class BadScalar(ValueError):
    """A scalar that its tag does not take, or that JSON cannot say."""


def scalar(text: str, *, tag: str | None, unquoted: bool) -> Scalar:
    """The value of a scalar. `unquoted`: it stands without quotes and without a tag. Raises `BadScalar`."""
    if tag is None:
        return plain(text) if unquoted else text
    read = _TAGGED.get(tag.removeprefix(STANDARD)) if tag.startswith(STANDARD) else None
    return text if read is None else read(text)


def plain(text: str) -> Scalar:
    """What an unquoted scalar without a tag means. Raises `BadScalar` for what is not finite."""
    if text in _WORDS:
        return _WORDS[text]
    if _NOT_FINITE.fullmatch(text):
        raise BadScalar(f"{text}: must be a finite number")
    number = _number(text)
    return text if number is None else in_json(number)


def in_json(number: int | float) -> int | float:
    """A number as it comes out of JSON: whole numbers are integers where 64 bits hold them, else floats."""
    if isinstance(number, float):
        if not number.is_integer() or abs(number) >= _SHORTEST_EXPONENT:
            return number
        number = int(Decimal(repr(number)))
    return number if -_INT64 <= number < _INT64 else float(number)


def key(value: Any) -> str | None:
    """A mapping's key as a text; None where JSON has no such key."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return format(value, "g") if isinstance(value, float) else None


def _number(text: str) -> int | float | None:
    if text[0] not in "+-.0123456789":
        return None
    digits = text.replace("_", "")
    for pattern, base in _INTEGERS if len(digits) <= _MOST_DIGITS else ():
        match = pattern.fullmatch(digits)
        if match is None:
            continue
        number = int(match[2], base) * (-1 if match[1] == "-" else 1)
        if -_INT64 <= number < _INT64 or (not match[1] and number < 2 * _INT64):
            return number
    if not _FLOAT.fullmatch(digits):
        return None
    fraction = float(digits)
    return None if math.isinf(fraction) else fraction


def _boolean(text: str) -> bool:
    value = _WORDS.get(text)
    if not isinstance(value, bool):
        raise BadScalar(f"{text!r}: must be a boolean, as its tag says")
    return value


def _nothing(text: str) -> None:
    if text not in _WORDS or _WORDS[text] is not None:
        raise BadScalar(f"{text!r}: must be null, as its tag says")


def _integer(text: str) -> int | float:
    number = _number(text) if text else None
    if not isinstance(number, int):
        raise BadScalar(f"{text!r}: must be a whole number, as its tag says")
    return in_json(number)


def _float(text: str) -> int | float:
    number = _number(text) if text else None
    if number is None:
        raise BadScalar(f"{text!r}: must be a number, as its tag says")
    return in_json(number)


def _binary(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise BadScalar("must be text in base64, as its tag says") from None


_TAGGED: Final = {"bool": _boolean, "null": _nothing, "int": _integer, "float": _float, "binary": _binary}
