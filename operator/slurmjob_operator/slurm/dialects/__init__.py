"""How families of slurmrestd's API versions say things: one module per family."""
