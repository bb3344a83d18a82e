"""`spec.ignore` names fields of releases' objects, and only clusters that the mesh has."""

from __future__ import annotations

from tests.config.decoding import mesh, mistakes


def test_nothing_is_ignored_by_default() -> None:
    assert mesh().ignore == ()


def test_a_rule_holds_everywhere_unless_it_says_otherwise() -> None:
    rules = "{kind: Deployment, path: spec.replicas}, {kind: Service, cluster: c*, name: istiod, path: spec}"
    found = mesh(f"clusters: [{{name: a}}, {{name: c1}}]\nignore: [{rules}]")
    one, other = found.ignore
    assert (one.kind, one.path, one.name, one.cluster) == ("Deployment", "spec.replicas", "*", "*")
    assert found.ignored_in("a") == (one,)
    assert found.ignored_in("c1") == (one, other)
    assert one.origin.line > 0


def test_a_cluster_that_is_not_there_and_values_of_another_form_are_reported() -> None:
    rules = (
        "{kind: Deployment, path: spec.replicas, cluster: x*}",
        "{kind: deployment, path: spec.replicas}",
        "{kind: Deployment, path: .spec}",
        "{kind: Deployment}",
    )
    assert mistakes(f"ignore: [{', '.join(rules)}]") == [
        "spec.ignore[0].cluster: there is no cluster x*",
        'spec.ignore[1].kind: "deployment" is not a valid kind of Kubernetes objects',
        'spec.ignore[2].path: ".spec" is not a valid path of a field',
        "spec.ignore[3].path: is missing",
    ]
