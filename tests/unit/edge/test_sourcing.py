"""`check` and `render` of SlurmJobs whose texts stand in ConfigMaps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slurmjob_operator.edge import check, render

JOB = """\
apiVersion: slurmjob.dev/v1alpha1
kind: SlurmJob
metadata: {name: wing, namespace: aero}
spec:
  connectionRef: {name: campus}
  template:
    chdir: /scratch
    scriptFrom: {configMapKeyRef: {name: wing, key: run.sh}}
    environment:
    - name: MESH
      valueFrom: {configMapKeyRef: {name: wing, key: mesh}}
"""
CONFIG_MAP = """\
---
apiVersion: v1
kind: ConfigMap
metadata: {name: wing, namespace: aero}
data:
  mesh: fine
  run.sh: |
    #!/bin/sh
    #SBATCH --time=5
    true
"""


def _checked(text: str, *, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    file = tmp_path / "jobs.yaml"
    file.write_text(text)
    code = check.main([str(file)])
    return code, capsys.readouterr().out.replace(f"{file}:", "").splitlines()


NO_CONFIG_MAP = "is in ConfigMap wing, which is not among these files: it is not looked at"
SCRIPT_REF = "{configMapKeyRef: {name: wing, key: run.sh}}"
BOTH = "    script: |\n      #!/bin/sh\n"
SOURCE = "spec.template.scriptFrom"


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        (JOB + CONFIG_MAP, 0, "1 object checked: 0 errors, 0 warnings"),
        (JOB, 0, f"{SOURCE}: {NO_CONFIG_MAP}"),
        (JOB, 0, f"spec.template.environment, MESH: {NO_CONFIG_MAP}"),
        (JOB + CONFIG_MAP.replace("namespace: aero", "namespace: other"), 0, NO_CONFIG_MAP),
        (JOB + CONFIG_MAP.replace("time=5", "time=1h"), 1, "spec.template.script, line 2: --time: '1h': must be"),
        (JOB + CONFIG_MAP.replace("#!/bin/sh", "echo"), 1, "spec.template.script: "),
        (JOB + CONFIG_MAP.replace("run.sh", "a.sh"), 1, f"{SOURCE}: ConfigMap wing has no key run.sh in `data`"),
        (JOB + CONFIG_MAP.replace(" mesh: fine", " mesh: 1"), 1, "ConfigMap wing has no key mesh in `data`"),
        (JOB.replace(SCRIPT_REF, "{}"), 1, f"{SOURCE}.configMapKeyRef: required"),
        (JOB.replace("key: run", "namespace: other, key: run"), 1, f"{SOURCE}.configMapKeyRef.namespace: unknown"),
        (JOB.replace("{name: wing, key: run.sh}", "run.sh"), 1, f"{SOURCE}.configMapKeyRef: "),
        (JOB + BOTH, 1, "spec.template: exactly one of `script` and `scriptFrom` must be given"),
        (JOB.replace("MESH\n", "MESH\n      value: x\n"), 1, "at most one of `value` and `valueFrom` may be given"),
        (JOB.replace("MESH", "SLURMJOB_UID") + CONFIG_MAP, 1, "variables of SLURMJOB_… are the operator's own"),
    ],
)
def test_checked(text: str, code: int, line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, lines = _checked(text, tmp_path=tmp_path, capsys=capsys)
    assert any(line in one for one in lines), "\n".join(lines)
    assert found == code


def test_rendered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "jobs.yaml"
    file.write_text(JOB + CONFIG_MAP)
    assert render.main([str(file)]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["script"] == "#!/bin/sh\n#SBATCH --time=5\ntrue\n"
    assert {"MESH=fine", "SLURMJOB_NAME=wing", "SLURMJOB_NAMESPACE=aero"} <= set(body["job"]["environment"])


def test_nothing_is_rendered_without_its_texts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "jobs.yaml"
    file.write_text(JOB)
    assert render.main([str(file)]) == 1
    assert "spec.template.scriptFrom: is in ConfigMap wing, which is not among" in capsys.readouterr().err
