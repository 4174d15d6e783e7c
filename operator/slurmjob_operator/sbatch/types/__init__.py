"""sbatch's value syntax, as the real sbatch reads it (measured on 22.05, 24.11 and 26.05)."""
