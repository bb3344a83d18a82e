"""Whole runs in one process: clusters, helm, disk, clock and threads are simulated, and drawn from one seed.

The code of the product runs unchanged above the narrowest seams: the function that sends a request, the one
that starts helm, the functions of `os` that write files, the clock, and the threads of `mesh.walk`.
"""
