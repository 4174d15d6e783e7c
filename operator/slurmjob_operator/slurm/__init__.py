"""All that knows slurmrestd: the port, the HTTP client, dialects, errors, tokens, sbatch's value syntax."""
