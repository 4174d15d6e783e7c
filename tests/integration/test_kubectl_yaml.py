"""The offline commands read manifests as the real kubectl does, and refuse what the real API server refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandboxlib import control_plane
from sandboxlib.daemons import SandboxError
from sandboxlib.paths import Paths
from slurmjob_operator.edge.offline.yaml_scalars import in_json
from tests.unit.edge.kubectl_cases import DOCUMENTS, NULLS, REFUSED, SCALARS

HEADER = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n"


def _read_by_kubectl(paths: Paths, text: str) -> list[dict[str, Any]]:
    """The objects of a stream, by a command that asks no server."""
    out = control_plane.kubectl(paths, "annotate", "--local", "-f", "-", "read=true", "-o", "json", stdin=text)
    decoder = json.JSONDecoder(parse_int=lambda digits: in_json(int(digits)))
    found, at = list[dict[str, Any]](), 0
    while at < len(out):
        value, at = decoder.raw_decode(out, at)
        at += len(out[at:]) - len(out[at:].lstrip())
        found.append({key: item for key, item in value.items() if key not in {"apiVersion", "kind", "metadata"}})
    return found


def test_scalars(sandbox: Paths) -> None:
    texts = [*SCALARS, *NULLS]
    wanted = [*SCALARS.values(), *(None for _ in NULLS)]
    stream = f"{HEADER}data:\n" + "".join(f"  c{index}: {text}\n" for index, text in enumerate(texts))
    (found,) = _read_by_kubectl(sandbox, stream)
    read = [found["data"][f"c{index}"] for index in range(len(texts))]
    assert json.dumps(dict(zip(texts, read, strict=True))) == json.dumps(dict(zip(texts, wanted, strict=True)))


@pytest.mark.parametrize(
    ("text", "values"), [(text, values) for text, values in DOCUMENTS.items() if text[:1] not in "{\ufeff~"]
)
def test_documents(sandbox: Paths, text: str, values: list[Any]) -> None:
    """Each piece becomes an object by a header of its own."""
    found = _read_by_kubectl(sandbox, _with_headers(text))
    assert json.dumps(found, sort_keys=True) == json.dumps(values, sort_keys=True)


def _with_headers(text: str) -> str:
    lines, begun = list[str](), False
    for line in text.splitlines(keepends=True):
        separator = line.startswith("---")
        begins = not (begun or separator or line.startswith("#") or not line.strip())
        lines += [HEADER, line] if begins else [line]
        begun = not separator and (begun or begins)
    return "".join(lines)


@pytest.mark.parametrize("text", REFUSED)
def test_refused(sandbox: Paths, text: str) -> None:
    with pytest.raises(SandboxError, match=r"error (parsing|converting)|unable to decode|invalid Yaml|yaml:"):
        _read_by_kubectl(sandbox, HEADER + text)
