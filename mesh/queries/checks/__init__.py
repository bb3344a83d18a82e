"""Checks of the mesh's health and of what an apply needs; each is a pure function from facts to findings.

`read` reads the facts of every cluster in bulk, `facts` holds them, `rules` has the functions, `catalog`
lists them as data, `run` applies them. A check never sends a request itself.

To add a check: write a function in a module of `rules` and a row in `catalog`, run
`python docs/checks/generate.py`, write the page that it creates, and add the two tests: a table row of
facts for the function, and one that breaks a cluster of the lab.
"""
