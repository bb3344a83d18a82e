"""From clusters that run a mesh already to the file that describes it: look, agree, write.

`found` says what one cluster runs, `read` reads it, `agreed` finds what all have in common,
`mesh_file` writes the file with what was found and what could not be decided in its comments. Nothing
is written to a cluster.
"""

from __future__ import annotations

from mesh.queries.discover.agreed import agree
from mesh.queries.discover.found import DiscoveredCluster, SkippedCluster
from mesh.queries.discover.mesh_file import mesh_file_text
from mesh.queries.discover.read import look

__all__ = ["DiscoveredCluster", "SkippedCluster", "agree", "look", "mesh_file_text"]
