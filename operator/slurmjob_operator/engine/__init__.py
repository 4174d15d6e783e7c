"""The loops: a registry of live jobs, one session per connection, one pool per slurmrestd server."""
