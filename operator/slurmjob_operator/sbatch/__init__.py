"""The language of sbatch: options, their values, and the `#SBATCH` lines that give them.

`options/` is the one table; `types/` are the values; `lines`, `tokens`, `arguments` and `script` read a script as
sbatch does; `interactions` are what options do to each other; `job` makes of them what slurmrestd is sent. Pure:
no I/O, no clock.
"""
