"""`python -m mesh`."""

from mesh.cli.main import main

main()
