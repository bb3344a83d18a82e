"""From clusters that run a mesh already to the file that describes it: look, agree, write.

`found` says what one cluster runs, `looking` reads it, `agreed` finds what all have in common,
`text` writes the file with what was found and what could not be decided in its comments. Nothing
is written to a cluster.
"""

from __future__ import annotations

from mesh.importing.agreed import agree
from mesh.importing.found import Found, Missed
from mesh.importing.looking import look
from mesh.importing.text import text

__all__ = ["Found", "Missed", "agree", "look", "text"]
