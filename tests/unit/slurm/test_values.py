"""sbatch's values, against what the real sbatch was measured to do."""

from __future__ import annotations

import pytest

from slurmjob_operator.slurm import values
from slurmjob_operator.slurm.request import NodeRange


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("90", 90),
        ("90:00", 90),
        ("10:29", 11),
        ("0:01", 1),
        ("1:30:00", 90),
        ("99:99:99", 6041),
        ("1-99", 7380),
        ("1-0", 1440),
        ("1-00:00", 1440),
        ("1-00:00:00", 1440),
        ("2-3:04:05", 2 * 1440 + 3 * 60 + 5),
        ("0", None),
        ("00:00:00", None),
        ("-1", None),
        ("UNLIMITED", None),
        ("unlimited", None),
        ("Infinite", None),
    ],
)
def test_time_limit(text: str, minutes: int | None) -> None:
    assert values.time_limit(text).minutes == minutes


@pytest.mark.parametrize("text", ["1h", "90m", "1.5", "5:", "1,5", "1-2-3", "", "-5", " 5", "1:2:3:4", "٣"])
def test_time_refused(text: str) -> None:
    with pytest.raises(values.InvalidValue):
        values.time_limit(text)


@pytest.mark.parametrize(
    ("text", "mebibytes"),
    [
        ("4G", 4096),
        ("4g", 4096),
        ("4GB", 4096),
        ("4000", 4000),
        ("0", 0),
        ("1025K", 2),
        ("1T", 1024**2),
        ("7M", 7),
        ("1gb", 1024),
    ],
)
def test_memory(text: str, mebibytes: int) -> None:
    assert values.memory_mb(text) == mebibytes


@pytest.mark.parametrize("text", ["1.5G", "1GiB", "1Gi", "1B", "1P", "-1", "1 G", "", "G", "9" * 30])
def test_memory_refused(text: str) -> None:
    with pytest.raises(values.InvalidValue):
        values.memory_mb(text)


@pytest.mark.parametrize(
    ("text", "low", "high"), [("2", 2, 2), ("2-4", 2, 4), ("-4", 1, 4), ("2k", 2048, 2048), ("1m", 1024**2, 1024**2)]
)
def test_nodes(text: str, low: int, high: int) -> None:
    assert values.node_range(text) == NodeRange(minimum=low, maximum=high)


@pytest.mark.parametrize("text", ["2-", "4-2", "2:4", "", "-", "0", "x", "2-4-6"])
def test_nodes_refused(text: str) -> None:
    with pytest.raises(values.InvalidValue):
        values.node_range(text)


@pytest.mark.parametrize(
    ("text", "tres"),
    [
        ("gpu", "gres/gpu"),
        ("gpu:2", "gres/gpu:2"),
        ("gpu:a100:2,nvme", "gres/gpu:a100:2,gres/nvme"),
        ("gres/gpu:2", "gres/gpu:2"),
        ("none", None),
    ],
)
def test_gres(text: str, tres: str | None) -> None:
    assert values.gres_list(text) == tres


@pytest.mark.parametrize("text", ["", "gpu:", "gpu,", ":2", "gpu 2", "gpu:a:b:c", "gpu=2;rm"])
def test_gres_refused(text: str) -> None:
    with pytest.raises(values.InvalidValue):
        values.gres_list(text)


@pytest.mark.parametrize(("text", "tres"), [("4", "gres/gpu:4"), ("a100:4", "gres/gpu:a100:4")])
def test_gpus(text: str, tres: str) -> None:
    assert values.gpu_count(text) == tres


@pytest.mark.parametrize("text", ["0", "", "a100", "a100:", "-1", "1.5"])
def test_gpus_refused(text: str) -> None:
    with pytest.raises(values.InvalidValue):
        values.gpu_count(text)
