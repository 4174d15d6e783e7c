"""The same script by the real `sbatch --hold` and by us: the same job, or refused for the same reason."""
