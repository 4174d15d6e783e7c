"""`slurmjob-operator check`: every error with its place, value and rule; exit codes; both outputs."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmjob_operator.edge import check
from slurmjob_operator.edge.offline import kubectl_yaml
from slurmjob_operator.edge.offline.targets import TARGETS

EXAMPLES = Path(__file__).resolve().parents[3] / "manifests/examples"

HEAD = """\
apiVersion: slurmjob.dev/v1alpha1
kind: SlurmJob
metadata:
  name: wing
spec:
  connectionRef:
    name: campus
  template:
    chdir: /home/alice
"""
SCRIPT = "    script: |\n      #!/bin/sh\n      true\n"
GOOD = HEAD + SCRIPT
CONNECTION = """\
apiVersion: slurmjob.dev/v1alpha1
kind: SlurmConnection
metadata:
  name: campus
spec:
  servers: [{url: "https://slurm.example.org:6820"}]
  auth: {jwt: {secretKeyRef: {name: token}}}
"""


def _script(*directives: str) -> str:
    """A SlurmJob whose script has these lines in its header."""
    return f"{HEAD}    script: |\n      #!/bin/sh\n" + "".join(f"      #SBATCH {line}\n" for line in directives)


def _run(tmp_path: Path, text: str, *flags: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """The exit code, and the lines about the file without its name."""
    file = tmp_path / "jobs.yaml"
    file.write_text(text)
    code = check.main([str(file), *flags])
    return code, capsys.readouterr().out.replace(f"{file}:", "").splitlines()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        # --- what kubectl and the API server refuse, or drop
        (GOOD.replace("name: wing", "name: Wing"), "4: document 1: SlurmJob/Wing: metadata.name: 'Wing': must be"),
        (GOOD.replace("  name: wing\n", "  labels: {}\n"), "3: document 1: SlurmJob: metadata.name: required"),
        (
            GOOD.replace("metadata:\n  name: wing\n", "metadata: x\n"),
            "3: document 1: SlurmJob: metadata: must be a map",
        ),
        (
            GOOD.replace("wing\n", "wing\n  uuid: x\n"),
            "5: document 1: SlurmJob/wing: metadata.uuid: unknown field; uid is near",
        ),
        (
            GOOD.replace("wing\n", "wing\n  annotations:\n    a: on\n"),
            "6: document 1: SlurmJob/wing: metadata.annotations.a: true: must be a text: put it in quotes",
        ),
        (
            GOOD.replace("wing\n", "wing\n  namespace: A.b\n"),
            "metadata.namespace: 'A.b': must be at most 63 lower case",
        ),
        (
            GOOD + "    acount: aero\n",
            "13: document 1: SlurmJob/wing: spec.template.acount: unknown field; account is near",
        ),
        (
            GOOD.replace("spec:\n", "spec:\n  suspended: true\n"),
            "6: document 1: SlurmJob/wing: spec.suspended: unknown field",
        ),
        (GOOD + "    time: 90\n", "spec.template.time: 90: must be a text: put it in quotes"),
        (GOOD + "    partition: no\n", "spec.template.partition: false: must be a text: put it in quotes"),
        (
            GOOD + "    account: 2026-01-02\n    ntasks: '4'\n",
            "14: document 1: SlurmJob/wing: spec.template.ntasks: '4': must be a whole",
        ),
        (GOOD + "    hold: 'yes'\n", "spec.template.hold: 'yes': must be true or false"),
        (GOOD + "    mem: [1]\n", "spec.template.mem: must be a whole number or a text"),
        (GOOD + "    ntasks: 1.5\n", "spec.template.ntasks: 1.5: must be a whole number"),
        (
            GOOD + "    account: a\n    account: b\n",
            "14: document 1: SlurmJob/wing: spec.template.account: given again: kubectl drops that of line 13",
        ),
        (HEAD, "spec.template: exactly one of `script` and `scriptFrom` must be given"),
        (HEAD + "    script: ~\n", "spec.template: exactly one of `script` and `scriptFrom` must be given"),
        (GOOD.replace("    name: campus\n", ""), "spec.connectionRef: required"),
        (
            GOOD.replace("    name: campus\n", "    name: campus\n    namespace: x\n"),
            "spec.connectionRef.namespace: unknown field",
        ),
        (
            GOOD.replace("spec:\n", "spec:\n  deletionPolicy: Delete\n"),
            "spec.deletionPolicy: 'Delete': must be 'Cancel' or 'Orphan'",
        ),
        (
            GOOD.replace("spec:\n", "spec:\n  backoffLimit: -1\n"),
            "spec.backoffLimit: -1: must be greater than or equal to 0",
        ),
        (
            GOOD + "    environment:\n    - {name: 1A}\n",
            "14: document 1: SlurmJob/wing: spec.template.environment[0].name: '1A': must match",
        ),
        (GOOD + "    environment:\n    - {value: x}\n", "spec.template.environment[0].name: required"),
        (GOOD + "    environment: {A: x}\n", "spec.template.environment: must be a list"),
        (
            GOOD.replace("v1alpha1", "v1"),
            "1: document 1: SlurmJob/wing: apiVersion: 'slurmjob.dev/v1': must be slurmjob.dev/v1alpha1",
        ),
        (
            GOOD.replace("kind: SlurmJob", "kind: SlurmTask"),
            "kind: 'SlurmTask': slurmjob.dev/v1alpha1 has SlurmJob and SlurmConnection only",
        ),
        (GOOD.replace("kind: SlurmJob\n", ""), "kind: required, a text"),
        ("- a\n- b\n", "1: document 1: object: must be an object: a mapping with apiVersion and kind"),
        ("just words\n", "1: document 1: object: must be an object: a mapping with apiVersion and kind"),
        # --- what sbatch, and so the operator, refuses
        (HEAD + "    script: |\n      echo\n", "spec.template.script: 'echo\\n': must match"),
        (
            _script("--time=1h"),
            "10: document 1: SlurmJob/wing: spec.template.script, line 2: --time: '1h': must be minutes",
        ),
        (_script("--tiem=5"), "spec.template.script, line 2: '--tiem=5': is no option of sbatch; did you mean --time?"),
        (_script("--mem=1", "--x11", "foo"), "spec.template.script, line 3: '--x11': is no option"),
        (_script("--mem=1", "--x11", "foo"), "spec.template.script, line 4: 'foo': is no option"),
        (GOOD + "    time: 1h\n", "spec.template.time: '1h': must be minutes"),
        (_script("--uid=alice"), "spec.template.script, line 2: --uid: "),
        (_script("--mem=1") + "    memPerCpu: 2\n", "spec.template.memPerCpu: "),
        (_script("--array=3-1"), "spec.template.script, line 2: --array: '3-1': must be indexes and rising ranges"),
        (
            _script("--array=0-99999999"),
            "spec.template.script, line 2: --array: '0-99999999': must name at most 100000",
        ),
        (
            _script("-n1", "hetjob", "-n2", "--array=1-3"),
            "spec.template.script, line 5: --array: a heterogeneous job (`#SBATCH hetjob`) is no array",
        ),
        (GOOD + "    comment: '[slurmjob.dev/1 x]'\n", "spec.template.comment"),
        (GOOD + "    environment: [{name: A}, {name: A}]\n", "spec.template.environment: 'A': must be named only once"),
        # --- connections
        (CONNECTION.replace("https", "ftp"), "spec.servers[0].url: 'ftp://slurm.example.org:6820': must match"),
        (CONNECTION.replace("  auth: {jwt: {secretKeyRef: {name: token}}}\n", ""), "spec.auth: required"),
        (CONNECTION + "  jobDefaults: {time: 1h}\n", "spec.jobDefaults.time: '1h': must be minutes"),
        (CONNECTION + "  jobDefaults: {mem: 1G}\n", "spec.jobDefaults.mem: unknown field"),
    ],
)
def test_errors(text: str, line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = _run(tmp_path, text, capsys=capsys)
    assert any(line in one for one in lines), "\n".join(lines)
    assert "warning" not in next(one for one in lines if line in one)
    assert code == 1


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD + CONNECTION.replace("api", "---\napi", 1),
        GOOD.replace("apiVersion", "---\napiVersion") + "---\n" + GOOD,
        GOOD + "    account: ~\n    time: '90'\n    hold: on\n    mem: 010\n    ntasks: 2.0\n    cpusPerTask: 1e1\n",
        GOOD.replace("name: wing", "generateName: wing-"),
        GOOD.replace("wing\n", "wing\n  labels: {app: x}\n") + "status: {state: Running}\n",
        _script("--mem=1G -t 5 -J x"),
        json.dumps({"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Secret"}]}),
    ],
)
def test_nothing_to_say(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = _run(tmp_path, text, capsys=capsys)
    assert lines[-1].endswith("checked: 0 errors, 0 warnings")
    assert code == 0


def test_the_examples_are_good(capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main([str(EXAMPLES)]) == 0
    assert capsys.readouterr().out == f"{len(list(EXAMPLES.glob('*.yaml')))} objects checked: 0 errors, 0 warnings\n", (
        "a SlurmJob in each, and whatever else it needs"
    )


# --- What is a warning ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (_script("--wait"), "10: document 1: warning: SlurmJob/wing: spec.template.script, line 2: --wait: wait with"),
        (GOOD + "    network: x\n", "warning: SlurmJob/wing: spec.template.network: on Slurm 22.05: "),
        (
            _script("--container-id=x"),
            "warning: SlurmJob/wing: spec.template.script, line 2: '--container-id=x': on Slurm 22.05: is no option",
        ),
        (
            _script("--mem=1").replace("    chdir: /home/alice\n", ""),
            "8: document 1: warning: SlurmJob/wing: spec.template.chdir: given neither here nor by",
        ),
    ],
)
def test_warnings_fail_nothing(text: str, line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = _run(tmp_path, text, capsys=capsys)
    assert any(line in one for one in lines), "\n".join(lines)
    assert code == 0


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        ([], 0),
        (["--api-version", "v0.0.38"], 1),
        (["--slurm-release", "22.05"], 1),
        (["--slurm-release", "24.11.5"], 0),
        (["--api-version", "v0.0.45"], 0),
        (["--api-version", "v0.0.42", "--slurm-release", "26.05"], 0),
        (["--api-version", "v0.0.39"], 0),
    ],
)
def test_what_one_slurm_alone_refuses(
    flags: list[str], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(tmp_path, GOOD + "    network: x\n", *flags, capsys=capsys)[0] == code


def test_each_slurm_refuses_it_for_a_reason_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """22.05 has no such option, the others have no such value: nobody takes the job."""
    code, lines = _run(tmp_path, _script("--container-id=x --distribution=pack:pack"), capsys=capsys)
    assert code == 1
    assert "warning" not in "\n".join(lines[:-1])


# --- Connections at hand ----------------------------------------------------------------------------------

WITHOUT_FOLDER = GOOD.replace("    chdir: /home/alice\n", "")


@pytest.mark.parametrize(
    ("connection", "code", "said"),
    [
        (CONNECTION, 1, "spec.template.chdir: must be given"),
        (CONNECTION + "  jobDefaults: {chdir: /home/%u}\n", 0, "0 errors, 0 warnings"),
        (CONNECTION.replace("campus", "other"), 0, "warning: SlurmJob/wing: spec.template.chdir"),
        (CONNECTION.replace("campus\n", "campus\n  namespace: x\n"), 0, "warning: SlurmJob/wing: spec.template.chdir"),
    ],
)
def test_the_connections_folder(
    connection: str, code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, lines = _run(tmp_path, f"{WITHOUT_FOLDER}---\n{connection}", capsys=capsys)
    assert said in "\n".join(lines)
    assert found == code


# --- Input ------------------------------------------------------------------------------------------------


def test_folders_hidden_files_and_other_kinds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in {
        "a.yaml": GOOD,
        "deep/b.yml": f"{GOOD}---\napiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\n",
        "deep/c.json": json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "t"}}),
        "deep/d.txt": "{{",
        ".git/e.yaml": "{{",
        ".f.yaml": "{{",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert check.main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path}/deep/b.yml:14: skipped: Secret/s is none of ours",
        f"{tmp_path}/deep/c.json:1: skipped: Secret/t is none of ours",
        "2 objects checked: 0 errors, 0 warnings",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [\n", "2: while parsing a flow node did not find expected node content"),
        (b"\xff\xfe", "1: is not UTF-8"),
        (b"a: 1\n\n\xe9\n", "3: is not UTF-8"),
        (b"[" * 1000, "1: nested deeper than 100 levels"),
        (b"a: " + b"x" * 2**22, f"1: the document is larger than {kubectl_yaml.LARGEST_DOCUMENT} characters"),
    ],
)
def test_unusable(content: bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(GOOD)
    bad.write_bytes(content)
    assert check.main([str(bad), str(good)]) == 2
    assert capsys.readouterr().out.splitlines() == [
        f"{bad}:{message}",
        "1 object checked: 1 error, 0 warnings",
    ]


def test_what_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main([str(tmp_path / "none.yaml"), str(tmp_path)]) == 2
    assert capsys.readouterr().out.splitlines()[:2] == [
        f"{tmp_path}/none.yaml: No such file or directory",
        f"{tmp_path}: holds no .json, .yaml, .yml file",
    ]


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(HEAD.encode())))
    assert check.main(["-"]) == 1
    assert "-:8: document 1: SlurmJob/wing: spec.template: exactly one of" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["--api-version", "v9", "x"], ["--slurm-release", "x", "y"], ["--nothing", "x"]])
def test_bad_flags(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        check.main(words)
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err


# --- JSON -------------------------------------------------------------------------------------------------


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "jobs.yaml"
    file.write_text(f"{GOOD}    time: 90\n---\napiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\n---\na: [\n")
    assert check.main(["--output=json", str(file)]) == 2
    assert json.loads(capsys.readouterr().out) == {
        "checked": 1,
        "errors": 1,
        "warnings": 0,
        "problems": [
            {
                "level": "error",
                "file": str(file),
                "line": 13,
                "document": 1,
                "kind": "SlurmJob",
                "name": "wing",
                "field": "spec.template.time",
                "value": "90",
                "rule": "must be a text: put it in quotes",
            }
        ],
        "skipped": [{"file": str(file), "document": 2, "kind": "Secret", "name": "s"}],
        "unusable": [f"{file}:20: while parsing a flow node did not find expected node content"],
    }


# --- No input does harm -----------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PLACES = st.sampled_from(
    [
        *[("metadata",), ("metadata", "name"), ("metadata", "labels"), ("spec",), ("spec", "template"), ("kind",)],
        *[("spec", "connectionRef"), ("spec", "jobDefaults"), ("spec", "template", "script"), ("apiVersion",)],
        *[("spec", "template", "environment"), ("spec", "template", "mem"), ("spec", "template", "time"), ("items",)],
    ]
)


@given(value=VALUES, place=PLACES, kind=st.sampled_from(["SlurmJob", "SlurmConnection"]))
def test_no_value_does_harm(value: Any, place: tuple[str, ...], kind: str) -> None:
    script = {"script": "#!/bin/sh\n#SBATCH -n1\n"}
    body: dict[str, Any] = {
        "apiVersion": "slurmjob.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": "a"},
        "spec": {"connectionRef": {"name": "a"}, "template": script},
    }
    holder: Any = body
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    report = check.check_text(json.dumps(body), TARGETS[:1])
    json.dumps(check.as_json(report))
    list(check.as_text(report))
