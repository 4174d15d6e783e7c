"""Real Kubernetes and real Slurm on one machine, without containers."""
