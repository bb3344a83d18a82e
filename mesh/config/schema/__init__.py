"""The structure of a mesh file: pydantic models, patterns, and the JSON Schema built from them."""
