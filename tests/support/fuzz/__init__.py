"""Mutated inputs for what reads text from outside: `python -m tests.support.fuzz --count 100000`."""
