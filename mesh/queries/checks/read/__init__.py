"""Read what the checks look at, in bulk, from every cluster."""
