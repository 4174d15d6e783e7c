"""Scripts to compare: each module has `CASES`, pairs of a name and a script."""
