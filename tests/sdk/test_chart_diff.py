"""What a new rendering of a chart changes, object by object."""

from __future__ import annotations

from typing import Any

from mesh.model import Action, Key, Sensitive, Unknown
from mesh.sdk.chart_diff import changes, name_of, placeheld, sent


def obj(kind: str, name: str, **parts: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "namespace": "x"}, **parts}


def test_an_object_is_named_by_kind_namespace_and_name() -> None:
    assert name_of(obj("ConfigMap", "a")) == "ConfigMap x/a"
    assert name_of({"kind": "ClusterRole", "metadata": {"name": "a"}}) == "ClusterRole a"


def test_objects_are_created_updated_deleted_or_kept() -> None:
    kept = obj("ConfigMap", "kept")
    kept["metadata"]["annotations"] = {"helm.sh/resource-policy": "keep"}
    old = [obj("ConfigMap", "a", data={"k": "1"}), obj("ConfigMap", "gone"), kept, obj("ConfigMap", "same")]
    new = [obj("ConfigMap", "a", data={"k": "2"}), obj("ConfigMap", "new"), obj("ConfigMap", "same")]
    found = {each.object: each.action for each in changes(old, new, ())}
    assert found == {
        "ConfigMap x/a": Action.UPDATE,
        "ConfigMap x/gone": Action.DELETE,
        "ConfigMap x/kept": Action.FORGET,
        "ConfigMap x/new": Action.CREATE,
    }


def test_secrets_are_masked_wherever_they_are() -> None:
    old = [obj("Secret", "s", data={"k": "b25l"}), obj("ConfigMap", "c", data={"k": "one"})]
    new = [obj("Secret", "s", data={"k": "dHdv"}), obj("ConfigMap", "c", data={"k": "hush"})]
    secret, other = changes(old, new, {"hush"})[::-1]
    assert [type(each.after) for each in secret.fields] == [Sensitive]
    assert [(each.before, type(each.after)) for each in other.fields] == [("one", Sensitive)]


def test_what_istiod_writes_into_its_webhooks_is_no_change() -> None:
    def hook(**parts: Any) -> list[dict[str, Any]]:
        return [obj("ValidatingWebhookConfiguration", "w", webhooks=[{"name": "a", **parts}])]

    assert (
        changes(hook(failurePolicy="Fail", clientConfig={"caBundle": "x"}), hook(clientConfig={}), ()) == ()
    )


def test_a_text_too_long_to_read_is_shown_by_its_length() -> None:
    old, new = ([obj("ConfigMap", "a", data={"k": text * 30_000})] for text in "ab")
    ((field,),) = [each.fields for each in changes(old, new, ())]
    assert (field.before, field.after) == ("(30000 characters)", "(30000 characters)")


def test_unknown_values_become_text_so_that_a_chart_can_be_rendered() -> None:
    unknown = Unknown(Key("cert", "-", "root"))
    assert placeheld({"a": [unknown, 1]}) == {"a": ["(known after cert/-/root)", 1]}


def test_what_helm_sends_is_kept_by_name_with_its_secrets_masked() -> None:
    new = [
        obj("Secret", "s", data={"k": "dHdv"}),
        obj("ConfigMap", "c", data={"k": ["has hush in it", "plain"]}),
        obj("ConfigMap", "c", apiVersion="other/v1"),
    ]
    found = sent(new, {"hush"})
    assert found["Secret x/s"][0]["data"] == Sensitive({"k": "dHdv"})
    assert found["ConfigMap x/c"][0]["data"] == {"k": [Sensitive("has hush in it"), "plain"]}
    assert len(found["ConfigMap x/c"]) == 2


def test_the_fields_that_istiod_writes_count_when_they_are_sent() -> None:
    hook = obj("ValidatingWebhookConfiguration", "w", webhooks=[{"name": "a", "failurePolicy": "Ignore"}])
    assert sent([hook], ()) == {"ValidatingWebhookConfiguration x/w": [hook]}
