"""Coverage-guided fuzzing of what reads text that users write: `make fuzz`."""
