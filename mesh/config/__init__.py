"""From mesh.yaml to the resolved desired state; every problem is reported with its position.

::

    source/   parses text into a document that keeps line and column of every value
    schema/   the structure of a mesh file: models, patterns, JSON Schema
    resolve/  turns the validated document into `mesh.model.spec`: defaults, files, rules across fields
    decode    runs the three in order and reports every problem at once
    starter   the starter file that `mesh init` writes
"""
