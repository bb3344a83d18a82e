"""JSON Schemas of everything `mesh` reads and writes; generated, data only."""

if __name__ != "mesh.schemas":
    raise ImportError("import mesh.schemas: the top-level name `schemas` belongs to another distribution")
