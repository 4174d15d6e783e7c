"""`python -m slurmjob_operator`."""

from slurmjob_operator.edge.cli import main

main()
