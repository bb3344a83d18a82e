"""Checks: is the mesh healthy, and may it be changed; each is a small pure function from facts to findings.

`facts` is what they look at, `read` reads it in bulk, `table` lists the checks as data, `run` applies
them. A check never asks a cluster anything itself.
"""
