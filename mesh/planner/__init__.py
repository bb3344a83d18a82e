"""Decide what to do: resources, steps, order and refusals. Pure: no I/O, no threads, no clock."""
