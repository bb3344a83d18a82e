"""From a document that was read to the desired state that was meant, and every mistake in between.

::

    shape*.py     what may be written where: the models, and through them the JSON Schema
    forms.py      the forms of single words
    translate.py  the models' complaints in our own words
    remains.py    what is left of a document without its mistakes
    report.py     where mistakes are collected
    istio.py, charts.py, trust.py, clusters.py, values.py, links.py
                  a part of the shape to its part of `mesh.spec`, defaults filled in, checks made
    overrides.py  what the command line and the environment say otherwise
"""
