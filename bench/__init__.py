"""How long mesh takes, against what nothing could beat: `make bench`. Not part of the wheel."""
