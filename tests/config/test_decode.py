"""The document to the desired state: what is filled in, what is refused, and in which words."""

from __future__ import annotations

import os
import re
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mesh.config.decode import decode, json_schema, load_mesh, schema_text
from mesh.config.resolve.overrides import Overrides
from mesh.config.schema.mesh_file import MeshPart
from mesh.config.schema.messages import keys_at
from mesh.config.source.document import Document
from mesh.config.source.load import parse
from mesh.errors import InputError, UsageError
from mesh.model import Origin
from mesh.model.spec import CommandCA, ExistingCA, FilesCA, GenerateCA, Mesh, SecretRef

ROOT = Path(__file__).parents[2]
BAD = sorted(Path("tests/config/bad").glob("*.yaml")) or sorted((ROOT / "tests/config/bad").glob("*.yaml"))
EXAMPLES = sorted((ROOT / "examples").glob("*/mesh.yaml"))
VALIDATOR = jsonschema.Draft7Validator(json_schema())


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def mesh(text: str = "", *, istio: str = "", head: str = "", overrides: Overrides | None = None) -> Mesh:
    """Decode a small file; `text` is the rest of its spec."""
    istio = istio or "{version: 1.30.2-solo, license: {env: KEY}}"
    clusters = "" if "clusters:" in text else "clusters: [{name: a}, {name: b}, {name: c}]"
    lines = f"{clusters}\n{text}".strip().replace("\n", "\n  ")
    start = f"apiVersion: mesh/v1\nkind: Mesh\nmetadata: {{name: prod}}\n{head}"
    content = f"{start}spec:\n  istio: {istio}\n  {lines}\n"
    return decode(parse(content.encode(), "mesh.yaml"), overrides)


def mistakes(text: str = "", **more: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        mesh(text, **more)
    return [f"{each.path}: {each.what}" for each in caught.value.problems]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_file_is_told_in_these_words(path: Path) -> None:
    path = path.relative_to(ROOT) if path.is_absolute() else path
    start = time.process_time()
    with pytest.raises(InputError) as caught:
        load_mesh(path)
    spent = time.process_time() - start
    expected = path.with_suffix(".expected")
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(f"{caught.value}\n", encoding="utf-8")
    assert f"{caught.value}\n" == expected.read_text(encoding="utf-8")
    assert spent < 1


def test_there_are_enough_bad_files_and_none_is_left_behind() -> None:
    names = {path.stem for path in Path("tests/config/bad").glob("*.expected")}
    assert names == {path.stem for path in BAD}
    assert len(names) > 45


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_no_bad_file_tells_its_secrets(path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_mesh(path)
    assert "c2VjcmV0" not in str(caught.value)


def test_defaults_follow_from_the_name_and_the_version() -> None:
    one = mesh("clusters: [{name: east}]").cluster("east")
    assert (one.context, one.cluster_name, one.network, one.trust_domain) == (
        "east",
        "east",
        "east",
        "east.local",
    )
    assert (one.namespace, one.eastwest.namespace, one.eastwest.service) == (
        "istio-system",
        "istio-eastwest",
        "LoadBalancer",
    )
    assert {name: (chart.release, chart.namespace) for name, chart in one.charts.items()} == {
        "base": ("istio-base", "istio-system"),
        "istiod": ("istiod", "istio-system"),
        "cni": ("istio-cni", "istio-system"),
        "ztunnel": ("ztunnel", "istio-system"),
    }


@pytest.mark.parametrize(
    ("version", "chart", "hub", "gateway_api"),
    [
        ("1.24.3-solo", "gloo-mesh/istio-helm-abcdef012345", "gloo-mesh/istio-abcdef012345", "v1.2.1"),
        ("1.26.1-patch0-solo", "gloo-mesh/istio-helm-abcdef012345", "gloo-mesh/istio-abcdef012345", "v1.2.1"),
        ("1.27.0-solo-fips", "gloo-mesh/istio-helm-abcdef012345", "gloo-mesh/istio-abcdef012345", "v1.3.0"),
        ("1.28.4-solo", "gloo-mesh/istio-helm-abcdef012345", "gloo-mesh/istio-abcdef012345", "v1.4.0"),
        ("1.29.2-patch0-solo", "soloio-img/istio-helm", "soloio-img/istio", "v1.4.0"),
        ("1.30.2-solo", "soloio-img/istio-helm", "soloio-img/istio", "v1.5.0"),
        ("1.31.0-rc.1-solo", "soloio-img/istio-helm", "soloio-img/istio", "v1.5.0"),
    ],
)
def test_locations_follow_from_the_version(version: str, chart: str, hub: str, gateway_api: str) -> None:
    key = "repoKey: abcdef012345, " if "abcdef" in hub else ""
    found = mesh(istio=f"{{version: {version}, {key}license: {{env: KEY}}}}")
    assert found.clusters[0].charts["istiod"].ref == f"oci://us-docker.pkg.dev/{chart}/istiod"
    assert found.clusters[0].charts["istiod"].version == version
    assert (found.hub, found.tag) == (f"us-docker.pkg.dev/{hub}", version)
    assert found.gateway_api.version == gateway_api
    assert found.gateway_api.source.endswith(f"/{gateway_api}/standard-install.yaml")


def test_a_mirror_replaces_the_registry() -> None:
    found = mesh(
        istio="{version: 1.26.2-solo, license: {env: KEY},"
        " images: {hub: 'mirror.example:5000/istio', variant: debug},"
        " charts: {source: oci://mirror.example/charts/,"
        " ztunnel: {source: 'https://charts.example', version: 1.26.1-solo}}}"
    )
    istiod, ztunnel = (found.clusters[0].charts[name] for name in ("istiod", "ztunnel"))
    assert (istiod.ref, istiod.repo, istiod.version) == (
        "oci://mirror.example/charts/istiod",
        "",
        "1.26.2-solo",
    )
    assert (ztunnel.ref, ztunnel.repo, ztunnel.version) == (
        "ztunnel",
        "https://charts.example",
        "1.26.1-solo",
    )
    assert (found.hub, found.variant) == ("mirror.example:5000/istio", "debug")


def test_charts_may_be_folders_or_archives(tmp_path: Path) -> None:
    for name in ("base", "istiod", "cni"):
        (tmp_path / "charts" / name).mkdir(parents=True)
        (tmp_path / "charts" / name / "Chart.yaml").write_text(f"name: {name}\n")
    (tmp_path / "charts" / "ztunnel-1.30.2-solo.tgz").write_bytes(b"")
    path = tmp_path / "mesh.yaml"
    path.write_text(
        "apiVersion: mesh/v1\nkind: Mesh\nmetadata: {name: prod}\nspec:\n"
        "  istio: {version: 1.30.2-solo, license: {env: KEY}, charts: {source: charts}}\n"
        "  clusters: [{name: a}]\n"
    )
    charts = load_mesh(path).clusters[0].charts
    assert charts["istiod"].ref == str(tmp_path / "charts" / "istiod")
    assert charts["ztunnel"].ref == str(tmp_path / "charts" / "ztunnel-1.30.2-solo.tgz")
    assert (charts["ztunnel"].version, charts["istiod"].version) == ("1.30.2-solo", "")


def test_licences_come_from_three_places(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k")
    assert mesh(istio="{version: 1.30.2-solo, license: {env: KEY}}").licence.env == "KEY"
    found = mesh(istio="{version: 1.30.2-solo, license: {secretRef: {name: lic}}}").licence
    assert found.secret == SecretRef("lic", "istio-system")
    assert found.origin == Origin("mesh.yaml", 5, 42)
    assert (
        mesh(istio=f"{{version: 1.30.2-solo, license: {{file: '{tmp_path}/key'}}}}").licence.file
        == f"{tmp_path}/key"
    )


def test_authorities_are_of_four_kinds(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text("")
    assert mesh().root.ca == GenerateCA()
    generated = mesh(
        "rootOfTrust: {ca: {generate: {keyFile: keys/root.key, validity: 730d, key: rsa-4096}}}"
    ).root
    assert generated.ca == GenerateCA("keys/root.key")
    assert (generated.root_validity, generated.root_key) == (timedelta(days=730), "rsa-4096")
    files = mesh(f"rootOfTrust: {{ca: {{files: {{cert: '{tmp_path}/root.pem', key: none.key}}}}}}").root.ca
    assert files == FilesCA(f"{tmp_path}/root.pem", "none.key")
    assert mesh("rootOfTrust: {ca: {command: [vault-sign, ./x]}}").root.ca == CommandCA(("vault-sign", "./x"))
    assert mesh("rootOfTrust: {ca: {command: [./sign]}}").root.ca == CommandCA((str(ROOT / "sign"),))
    assert mesh("rootOfTrust: {ca: {existing: true}}").root.ca == ExistingCA()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("365d", timedelta(days=365)),
        ("72h", timedelta(hours=72)),
        ("2d12h30m", timedelta(days=2, hours=12, minutes=30)),
    ],
)
def test_durations_are_days_hours_and_minutes(written: str, meant: timedelta) -> None:
    assert mesh(f"rootOfTrust: {{intermediate: {{validity: {written}}}}}").root.intermediate.validity == meant


def test_renewal_begins_in_the_last_quarter_of_a_short_life() -> None:
    assert mesh().root.intermediate.renew_before == timedelta(days=90)
    short = mesh("rootOfTrust: {intermediate: {validity: 40d}}").root.intermediate
    assert short.renew_before == timedelta(days=10)


def test_values_are_laid_over_one_another(tmp_path: Path) -> None:
    (tmp_path / "d.yaml").write_text("pilot: {a: 1, b: 1, c: 1, d: 1}\nlist: [1, 2]\n")
    (tmp_path / "c.yaml").write_text("pilot: {c: 3}\nlist: [3]\n")
    found = mesh(f"""
defaults:
  valuesFiles: {{istiod: ['{tmp_path}/d.yaml']}}
  values: {{istiod: {{pilot: {{b: 2}}}}, cni: {{x: 1}}}}
clusters:
- {{name: a, valuesFiles: {{istiod: ['{tmp_path}/c.yaml']}}, values: {{istiod: {{pilot: {{d: null}}}}}}}}
- {{name: b}}
""")
    assert found.cluster("a").charts["istiod"].values == {
        "pilot": {"a": 1, "b": 2, "c": 3, "d": None},
        "list": [3],
    }
    assert found.cluster("b").charts["istiod"].values == {
        "pilot": {"a": 1, "b": 2, "c": 1, "d": 1},
        "list": [1, 2],
    }
    assert found.cluster("b").charts["cni"].values == {"x": 1}


def test_a_cluster_says_otherwise_than_the_defaults() -> None:
    found = mesh("""
defaults: {kubeconfig: kc, region: eu, eastwest: {service: NodePort}, namespaces: {ztunnel: kube-system}}
clusters:
- {name: a, namespaces: {istiod: mesh}, region: us, zone: z1, eastwest: {service: LoadBalancer}}
- {name: b, kubeconfig: /else, network: net, clusterName: c, trustDomain: t.example, context: ctx}
""")
    a, b = found.clusters
    assert (a.kubeconfig, a.eastwest.region, a.eastwest.zone, a.eastwest.service) == (
        str(ROOT / "kc"),
        "us",
        "z1",
        "LoadBalancer",
    )
    assert {name: chart.namespace for name, chart in a.charts.items()} == {
        "base": "mesh",
        "istiod": "mesh",
        "cni": "mesh",
        "ztunnel": "kube-system",
    }
    assert (b.kubeconfig, b.context, b.cluster_name, b.network, b.trust_domain) == (
        "/else",
        "ctx",
        "c",
        "net",
        "t.example",
    )
    assert b.eastwest.service == "NodePort"


def pairs(text: str) -> set[str]:
    return {f"{link.source}>{link.target}" for link in mesh(text).links}


def test_links_are_written_in_several_ways() -> None:
    everyone = {"a>b", "a>c", "b>a", "b>c", "c>a", "c>b"}
    assert pairs("") == pairs("links: full-mesh") == pairs("links: [{between: [a, b, c]}]") == everyone
    assert pairs("links: []") == set()
    assert pairs("links: [{from: a, to: b}]") == {"a>b"}
    assert pairs("links: [{from: [a, b], to: c}]") == {"a>c", "b>c"}
    assert pairs("links: [{between: [a, b]}, {from: a, to: [c]}]") == {"a>b", "b>a", "a>c"}


def test_a_link_knows_where_it_was_written() -> None:
    [link] = mesh("links:\n- {from: a, to: b}").links
    assert link.origin == Origin("mesh.yaml", 8, 5)
    assert mesh("clusters:\n- name: a\n- name: b").links[0].origin.line == 7


def test_overrides_win_over_the_file() -> None:
    given = Overrides.read(
        {"MESH_CONTEXT_B": "from-env", "MESH_CONTEXT_A": "lost", "MESH_CHART_SOURCE": "mesh/lab/charts"}
        | {"MESH_GATEWAY_API_SOURCE": "mesh/lab/charts"},
        ["a=from-option"],
    )
    found = mesh("gatewayAPI: {sha256: " + "a" * 64 + "}", overrides=given)
    assert [cluster.context for cluster in found.clusters] == ["from-option", "from-env", "c"]
    assert found.clusters[0].charts["base"].ref == str(ROOT / "mesh/lab/charts/base")
    assert (found.gateway_api.source, found.gateway_api.sha256) == (str(ROOT / "mesh/lab/charts"), "")
    assert found.digest != mesh("gatewayAPI: {sha256: " + "a" * 64 + "}").digest


def test_an_override_for_no_cluster_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="there is no cluster clutser1") as caught:
        mesh("clusters: [{name: cluster1}]", overrides=Overrides.read({}, ["clutser1=x"]))
    assert caught.value.hint == "did you mean cluster1?"
    with pytest.raises(UsageError, match="is not a valid override"):
        Overrides.read({}, ["cluster1"])


def test_what_comes_from_the_net_is_pinned() -> None:
    assert mesh().gateway_api.sha256.startswith("510338cf")
    mirror = mesh("gatewayAPI: {version: v1.4.0, source: 'https://mirror.example/standard-install.yaml'}")
    assert mirror.gateway_api.sha256.startswith("6a4029e6")
    own = mesh("gatewayAPI: {version: v1.9.0, sha256: " + "b" * 64 + "}")
    assert own.gateway_api.sha256 == "b" * 64
    elsewhere = Overrides(gateway_api="https://mirror.example/standard-install.yaml")
    found = mesh("gatewayAPI: {sha256: " + "b" * 64 + "}", overrides=elsewhere)
    assert found.gateway_api.sha256.startswith("510338cf")


def test_a_bad_override_is_named() -> None:
    [first, *_] = mistakes(overrides=Overrides(charts="/nowhere"))
    assert first == "spec.istio.charts.source: MESH_CHART_SOURCE: no such folder: /nowhere"
    assert mistakes(overrides=Overrides(gateway_api="/nowhere")) == [
        "spec.gatewayAPI.source: MESH_GATEWAY_API_SOURCE: no such file or folder: /nowhere"
    ]


@pytest.mark.parametrize(
    "path", ["x" * 5000, "~nobody-here/x", "~/none", "/dev/null/x", "a/" * 900, "../" * 50 + "x"]
)
def test_a_path_that_cannot_be_is_a_file_that_is_not_there(path: str) -> None:
    found = mistakes(
        f"rootOfTrust: {{ca: {{files: {{cert: '{path}', key: '{path}'}}}}}}\n"
        f"gatewayAPI: {{source: '{path}'}}\n"
        f"defaults: {{kubeconfig: '{path}', valuesFiles: {{cni: ['{path}']}}}}",
        istio=f"{{version: 1.30.2-solo, charts: {{source: '{path}'}}, license: {{file: '{path}'}}}}",
    )
    assert len(found) == 5
    assert all("no such" in each for each in found)


def test_the_digest_covers_every_file(tmp_path: Path) -> None:
    values = tmp_path / "v.yaml"
    text = f"defaults: {{valuesFiles: {{istiod: ['{values}']}}}}"
    values.write_text("a: 1\n")
    first = mesh(text).digest
    assert mesh(text).digest == first
    values.write_text("a: 2\n")
    assert mesh(text).digest != first


def test_sensitive_paths_must_lead_to_a_value() -> None:
    values = "defaults: {values: {istiod: {a: {password: x, dotted.key: {b: 1}}}}}"
    found = mesh(values + "\nsensitive: [a.password, 'a.\"dotted.key\".b']")
    assert found.sensitive == ("a.password", 'a."dotted.key".b')
    assert mistakes(values + "\nsensitive: [a.pasword]") == [
        'spec.sensitive[0]: no chart value has the path "a.pasword"'
    ]


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


def test_a_flood_of_mistakes_is_cut_with_a_count() -> None:
    many = "".join(f"- {{name: c{n}, wrong: 1}}\n" for n in range(250))
    with pytest.raises(InputError) as caught:
        mesh(f"clusters:\n{many}")
    assert len(caught.value.problems) == 101
    assert caught.value.problems[-1].what.endswith("more from here")


def test_a_large_mesh_is_decoded_quickly() -> None:
    clusters = "".join(f"- {{name: c{n}}}\n" for n in range(250))
    start = time.process_time()
    assert len(mesh(f"clusters:\n{clusters}").links) == 250 * 249
    assert time.process_time() - start < 3


# --- the JSON Schema -------------------------------------------------------------------------


def test_the_schema_in_the_repository_is_current() -> None:
    assert (ROOT / "schemas/desired-state.schema.json").read_text(encoding="utf-8") == schema_text()


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(json_schema())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_every_example_is_valid_for_both(path: Path) -> None:
    doc = parse(path.read_bytes(), str(path))
    assert list(VALIDATOR.iter_errors(doc.data)) == []
    load_mesh(path)
    first = path.read_text(encoding="utf-8").splitlines()[0]
    schema = first.removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / schema).resolve() == ROOT / "schemas/desired-state.schema.json"


def test_every_known_key_is_described_or_speaks_for_itself() -> None:
    spec = json_schema()["definitions"]["ClusterPart"]["properties"]
    assert set(spec) == set(keys_at(("spec", "clusters", 0)))
    assert spec["context"]["description"] == "kubeconfig context; default: the name"


def fits(data: Any) -> bool:
    """Whether the models take it: keys, types and the forms of words."""
    try:
        MeshPart.model_validate(data)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_the_schema_refuses_what_has_the_wrong_shape(path: Path) -> None:
    try:
        doc = parse(path.read_bytes(), str(path))
    except InputError:
        return
    if not fits(doc.data):
        assert list(VALIDATOR.iter_errors(doc.data))


def test_the_schema_alone_finds_half_of_the_bad_files() -> None:
    found = 0
    for path in BAD:
        try:
            found += bool(list(VALIDATOR.iter_errors(parse(path.read_bytes(), str(path)).data)))
        except InputError:
            found += 1
    assert found > len(BAD) / 2


WORDS = st.sampled_from(
    ["a", "b", "full-mesh", "1.30.2-solo", "Mesh", "mesh/v1", "365d", "", "${X}", "x y", "A" * 70]
)
KEYS = st.sampled_from(
    sorted({key for part in json_schema()["definitions"].values() for key in part["properties"]})
)
DATA = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | WORDS
    | st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


def good() -> dict[str, Any]:
    return {
        "apiVersion": "mesh/v1",
        "kind": "Mesh",
        "metadata": {"name": "prod"},
        "spec": {
            "istio": {"version": "1.30.2-solo", "license": {"env": "KEY"}},
            "rootOfTrust": {"ca": {"generate": {}}, "intermediate": {"validity": "30d"}},
            "defaults": {"values": {"istiod": {"a": 1}}, "eastwest": {"service": "LoadBalancer"}},
            "clusters": [{"name": "a", "namespaces": {"cni": "kube-system"}}, {"name": "b"}],
            "links": [{"from": "a", "to": ["b"]}],
            "sensitive": [],
        },
    }


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, item in inner for place in places(item, (*at, key)))]


def decoded(data: Any) -> bool:
    """Whether the decoder takes it; anything else than `InputError` fails the test."""
    try:
        decode(Document("f.yaml", data))
    except InputError as error:
        assert error.problems
        assert all("\x1b" not in str(problem) for problem in error.problems)
        return False
    return True


@given(DATA)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_data_is_decoded_or_refused(data: Any) -> None:
    decoded(data)


@given(st.sampled_from(places(good())[1:]), DATA)
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_good_file_with_one_change_is_decoded_or_refused_as_the_schema_says(
    place: tuple[Any, ...], value: Any
) -> None:
    data = good()
    target: Any = data
    for part in place[:-1]:
        target = target[part]
    target[place[-1]] = value
    accepted, refused = decoded(data), list(VALIDATOR.iter_errors(data))
    assert not (accepted and refused)
    assert refused or fits(data)


def test_the_reference_names_every_key() -> None:
    text = (ROOT / "docs/reference/mesh-file.md").read_text(encoding="utf-8")
    keys = {key for part in json_schema()["definitions"].values() for key in part["properties"]}
    missing = {key for key in keys if not re.search(rf"\b{re.escape(key)}\b", text)}
    assert missing == set()


UPSTREAM = "{distribution: upstream, version: 1.29.1}"


def test_an_upstream_mesh_has_defaults_of_its_own() -> None:
    found = mesh(istio=UPSTREAM)
    one = found.cluster("a")
    assert (found.hub, found.tag, found.mesh_id) == ("docker.io/istio", "1.29.1", "prod")
    assert {each.trust_domain for each in found.clusters} == {"cluster.local"}
    assert (one.network, one.api_server, one.allow_loopback) == ("a", "", False)
    assert (one.eastwest.namespace, one.eastwest.name) == ("istio-system", "istio-eastwestgateway")
    chart = one.charts["istiod"]
    assert (chart.ref, chart.repo) == ("istiod", "https://istio-release.storage.googleapis.com/charts")
    assert (chart.version, found.gateway_api.version) == ("1.29.1", "v1.4.0")
    licence = found.licence
    assert (licence.env, licence.file, licence.secret) == ("", "", None)


def test_an_upstream_mesh_can_be_said_otherwise() -> None:
    istio = (
        "{distribution: upstream, version: 1.30.0-rc.1, meshID: mesh1, charts: {source: oci://x.example/c}}"
    )
    found = mesh(
        "defaults: {allowLoopback: true, namespaces: {istiod: mesh}}\n"
        "clusters:\n"
        '- {name: a, apiServer: "https://a.example:6443/", trustDomain: one.example}\n'
        "- {name: b, allowLoopback: false, namespaces: {eastwest: edge}, trustDomain: one.example}",
        istio=istio,
    )
    a, b = found.clusters
    assert (found.mesh_id, a.charts["cni"].ref) == ("mesh1", "oci://x.example/c/cni")
    assert (a.api_server, a.allow_loopback, b.allow_loopback) == ("https://a.example:6443", True, False)
    assert (a.eastwest.namespace, b.eastwest.namespace, a.trust_domain) == ("mesh", "edge", "one.example")


def test_asymmetric_links_of_an_upstream_mesh_are_ordered_pairs() -> None:
    found = mesh("links: [{from: a, to: [b, c]}, {between: [b, c]}]", istio=UPSTREAM)
    pairs = [(link.source, link.target) for link in found.links]
    assert pairs == [("a", "b"), ("a", "c"), ("b", "c"), ("c", "b")]
