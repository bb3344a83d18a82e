"""What helm prints, read into an error without its secrets."""

from __future__ import annotations

import pytest

from mesh.world.helm.errors import (
    ChartNotFound,
    FieldConflict,
    HelmFailed,
    HelmStopped,
    PendingRelease,
    RenderFailed,
    cleaned,
    failure,
)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Error: a\n  b\x1b[31m\n", "a b [31m"),
        ("level=WARN msg=x\nError: real", "real"),
        ("WARNING: only this", "WARNING: only this"),
        ('bad licenseKey: "abc def" here', "bad licenseKey: *** here"),
        ("bad my-token=abc, api_key='x y' end", "bad my-token=***, api_key=*** end"),
        ("bad s3cr3tvalue in the text", "bad *** in the text"),
        ("name: shown", "name: shown"),
    ],
)
def test_what_helm_says_is_cleaned(said: str, shown: str) -> None:
    assert cleaned(said, {"a": {"adminPassword": ["s3cr3tvalue"]}, "name": "shown"}) == shown


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Error: another operation (install/upgrade/rollback) is in progress", PendingRelease),
        ("Error: execution error at (x.yaml:1:2): no", RenderFailed),
        ('Error: path "./none" not found', ChartNotFound),
        ("Error: context deadline exceeded", HelmStopped),
        ("Error: something new", HelmFailed),
    ],
)
def test_each_message_of_helm_has_its_error(said: str, kind: type[HelmFailed]) -> None:
    assert type(failure("what", said.encode(), {})) is kind


def test_a_conflict_names_each_field_and_its_holder() -> None:
    said = 'conflict with "kubectl" using v1: .spec.replicas\n'
    said += 'conflicts with "argo" using apps/v1:\n- .data.x\n- .data.y'
    error = failure("what", said.encode(), {})
    assert isinstance(error, FieldConflict)
    assert [(cause.manager, cause.path) for cause in error.fields] == [
        ("kubectl", "spec.replicas"),
        ("argo", "data.x"),
        ("argo", "data.y"),
    ]
