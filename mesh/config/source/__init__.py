"""YAML text to a document that keeps the line and column of every value."""
