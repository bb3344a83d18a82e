"""From mesh.yaml to the resolved desired state, with every problem reported at its place.

::

    source/   text to a document that keeps line and column of every value
    schema/   the shape of a mesh file: models, patterns, JSON Schema
    resolve/  the checked document to `mesh.model.spec`: defaults, files, rules across fields
    decode    the pipeline of the three, with every problem reported at once
    starter   the text of `mesh init`
"""
