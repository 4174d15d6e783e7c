"""Run Slurm jobs from Kubernetes, each attempt at most once."""

__version__ = "0.1.0"
