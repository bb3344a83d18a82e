from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from mesh.cli.main import cli
from mesh.cli.views.graph import dot, mermaid
from mesh.errors import UsageError
from mesh.lab import Lab
from mesh.model import Key
from mesh.world.yaml_documents import read, write
from tests.conftest import Tool
from tests.e2e.hands import EXAMPLE, Mesh, home, swept

LINK = "link/cluster1/cluster2"


def show(*args: str, file: Path = EXAMPLE, env: dict[str, str | None] | None = None) -> str:
    """What `mesh show` prints where there is no kubeconfig, no licence and no helm."""
    return run("show", *args, file=file, env=env).output


def run(verb: str, *args: str, file: Path = EXAMPLE, env: dict[str, str | None] | None = None) -> Result:
    nothing: dict[str, str | None] = {
        "KUBECONFIG": "/nowhere",
        "PATH": "/nowhere",
        "GLOO_MESH_LICENSE_KEY": None,
    }
    nothing |= {"MESH_CHART_SOURCE": None, "MESH_GATEWAY_API_SOURCE": None}
    result = CliRunner().invoke(
        cli, [verb, "-f", str(file), *args], env=nothing | (env or {}), catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return result


def documents(text: str) -> dict[str, Any]:
    """The documents of a stream, by the address in the comment above each."""
    parts = [part for part in text.split("---\n") if part]
    return {part.splitlines()[0].removeprefix("# "): yaml.safe_load(part) for part in parts}


def test_resources_are_listed_after_what_they_need_with_their_place_in_the_file() -> None:
    head, *lines = show().splitlines()
    assert head.split() == ["ADDRESS", "NEEDS", "ORIGIN"]
    rows = [re.split(r" {2,}", line) for line in lines]
    addresses = [row[0] for row in rows]
    assert len(addresses) == 25
    for address, needs, origin in rows:
        assert all(
            addresses.index(need) < addresses.index(address) for need in needs.split(", ") if need != "-"
        )
        assert re.fullmatch(r".+mesh\.yaml:\d+:\d+", origin)
    assert [needs for address, needs, _ in rows if address == LINK] == [
        "gateway/cluster1/istio-eastwest, gateway/cluster2/istio-eastwest, namespace/cluster1/istio-eastwest"
    ]


def test_only_what_is_asked_for_is_shown() -> None:
    assert [line.split()[0] for line in show(LINK, "cert/-/root").splitlines()] == [
        "ADDRESS",
        "cert/-/root",
        LINK,
    ]


def test_an_unknown_address_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(UsageError, match="no resource 'link/cluster1/cluster3'") as error:
        show("link/cluster1/cluster3")
    assert error.value.hint == f"did you mean {LINK}?"


@pytest.mark.parametrize("options", [("--live",), ("--manifests", "--graph", "dot")])
def test_options_that_do_not_go_together_are_refused(options: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        show(*options)


def test_manifests_need_no_cluster_and_name_what_only_a_cluster_knows() -> None:
    link = documents(show("--manifests", LINK))[LINK]
    unknown = "(known after gateway/cluster2/istio-eastwest)"
    assert link["spec"]["addresses"] == [{"type": unknown, "value": unknown}]
    assert [each["port"] for each in link["spec"]["listeners"]] == [15008, unknown]


def test_every_resource_has_its_document() -> None:
    found = documents(show("--manifests"))
    assert len(found) == 25
    assert found["cert/-/root"] is None
    assert found["label/cluster1/istio-system"]["metadata"]["labels"] == {
        "topology.istio.io/network": "cluster1"
    }
    assert found["chart/cluster1/ztunnel"]["network"] == "cluster1"


def test_a_chart_says_from_where_to_where() -> None:
    text = show("--manifests", "chart/cluster1/istiod")
    assert text.startswith(
        "---\n# chart/cluster1/istiod\n# values of release istiod in namespace istio-system\n"
        "# chart oci://us-docker.pkg.dev/soloio-img/istio-helm/istiod version 1.30.2-solo\nprofile: ambient\n"
    )


def test_no_secret_is_shown(tmp_path: Path) -> None:
    document = yaml.safe_load(EXAMPLE.read_text())
    document["spec"]["defaults"] = {
        "values": {"istiod": {"tracing": {"accessToken": "hunter-2"}, "other": {"thing": "hunter-3"}}}
    }
    document["spec"]["sensitive"] = ["other.thing"]
    file = tmp_path / "mesh.yaml"
    file.write_text(yaml.safe_dump(document))
    text = show("--manifests", file=file, env={"GLOO_MESH_LICENSE_KEY": "hunter-1"})
    assert "hunter" not in text
    found = documents(text)
    assert found["secret/cluster1/solo-istio-license"]["data"] == {"license-key": "(sensitive value)"}
    assert set(found["cert/cluster1/cacerts"]["data"].values()) == {"(sensitive value)"}
    assert found["chart/cluster1/istiod"]["tracing"] == {"accessToken": "(sensitive value)"}
    assert found["chart/cluster1/istiod"]["other"] == {"thing": "(sensitive value)"}


def test_what_others_keep_is_said_to_be_only_verified(tmp_path: Path) -> None:
    document = yaml.safe_load(EXAMPLE.read_text())
    document["spec"]["istio"]["license"] = {"secretRef": {"name": "theirs", "namespace": "vault"}}
    document["spec"]["rootOfTrust"] = {"ca": {"existing": True}}
    file = tmp_path / "mesh.yaml"
    file.write_text(yaml.safe_dump(document))
    text = show("--manifests", file=file)
    assert "# secret/cluster1/theirs\n# Secret vault/theirs is only verified, never written\n" in text
    assert "# cert/cluster1/cacerts\n# Secret istio-system/cacerts is only verified, never written\n" in text


def test_the_crds_are_shown_in_full_when_asked_for_by_name(tmp_path: Path) -> None:
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "x"},
    }
    (tmp_path / "crds.yaml").write_text(yaml.safe_dump(crd))
    env: dict[str, str | None] = {"MESH_GATEWAY_API_SOURCE": str(tmp_path / "crds.yaml")}
    key = "crds/cluster1/gateway-api"
    assert f"mesh show --manifests {key}\n" in show("--manifests", env=env)
    found = documents(show("--manifests", key, env=env))
    assert found[key]["metadata"] == {"name": "x", "labels": {"meshform.io/mesh": "demo"}}


A, B = Key("a", "c", 'x"]; y'), Key("b", "-", "<b>\n")


def test_names_are_inert_in_pictures() -> None:
    graph = {A: frozenset({B}), B: frozenset[Key]()}
    assert '"b/-/<b>\\\\n" -> "a/c/x\\"]; y";' in dot(graph)
    assert 'n0["a/c/x#34;#93;#59; y"]' in mermaid(graph)
    assert 'n1["b/-/#60;b#62;#92;n"]' in mermaid(graph)
    assert "n1 --> n0" in mermaid(graph)


def test_the_graph_is_drawn_from_needs_to_needers() -> None:
    assert f'"gateway/cluster2/istio-eastwest" -> "{LINK}";' in show("--graph", "dot")
    lines = show("--graph", "mermaid").splitlines()
    assert lines[0] == "flowchart LR"
    assert sum(" --> " in line for line in lines) == show("--graph", "dot").count(" -> ")


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    | st.sampled_from(
        ["yes", "No", "1e3", "0o7", "1:20", "2001-01-01", "~", "=", "<<", "- x", "a: b", "#", "y", ".5"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc y1-.", max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(PLAIN)
def test_what_is_written_reads_the_same_and_does_not_act_on_a_terminal(value: Any) -> None:
    text = write(value)
    assert all(line.isprintable() and line.isascii() for line in text.split("\n"))
    assert read(text) == value


@pytest.fixture(scope="module")
def mesh(lab: Lab, kubectl: Tool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """The example applied to the lab."""
    one = home(lab, tmp_path_factory.mktemp("show") / "home")
    for cluster in lab.contexts:
        swept(kubectl, cluster)
    one.applied()
    yield one
    one("destroy", "--yes", "--ignore-enrolled", "--crds")
    for cluster in lab.contexts:
        swept(kubectl, cluster)


def shown(mesh: Mesh, *args: str) -> dict[str, Any]:
    answer = mesh("show", "--manifests", *args)
    assert answer.code == 0, answer
    return documents(answer.out)


def test_live_values_take_the_place_of_what_was_unknown(mesh: Mesh, kubectl: Tool) -> None:
    found = shown(mesh, "--live", LINK)[LINK]
    address = kubectl(
        "cluster2",
        "get",
        "gateways.gateway.networking.k8s.io",
        "-n",
        "istio-eastwest",
        "istio-eastwest",
        "-o",
        "jsonpath={.status.addresses[0]}",
    )
    assert found["spec"]["addresses"] == [yaml.safe_load(address)]
    assert [each["port"] for each in found["spec"]["listeners"]] == [15008, 15012]
    assert "known after" not in mesh("show", "--manifests", "--live").out


@pytest.mark.parametrize("kind", ["gateway", "link", "namespace", "secret", "cert", "label"])
def test_what_is_shown_is_what_was_sent(mesh: Mesh, kubectl: Tool, kind: str) -> None:
    """Every field shown is in the cluster, and every field our manager holds there was shown."""
    for address, wanted in shown(mesh, "--live").items():
        if not address.startswith(f"{kind}/") or wanted is None:
            continue
        cluster, meta = address.split("/")[1], wanted["metadata"]
        where = ("-n", meta["namespace"]) if "namespace" in meta else ()
        words = ("get", with_group(wanted), meta["name"], *where, "-o", "yaml", "--show-managed-fields")
        there = yaml.safe_load(kubectl(cluster, *words))
        assert subset(wanted, there), address
        managed = [each for each in there["metadata"]["managedFields"] if each["manager"] == f"mesh/{kind}"]
        held = {name for each in managed for name in leaves(each["fieldsV1"])}
        assert held <= names(wanted), address


def with_group(wanted: Any) -> str:
    """How kubectl names the resource of an object: `gateway` alone is also one of Istio's own."""
    group, slash, _ = wanted["apiVersion"].partition("/")
    return f"{wanted['kind'].lower()}s.{group}" if slash else str(wanted["kind"].lower())


def subset(wanted: Any, there: Any) -> bool:
    """Whether everything wanted is there; a masked value is any."""
    if wanted == "(sensitive value)":
        return bool(there)
    if isinstance(wanted, dict):
        return all(key in there and subset(value, there[key]) for key, value in wanted.items())
    if isinstance(wanted, list):
        return len(wanted) == len(there) and all(map(subset, wanted, there))
    return bool(wanted == there)


def leaves(fields: Any) -> Iterator[str]:
    for key, inner in fields.items():
        if key.startswith("f:"):
            yield key.removeprefix("f:")
        yield from leaves(inner)


def names(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {*value, *(name for inner in value.values() for name in names(inner))}
    if isinstance(value, list):
        return {name for inner in value for name in names(inner)}
    return set()
