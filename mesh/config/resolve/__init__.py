"""Resolve a validated document into `mesh.model.spec`: defaults, files, rules that span several fields."""
