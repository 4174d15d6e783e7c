"""The sandbox as tests use it: a real API server, a real Slurm, a real operator process."""
