"""Texts of YAML, and what kubectl 1.37 makes of them; tests/integration asks kubectl itself."""

from __future__ import annotations

from typing import Any, Final

SCALARS: Final[dict[str, Any]] = {
    "on": True, "Off": False, "YES": True, "no": False, "y": True, "N": False, "true": True, "False": False,
    "oN": "oN", "yEs": "yEs", "tRUE": "tRUE", "ye": "ye",
    "0": 0, "-0": 0, "+5": 5, "010": 8, "-010": -8, "08": 8, "0o17": 15, "0O17": 15, "0x1F": 31, "0X1f": 31,
    "0b11": 3, "0b2": "0b2", "-0b11": -3, "1_000": 1000, "0_7": 7, "_1": "_1", "1_": 1,
    "1e3": 1000, "1E+3": 1000, "1.e3": 1000, "2.0": 2, "2.50": 2.5, "-.5": -0.5, ".5": 0.5, "1.": 1, "1e-7": 1e-7,
    "0.1": 0.1, "1e999": "1e999", ".": ".", "1e": "1e", "0x_1": 1, "0xfffffffffffffffff": "0xfffffffffffffffff",
    "9223372036854775807": 9223372036854775807, "-9223372036854775808": -9223372036854775808,
    "9223372036854775808": 9.223372036854775808e18, "1e21": 1e21, "1e20": 1e20,
    "123456789012345678.0": 123456789012345680, "9" * 5000: "9" * 5000,
    "1:30": "1:30", "1:30:00": "1:30:00", "1-00:00:00": "1-00:00:00", "3-00": "3-00", "2026-01-02": "2026-01-02",
    "2026-01-02T10:00:00Z": "2026-01-02T10:00:00Z", "16:00": "16:00", "0-99%10": "0-99%10", "4G": "4G", "2-4": "2-4",
    "'yes'": "yes", '"010"': "010", "'~'": "~", '"null"': "null",
    "!!str 5": "5", "!!str yes": "yes", "!!str": "", '!!int "5"': 5, "!!float 5": 5, '!!bool "yes"': True,
    "!!binary YWI=": "ab", "!foo 5": "5", "! 5": "5", '! "5"': "5",
    "a b": "a b", "a#b": "a#b", "a #b": "a", "http://x:80/y": "http://x:80/y", "=": "=", "a=b": "a=b",
    "NaN": "NaN", "inf": "inf", "Inf": "Inf", "é": "é", "'it''s'": "it's", '"\\x41\\u00e9\\n"': "Aé\n",
    "[1, 2.0, on]": [1, 2, True], "{a: 010, on: y}": {"a": 8, "true": True}, "[]": [], "{}": {},
}  # fmt: skip
"""Each as the value of a key, and its JSON."""
NULLS: Final = ("", "~", "null", "Null", "NULL", "# nothing", "!!null ''")

DOCUMENTS: Final[dict[str, list[Any]]] = {
    "a: 1\n---\nb: 2\n": [{"a": 1}, {"b": 2}],
    "---\na: 1\n--- # again\nb: 2\n---\n": [{"a": 1}, {"b": 2}],
    "# only a comment\n---\n\n---\na: 1\n": [{"a": 1}],
    "~\n---\na: 1\n": [{"a": 1}],
    "a: 1\r\n---\r\nb: 2\r\n": [{"a": 1}, {"b": 2}],
    "a: |\n  x\r\n  y\r\n": [{"a": "x\ny\n"}],
    "a: 1\n...\nb: 2\n": [{"a": 1}],
    "a: |\n  ---\n  x\n": [{"a": "---\nx\n"}],
    "a: 1\na: 2\n": [{"a": 2}],
    "on: 1\ntrue: 2\nyes: 3\n": [{"true": 3}],
    "x: &x {a: 1, b: 2}\nz:\n  <<: *x\n  a: 3\n": [{"x": {"a": 1, "b": 2}, "z": {"a": 3, "b": 2}}],
    "x: &x {a: 1}\nz:\n  a: 3\n  <<: *x\n": [{"x": {"a": 1}, "z": {"a": 1}}],
    "z:\n  <<: [{a: 1}, {a: 2, b: 3}]\n": [{"z": {"a": 1, "b": 3}}],
    "x: &x [1]\nz: *x\n": [{"x": [1], "z": [1]}],
    "a: |\n  #!/bin/sh\n  \techo\n\n  x  \n": [{"a": "#!/bin/sh\n\techo\n\nx  \n"}],
    "a: >\n  x\n  y\n\n  z\n": [{"a": "x y\nz\n"}],
    "a: |+\n  x\n\n": [{"a": "x\n\n"}],
    "a:\n- 1\n- b: 2\n": [{"a": [1, {"b": 2}]}],
    "1: a\n1.5: b\nfalse: c\n": [{"1": "a", "1.5": "b", "false": "c"}],
    '{"a": 1}\n{"b": 2}': [{"a": 1}, {"b": 2}],
    "{a: 1, b: on}\n": [{"a": 1, "b": True}],
    "\ufeffa: 1\n": [{"a": 1}],
}

REFUSED: Final[dict[str, str]] = {
    "a: b: c\n": "line 1: mapping values are not allowed in this context",
    "a: [1,\n": "did not find expected node content",
    "a: 1\n--- b\n": "line 2: '---' must stand alone in its line to separate documents",
    "a: 1\n----\n": "line 2: '---' must stand alone",
    "a: *b\n": "unknown anchor 'b'",
    "a: &a [*a]\n": "anchor 'a' holds itself",
    "a:\n\tb: 1\n": "found character that cannot start any token",
    "a: .inf\n": "line 1: .inf: must be a finite number",
    "a: !!int x\n": "'x': must be a whole number, as its tag says",
    "a: !!bool 5\n": "'5': must be a boolean, as its tag says",
    "a: @x\n": "found character that cannot start any token",
    "a: %x\n": "found character that cannot start any token",
    "? [a]\n: b\n": "a key must be a text, a number or a boolean",
    "~: a\n": "a key must be a text, a number or a boolean",
    "a: \x01\n": "control characters are not allowed",
    "<<: 5\n": "`<<` takes a mapping or a list of mappings",
    "a: 1\n b: 2\n": "mapping values are not allowed in this context",
    "- a\nb: c\n": "did not find expected '-' indicator",
}
"""kubectl refuses them too; the sentences are ours, or libyaml's."""
