"""Where the outside meets the engine: Kopf handlers, probes, logs, the command line."""
