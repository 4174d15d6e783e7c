"""What sbatch hands on unread, for Slurm's controller to read: features, licenses, networks, burst buffers."""

from __future__ import annotations

from typing import Final

from slurmjob_operator.sbatch.types.words import text_type

FEATURES: Final = text_type(
    "features",
    rule="must be an expression of features",
    examples=("fast", "fast&intel", "[rack1|rack2]", "fast*2", "fast,intel", ""),
    longest=4096,
)
LICENSES: Final = text_type(
    "licenses",
    rule="must be a list of licenses with commas",
    examples=("matlab", "matlab:2", "matlab@server:1,ansys", "matlab|ansys"),
    longest=4096,
)
NETWORK: Final = text_type(
    "network", rule="must be a network specification", examples=("sn_all", "instances=2,exclusive")
)
BURST_BUFFER: Final = text_type(
    "burst buffer",
    rule="must be a burst buffer specification",
    examples=("capacity=10G access=striped", "#BB create_persistent name=alpha"),
    longest=4096,
)
