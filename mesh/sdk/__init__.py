"""The contract of a resource kind, and what kinds share. See docs/adding-a-kind.md."""
