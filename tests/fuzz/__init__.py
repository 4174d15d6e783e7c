"""Coverage-guided fuzzing of what reads text that users write, and of what reads slurmrestd's answers: `make fuzz`."""
