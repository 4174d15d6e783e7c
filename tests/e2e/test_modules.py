"""The classic script, `module load` and a program: as under sbatch from a login shell, by either documented means."""

from __future__ import annotations

from typing import Any, Final

import pytest

from sandboxlib import slurm_cluster
from tests.real.cluster import Tenant

MODULE: Final = "#%Module1.0\nsetenv GREETING hello\nprepend-path PATH /opt/greeting/bin\n"
INIT: Final = "/usr/share/modules/init/bash"
"""Where Debian's environment-modules has what makes `module` of a shell; Lmod has such a file too."""

LOADS: Final = 'module load greeting\npython3 -c \'import os; print(os.environ["GREETING"], os.environ["PATH"])\''
DEFAULTS: Final = [
    {"name": "BASH_ENV", "value": INIT},
    {"name": "MODULEPATH", "value": "/home/%u/modules"},
    {"name": "HOME", "value": "/home/%u"},
]


def _module(tenant: Tenant) -> None:
    folder = slurm_cluster.home(tenant.paths, tenant.suite, "alice") / "modules"
    folder.mkdir(exist_ok=True)
    (folder / "greeting").write_text(MODULE)


def _said(tenant: Tenant, file: str) -> str:
    return (slurm_cluster.home(tenant.paths, tenant.suite, "alice") / file).read_text().strip()


def _with_sbatch(tenant: Tenant, file: str) -> str:
    """What the same script says whose user has logged in, has such modules and calls sbatch."""
    script = slurm_cluster.home(tenant.paths, tenant.suite, "alice") / f"{file}.sh"
    script.write_text(f"#!/bin/bash\n{LOADS}\n")
    words = f"module use /home/alice/modules; sbatch --wait --time=5 --chdir=/home/alice --output={file} {script.name}"
    login = ["env", "-i", "HOME=/home/alice", "USER=alice", "bash", "-lc", f"cd /home/alice; {words}"]
    tenant.slurm(*login, user="alice")
    return _said(tenant, file)


@pytest.mark.timeout(120)
def test_the_classic_script(tenant: Tenant) -> None:
    _module(tenant)
    tenant.edit_connection(jobDefaults={"environment": DEFAULTS})
    files = {name: f"{tenant.namespace}-{name}.out" for name in ("defaults", "login", "sbatch")}
    tenant.job("defaults", script=LOADS, output=files["defaults"])
    login: dict[str, Any] = {"getUserEnv": True}
    tenant.job("login", script=f"module use /home/alice/modules\n{LOADS}", output=files["login"], **login)
    theirs = _with_sbatch(tenant, files["sbatch"])
    assert theirs.startswith("hello /opt/greeting/bin:")
    for name in ("defaults", "login"):
        tenant.wait(name, "Finished", seconds=60)
        assert tenant.status(name)["state"] == "Complete", tenant.status(name)
        assert _said(tenant, files[name]).startswith("hello /opt/greeting/bin:"), name
