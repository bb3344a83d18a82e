"""Files, file locks and JSON lines on the local disk."""
