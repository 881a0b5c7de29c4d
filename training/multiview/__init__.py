"""Training of the architecture `multiview`."""
