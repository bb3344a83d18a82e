"""`python -m mesh.lab`: the lab's commands without the rest of `mesh`."""

import runpy

# By name, not by import: the lab is a lower layer than the command line and must not import it.
runpy.run_module("mesh.cli.lab", run_name="__main__")
