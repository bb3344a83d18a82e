"""Benchmark of mesh against a lower bound: `make bench`. Not part of the wheel."""
