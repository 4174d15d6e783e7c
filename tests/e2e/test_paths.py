"""Where output goes: `status` names the files that are really there, whatever patterns they were given by."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from sandboxlib import slurm_cluster
from tests.real.cluster import Tenant
from tests.real.releases import Differs, expected

HOME: Final = "/home/alice"
PATTERNS: Final[dict[str, dict[str, Any]]] = {
    "default": {},
    "names": {"output": "%x-%u-%j.out"},
    "padded": {"output": "%6j-%%.out", "error": "%10A.err"},
    "absolute": {"output": f"{HOME}/%j.abs", "error": "%x.%j.err"},
    "backslash": {"output": "%j-\\\\%x.out"},
    "nowhere": {"output": "none"},
}


@pytest.mark.timeout(120)
def test_the_files_that_status_names_are_there(tenant: Tenant) -> None:
    home = slurm_cluster.home(tenant.paths, tenant.suite, "alice")
    folder = home / tenant.namespace
    tenant.slurm("mkdir", str(Path(HOME) / tenant.namespace), user="alice")
    assert folder.is_dir()
    for name, files in PATTERNS.items():
        chdir = f"{HOME}/{tenant.namespace}"
        tenant.job(name, script=f"echo out of {name}; echo err of {name} >&2", **{"chdir": chdir, **files})
    for name, files in PATTERNS.items():
        tenant.wait(name, "Complete", seconds=60)
        status = tenant.status(name)
        if name == "nowhere":
            assert status["stdoutPath"] == "/dev/null"
            continue
        out, err = (home / Path(status[key]).relative_to(HOME) for key in ("stdoutPath", "stderrPath"))
        if name == "backslash" and not expected(Differs.BACKSLASH):
            assert not out.exists()
            continue
        assert f"out of {name}\n" in out.read_text()
        assert f"err of {name}\n" in err.read_text()
        assert (out == err) is ("error" not in files)
