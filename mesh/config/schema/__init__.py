"""The shape of a mesh file: pydantic models, patterns, and the JSON Schema made from them."""
