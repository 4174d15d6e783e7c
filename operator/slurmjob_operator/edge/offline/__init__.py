"""What the commands `manifest`, `render` and `check` are made of. They speak to no cluster."""
