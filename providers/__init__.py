"""Resource kinds, one module each; imported as ``mesh.providers``."""

if __name__ != "mesh.providers":
    raise ImportError("import mesh.providers: the top-level name `providers` belongs to another distribution")
