"""`slurmjob-operator render`: the body that the operator sends, for every version of the API."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from slurmjob_operator.api.connection import JobDefaults
from slurmjob_operator.core import marker
from slurmjob_operator.edge import render
from slurmjob_operator.edge.offline import targets
from slurmjob_operator.engine import templates
from slurmjob_operator.slurm.dialects import DIALECTS

SCRIPT = (
    "#!/bin/bash\n#SBATCH --job-name=wing --nodes=2 --time=1:00:00\n#SBATCH --mem=4G --comment=mine\nsrun ./solver\n"
)
MANIFEST = """\
apiVersion: slurmjob.dev/v1alpha1
kind: SlurmJob
metadata: {name: sweep, namespace: aero}
spec:
  connectionRef: {name: campus}
  template:
    chdir: /scratch
    partition: gpu
    environment: [{name: A, value: "1"}]
    script: |
"""
OF_SCRIPT = MANIFEST + "".join(f"      {line}\n" for line in SCRIPT.splitlines())
CONNECTION = """\
---
apiVersion: slurmjob.dev/v1alpha1
kind: SlurmConnection
metadata: {name: campus, namespace: aero}
spec:
  servers: [{url: "https://slurm.example.org:6820"}]
  auth: {jwt: {secretKeyRef: {name: token}}}
  jobDefaults: {chdir: "/home/%u", account: research}
"""


@pytest.fixture
def rendered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Renders a text; the JSON texts that come out."""

    def run(text: str, *flags: str, name: str = "file") -> list[Any]:
        file = tmp_path / name
        file.write_text(text)
        assert render.main([str(file), *flags]) == 0, capsys.readouterr().err
        out, decoder, found, at = capsys.readouterr().out, json.JSONDecoder(), [], 0
        while at < len(out.rstrip()):
            value, end = decoder.raw_decode(out, at)
            found.append(value)
            at = end + 1
        return found

    return run


@pytest.mark.parametrize("version", DIALECTS)
def test_every_version(version: str, rendered: Any) -> None:
    """The same body that the engine would send: the same functions, but for what only a cluster knows."""
    (found,) = rendered(OF_SCRIPT, "--api-version", version)
    raw = {
        "chdir": "/scratch",
        "partition": "gpu",
        "environment": [{"name": "A", "value": "1"}],
        "script": SCRIPT,
    }
    place = templates.Place(
        target=targets.target(release=None, api_version=version), user="USER", defaults=JobDefaults()
    )
    own = templates.own_variables(name="sweep", namespace="aero", uid="UID", attempt=1)
    sent = templates.look_over(raw, name="wing", place=place, room=500, own=own).request
    assert sent is not None
    said = marker.parse(found["job"]["comment"])
    assert said is not None
    assert (said.installation, said.namespace, said.name, said.uid) == ("INSTALLATION", "aero", "sweep", "UID")
    assert found == DIALECTS[version].encode(sent, comment=said.comment("mine"), version=version)


def test_a_script_is_the_job_that_manifest_makes_of_it(rendered: Any) -> None:
    (found,) = rendered(SCRIPT, name="Big_job.sh")
    assert found["script"] == SCRIPT
    assert found["job"]["current_working_directory"] == "/CHDIR"
    assert "o=NAMESPACE/big-job " in found["job"]["comment"]
    assert found["job"]["name"] == "wing"


@pytest.mark.parametrize(("flags", "folder"), [((), "/home/USER"), (("--chdir", "/else"), "/home/USER")])
def test_the_connections_defaults(flags: tuple[str, ...], folder: str, rendered: Any) -> None:
    (found,) = rendered(OF_SCRIPT.replace("    chdir: /scratch\n", "") + CONNECTION, *flags)
    assert found["job"]["current_working_directory"] == folder
    assert found["job"]["account"] == "research"


def test_a_folder_for_a_connection_that_is_not_at_hand(rendered: Any) -> None:
    (found,) = rendered(SCRIPT.replace("--nodes=2", "--chdir=deep"), "--chdir", "/home/alice")
    assert found["job"]["current_working_directory"] == "/home/alice/deep"


def test_components_and_arrays(rendered: Any) -> None:
    (found,) = rendered("#!/bin/sh\n#SBATCH -n1 -t 5\n#SBATCH hetjob\n#SBATCH -n2\n")
    assert [job["tasks"] for job in found["jobs"]] == [1, 2]
    assert "job" not in found
    (found,) = rendered("#!/bin/sh\n#SBATCH --array=0-9%2\n")
    assert found["job"]["array"] == "0-9%2"


def test_fields_hold_for_all_components(rendered: Any) -> None:
    text = MANIFEST + "      #!/bin/sh\n      #SBATCH -n1\n      #SBATCH hetjob\n      #SBATCH -n2\n    ntasks: 4\n"
    (found,) = rendered(text)
    assert [job["tasks"] for job in found["jobs"]] == [4, 4]


def test_several_jobs_and_others(rendered: Any) -> None:
    first, second = rendered(
        f"{OF_SCRIPT}---\nkind: Secret\napiVersion: v1\n---\n{OF_SCRIPT.replace('sweep', 'other')}"
    )
    assert "o=aero/sweep " in first["job"]["comment"]
    assert "o=aero/other " in second["job"]["comment"]


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(SCRIPT.encode())))
    assert render.main(["-"]) == 0
    assert json.loads(capsys.readouterr().out)["job"]["name"] == "wing"


def test_markers_in_extra(rendered: Any) -> None:
    connection = CONNECTION.replace("spec:\n", "spec:\n  markerFields: [Comment, Extra]\n")
    (found,) = rendered(OF_SCRIPT + connection)
    assert found["job"]["extra"] == found["job"]["comment"].removesuffix(" mine")


@pytest.mark.parametrize(
    ("text", "flags", "code", "message"),
    [
        (
            "#!/bin/sh\n#SBATCH --time=1h\n",
            (),
            1,
            "/file: template.script, line 2: --time: '1h': must be minutes",
        ),
        ("#!/bin/sh\n#SBATCH --tiem=5\n", (), 1, "SlurmJob/file: template.script, line 2: '--tiem=5': is no option"),
        ("#!/bin/sh\n#SBATCH --network=x\n", ("--api-version=v0.0.38",), 1, "--network: Slurm 22.05 refuses it"),
        (OF_SCRIPT + "    tim: '1'\n", (), 1, "spec.template.tim: unknown field"),
        ("just words\n", (), 2, "holds no SlurmJob, and is no script that begins with `#!`"),
        ("kind: Secret\napiVersion: v1\n", (), 2, "holds no SlurmJob"),
        ("a: [\n", (), 2, "line 2: while parsing a flow node"),
    ],
)
def test_refused(
    text: str, flags: tuple[str, ...], code: int, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text(text)
    assert render.main([str(file), *flags]) == code
    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert render.main(["/nowhere/x"]) == 2
    assert capsys.readouterr().err == "/nowhere/x: No such file or directory\n"


def test_options_without_effect_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("#!/bin/sh\n#SBATCH --wait\n")
    assert render.main([str(file)]) == 0
    assert "warning: " in capsys.readouterr().err
