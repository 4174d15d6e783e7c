"""Liveness proves that the loops move; readiness that the watches have started."""

from __future__ import annotations

from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from slurmjob_operator.edge.probes import Probes
from slurmjob_operator.engine.engine import STALE_SECONDS, Engine
from slurmjob_operator.engine.ports import Outside
from tests.fakes.free_port import free_port
from tests.fakes.kube import InMemoryKube


class _NoSlurm:
    def open(self, *_arguments: Any) -> Any:
        raise AssertionError("nobody connects here")

    async def close(self) -> None:
        return


async def test_probes_follow_the_engine() -> None:
    time = [1000.0]
    outside = Outside(
        kube=InMemoryKube(), slurm=_NoSlurm(), installation="x", now=lambda: time[0], monotonic=lambda: time[0]
    )
    engine = Engine(outside)
    port = free_port()
    probes = Probes(engine, host="127.0.0.1", port=port)
    await probes.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        assert (await client.get("/readyz")).status_code == 503
        probes.ready = True
        assert (await client.get("/readyz")).status_code == 200
        assert (await client.get("/healthz")).status_code == 200
        engine.observe_job(
            {
                "metadata": {"namespace": "ns", "name": "j", "uid": "u", "generation": 1, "resourceVersion": "1"},
                "spec": {"connectionRef": {"name": "campus"}, "template": {}},
            }
        )
        assert (await client.get("/healthz")).status_code == 200
        time[0] += STALE_SECONDS + 1
        stuck = await client.get("/healthz")
        assert (stuck.status_code, stuck.text) == (503, "loops that do not move: ns/campus\n")
        shown = await client.get("/metrics")
        assert shown.status_code == 200
        assert shown.headers["content-type"].startswith("text/plain; version=0.0.4")
        families = {family.name: family for family in text_string_to_metric_families(shown.text)}
        assert {"slurmjob_slurm_requests", "slurmjob_live_jobs"} <= set(families)
        engine.metrics.orphan_let_go()
        assert "slurmjob_orphans_let_go_total 1.0\n" in (await client.get("/metrics")).text
        asked = await client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
        assert asked.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
        assert asked.text.endswith("# EOF\n")
    await engine.close()
    await probes.stop()
