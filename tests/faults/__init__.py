"""Instruments of the fault runs: proxies that break things, a test build that dies, and witnesses that count."""
