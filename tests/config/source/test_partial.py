"""The valid rest of a file is checked in the same run."""

from __future__ import annotations

from tests.config.decoding import mistakes


def test_what_is_wrong_in_shape_does_not_hide_the_rest() -> None:
    found = mistakes("""
clusters:
- {nmae: a}
- {name: b, networks: x}
- {name: b, context: other}
links:
- {from: b, to: nowhere}
- {form: b}
""")
    assert found == [
        "spec.clusters[0].name: is missing",
        "spec.clusters[0].nmae: unknown key",
        "spec.clusters[1].networks: unknown key",
        "spec.clusters[2].name: duplicate cluster b: it is first on line 8",
        'spec.links[0].to: there is no cluster "nowhere"',
        "spec.links[1].form: unknown key",
    ]
