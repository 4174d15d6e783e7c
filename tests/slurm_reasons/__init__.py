"""The reasons of jobs that the libraries of three releases know, as committed; and the comparison with what they know
now."""
