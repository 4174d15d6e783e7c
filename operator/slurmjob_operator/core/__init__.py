"""Pure decisions over values: no I/O, no framework, no clock."""
