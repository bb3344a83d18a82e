"""From the checked document to `mesh.model.spec`: defaults, files, and rules that span several fields."""
