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


@pytest.mark.parametrize(
    "text",
    [
        "singleton", "after:1", "after:1+5", "afterok:1:2:3", "afterany:1_4", "aftercorr:1_*", "afterburstbuffer:1",
        "afterok:1,afternotok:2", "afterok:1?afterany:2", "singleton,afterok:1",
    ],
)  # fmt: skip
def test_dependencies(text: str) -> None:
    assert values.dependency(text) == text


@pytest.mark.parametrize(
    "text", ["", "afterok", "afterok:", "afterok:x", "before:1", "afterok:1,", "1", "afterok:1,after:2?after:3"]
)
def test_bad_dependencies(text: str) -> None:
    with pytest.raises(values.InvalidValue, match="must be"):
        values.dependency(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("now+90", 90),
        ("now+90seconds", 90),
        ("now+1minute", 60),
        ("now+2hours", 7200),
        ("now+1day", 86400),
        ("now+1week", 604800),
    ],
)
def test_deadlines(text: str, seconds: int) -> None:
    assert values.deadline(text, now=1000.9) == 1000 + seconds


@pytest.mark.parametrize("text", ["", "now", "12:00", "2027-01-01", "now+", "now-5", "now+5years"])
def test_bad_deadlines(text: str) -> None:
    with pytest.raises(values.InvalidValue, match="time zone"):
        values.deadline(text, now=0)
