"""Which chart values are secrets, and that none is shown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.model import Action, Sensitive
from mesh.model.mask import mask, mask_secret, reveal, secrets_in
from mesh.sdk.chart_diff import changes

SECRETS: list[Any] = [
    {"license": {"value": "S"}},
    {"adminPassword": "S"},
    {"passwd": "S"},
    {"db": {"password": 12345678}},
    {"apiToken": "S"},
    {"tls": {"key": "S"}},
    {"tls": {"privateKey": "S"}},
    {"credentials": {"user": "S"}},
    {"env": {"CLIENT_SECRET": "S"}},
    {"clientSecret": "S"},
    {"aws": {"secretKey": "S"}},
    {"env": [{"name": "DB_PASSWORD", "value": "S"}]},
    {"servers": [{"host": "x", "password": "S"}]},
    {"tokens": ["S"]},
    {"tokens": {"a": {"b": ["S"]}}},
    {"secrets": {"db": "S"}},
    {"token": {"value": "S"}},
    {"passphrase": "S"},
    {"pwd": "S"},
    {"DB_PASS": "S"},
    {"dsn": "S"},
    {"connectionString": "S"},
    {"Authorization": "S"},
    {"headers": {"Authorization": ["S"]}},
    {"keys": {"one": "S"}},
    {"key": {"material": "S"}},
    {"publicApi": {"password": "S"}},
    {"publicToken": "S"},
    {"public": {"secrets": ["S"]}},
    {"credentials": {"server": {"user": "S"}}},
    {"env": [{"value": "S", "name": "X_TOKEN"}]},
    {"env": [{"name": "X_TOKEN", "value": "S"}, {"value": "", "x": 1}]},
    {"extraEnv": [{"value": "S"}, {"name": "PORT", "value": "80"}]},
    {"vars": [{"key": "apiKey", "value": "S"}]},
    {"args": ["--token", "S", "--verbose"]},
]

INSIDE: list[Any] = [
    {"config": '{"db": {"password": "SECRET-1"}}'},
    {"config": '[{"name": "DB_PASS", "value": "SECRET-1"}]'},
    {"config": "user: bob\npassword: SECRET-1\n"},
    {"args": ["--db-password=SECRET-1"]},
    {"url": "https://bob:SECRET-1@example.test"},
    {"text": "-----BEGIN PRIVATE KEY-----\nSECRET-1\n-----END PRIVATE KEY-----\n"},
    {"publicKey": "-----BEGIN EC PRIVATE KEY-----\nSECRET-1\n-----END EC PRIVATE KEY-----\n"},
    {"note": "Authorization: Bearer SECRET-1"},
]
"""Values under a harmless name, in which there is a secret."""

PLAIN: list[Any] = [
    {"license": {"secretRef": {"name": "solo-istio-license", "namespace": "istio-system"}}},
    {"imagePullSecrets": ["regcred"]},
    {"imagePullSecrets": [{"name": "regcred"}]},
    {"imagePullPolicy": "Always"},
    {"secretName": "tls"},
    {"publicKey": "abc"},
    {"tokenAudience": "istio-ca"},
    {"env": {"USE_TOKEN": "true"}},
    {"automountServiceAccountToken": True},
    {"tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}]},
    {"affinity": [{"topologyKey": "kubernetes.io/hostname"}]},
    {"env": [{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}]},
    {"volumeMounts": [{"name": "istio-token", "mountPath": "/var/run"}]},
    {"password": ""},
    {"pilot": {"autoscaleMin": 2}},
    {},
    {"excludeNamespaces": []},
    {"tokenTTL": "3600s"},
    {"publicKeys": ["abc"]},
    {"secretRef": {"name": "one", "key": "two"}},
    {"secrets": [{"name": "one"}]},
    {"volumes": [{"name": "x", "secret": {"secretName": "tls", "items": [{"key": "a", "path": "b"}]}}]},
    {"sds": {"token": {"aud": "istio-ca"}}},
    {"rateLimit": {"tokenBucket": {"maxTokens": 100, "tokensPerFill": 10, "fillInterval": "60s"}}},
    {"maxTokens": 100},
    {"env": [{"name": "LOG_LEVEL", "value": "debug"}]},
    {"env": {"PILOT_ENABLE_AMBIENT": "true"}},
    {"config": '{"db": {"user": "bob", "secretName": "x"}}'},
    {"config": "user: bob\nsecretName: x\n"},
    {"url": "https://example.test:8080/a@b"},
]


@pytest.mark.parametrize("values", SECRETS, ids=str)
def test_it_is_a_secret(values: Any) -> None:
    masked = mask(values)
    assert secrets_in(masked) == {"12345678" if "12345678" in str(values) else "S"}
    assert "'S'" not in repr(masked)
    assert reveal(masked) == values


@pytest.mark.parametrize("values", PLAIN, ids=str)
def test_it_is_no_secret(values: Any) -> None:
    assert mask(values) == values
    assert secrets_in(mask(values)) == frozenset()


@pytest.mark.parametrize("values", INSIDE, ids=str)
def test_a_text_with_a_secret_in_it_is_one_and_what_is_in_it_is_known(values: Any) -> None:
    masked = mask(values)
    assert "SECRET-1" not in repr(masked)
    assert any(each.strip() == "SECRET-1" or "SECRET-1" in each for each in secrets_in(masked))
    assert reveal(masked) == values


def test_what_is_masked_is_not_masked_again() -> None:
    once = mask({"password": "S", "list": [{"token": "T"}], "a": {"b": 1}}, ("a",))
    assert mask(once, ("a", "list")) == {**once, "list": mask(once, ("a", "list"))["list"]}
    assert mask(once, ("a",)) == once
    assert secrets_in(mask(once, ("a", "list"))) == {"S", "T", "1"}
    assert reveal(mask(once, ("list",))) == {"password": "S", "list": [{"token": "T"}], "a": {"b": 1}}


def test_lines_of_a_text_stay_for_a_caller_that_strikes_them_out() -> None:
    text = "user: bob\npassword: hunter2\n"
    assert mask({"a": text}, lines=False) == {"a": text}
    assert mask({"password": text}, lines=False) == {"password": Sensitive(text)}


def test_of_a_secret_object_the_copies_in_its_metadata_are_hidden_too() -> None:
    applied = "kubectl.kubernetes.io/last-applied-configuration"
    shown = mask_secret(
        {
            "kind": "Secret",
            "type": "Opaque",
            "metadata": {
                "name": "x",
                "labels": {"app": "x", "token": "S1"},
                "annotations": {applied: '{"data":{"a":"S2"}}', "meshform.io/address": "secret/a/b"},
            },
            "data": {"a": "S3"},
            "stringData": {"b": "S4"},
        }
    )
    assert not [each for each in ("S1", "S2", "S3", "S4") if each in repr(shown)]
    assert shown["metadata"]["labels"]["app"] == "x"
    assert shown["metadata"]["annotations"]["meshform.io/address"] == "secret/a/b"
    assert mask_secret({"kind": "Secret"}) == {"kind": "Secret", "metadata": {}}


def test_what_the_user_names_is_secret_with_all_that_is_in_it() -> None:
    masked = mask({"gateway": {"headers": {"x-id": "one", "list": ["two"]}}, "a": 1}, ("gateway.headers",))
    assert isinstance(masked["gateway"]["headers"], Sensitive)
    assert secrets_in(masked) == {"one", "two"}
    assert masked["a"] == 1


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.dictionaries(
            st.sampled_from(["password", "token", "name", "value", "a", "key"]), inner, max_size=3
        )
        | st.lists(inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["license", "env", "a"]), VALUES, max_size=3))
def test_what_is_masked_can_be_revealed(values: dict[str, Any]) -> None:
    assert reveal(mask(values)) == values


def deployment(password: str) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "istiod", "namespace": "istio-system"},
        "spec": {"args": [f"--password={password}"]},
    }


def test_a_secret_is_struck_out_of_a_rendering() -> None:
    secrets = secrets_in(mask({"password": "hunter2"})) | secrets_in(mask({"password": "hunter3"}))
    (change,) = changes([deployment("hunter2")], [deployment("hunter3")], secrets)
    assert "hunter" not in repr(change)
    assert [each.path for each in change.fields] == [("spec", "args", "[0]")]


def test_the_data_of_a_rendered_secret_is_never_shown() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}}
    (change,) = changes([{**secret, "data": {"a": "b25l"}}], [{**secret, "data": {"a": "dHdv"}}], ())
    assert change.action is Action.UPDATE
    assert "b25l" not in repr(change)
    assert "dHdv" not in repr(change)


def test_what_istiod_writes_into_its_webhooks_is_no_difference() -> None:
    hook = {"name": "rev.validation.istio.io", "clientConfig": {"service": {"name": "istiod"}}}
    webhook = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "istio-validator"},
    }
    at_install = {**webhook, "webhooks": [{**hook, "failurePolicy": "Ignore"}]}
    assert changes([at_install], [{**webhook, "webhooks": [hook]}], ()) == ()
