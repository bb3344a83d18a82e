"""Small meshes, one of each way to link clusters."""

from __future__ import annotations

from mesh.config.decode import decode
from mesh.config.source.load import parse
from mesh.model.spec import Mesh

SOLO, UPSTREAM = "{version: 1.30.2-solo, license: {env: KEY}}", "{distribution: upstream, version: 1.29.1}"
LINKS = {
    "solo": (SOLO, "full-mesh"),
    "upstream": (UPSTREAM, "full-mesh"),
    "automatic": (SOLO, "{automatic: {management: a}}"),
}
MESHES = tuple(LINKS)


def mesh_of(how: str, first: str = "a", **identity: str) -> Mesh:
    """The mesh of the clusters `a`, `b` and `c`, with links of one sort.

    Cluster `a` may have another name; `identity` are more fields of its entry in the file.
    """
    istio, links = LINKS[how]
    more = "".join(f", {name}: {value}" for name, value in identity.items())
    text = f"""
apiVersion: mesh/v1
kind: Mesh
metadata: {{name: demo}}
spec:
  istio: {istio}
  clusters: [{{name: {first}, context: a{more}}}, {{name: b}}, {{name: c}}]
  links: {links.replace("management: a", f"management: {first}")}
"""
    return decode(parse(text.encode(), "mesh.yaml"))
