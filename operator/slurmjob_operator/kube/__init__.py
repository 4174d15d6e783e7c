"""All that writes to Kubernetes: a narrow port and its adapter."""
