"""What why, history and output tell of an applied mesh."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from mesh.istio.names import NETWORK
from tests.conftest import Tool

from .chains import fingerprint
from .hands import Mesh

SYSTEM = ("namespace", "istio-system")
ADDRESS = ("gateway", "-n", "istio-eastwest", "istio-eastwest", "-o", "jsonpath={.status.addresses[0].value}")


def told(mesh: Mesh, *args: str) -> Any:
    answer = mesh(*args, "--json")
    assert answer.code == 0, answer
    return json.loads(answer.out)


def line_of(mesh: Mesh, text: str) -> int:
    """The line of the mesh file that holds a text."""
    lines = mesh.file.read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def test_why_tells_what_a_link_is_made_of_and_what_it_waits_for(mesh: Mesh) -> None:
    answer = mesh("why", "link/cluster1/cluster2")
    assert answer.code == 0, answer
    assert answer.out.startswith("link/cluster1/cluster2: in sync and ready\n")
    assert f"wanted    in mesh.yaml:{line_of(mesh, 'links:')}" in answer.out
    waits = answer.out.partition("Waits for\n")[2].partition("\n\n")[0]
    for cluster in ("cluster1", "cluster2"):
        assert f"gateway/{cluster}/istio-eastwest    in sync and ready" in waits
    assert answer.out.endswith("Needed by\nnothing\n")
    found = told(mesh, "why", "link/cluster1/cluster2")
    address = next(each for each in found["fields"] if each["path"][:2] == ["spec", "addresses"])
    assert (address["state"], address["live"]) == ("in sync", address["wanted"])
    assert [each["manager"] for each in address["written_by"]] == ["mesh/link"]
    assert datetime.fromisoformat(address["written_by"][0]["time"])


def test_why_tells_who_wrote_a_field_and_what_is_held_up(mesh: Mesh, kubectl: Tool) -> None:
    kubectl("cluster2", "label", "--overwrite", *SYSTEM, f"{NETWORK}=elsewhere")
    found = told(mesh, "why", "label/cluster2/istio-system")
    assert (found["state"], found["wanted"]["line"]) == ("differs", line_of(mesh, "name: cluster2"))
    (network,) = found["fields"]
    assert (network["live"], network["wanted"], network["state"]) == ("elsewhere", "cluster2", "differs")
    assert [each["manager"] for each in network["written_by"]] == ["kubectl-label"]
    assert "gateway/cluster2/istio-eastwest" in [each["address"] for each in found["needed_by"]]
    link = mesh("why", "link/cluster1/cluster2")
    behind = link.out.partition("Which in turn wait for\n")[2].partition("\n\n")[0]
    assert "label/cluster2/istio-system  differs in 1 field (changed outside mesh)" in behind
    mesh.mended()


def test_why_tells_of_every_resource_and_no_secret(mesh: Mesh) -> None:
    for address in (
        "cert/-/root",
        "cert/cluster1/cacerts",
        "chart/cluster1/istiod",
        "crds/cluster1/gateway-api",
    ):
        answer = mesh("why", address)
        assert answer.code == 0, answer
        assert "in sync and ready" in answer.out
    secret = mesh("why", "secret/cluster1/solo-istio-license")
    assert "mesh/secret" in secret.out
    assert mesh.env["GLOO_MESH_LICENSE_KEY"] not in secret.out
    chart = mesh("why", "chart/cluster1/istiod").out
    assert "helm (revision " in chart
    assert "values.global.network" in chart


def test_why_of_what_is_not_there_names_what_may_be_meant(mesh: Mesh) -> None:
    answer = mesh("why", "link/cluster1/cluster")
    assert answer.code == 64, answer
    assert "did you mean link/cluster1/cluster2?" in answer.err


def test_why_of_what_left_the_file_says_so(mesh: Mesh) -> None:
    mesh.edit(lambda spec: spec.update(links=[{"from": "cluster1", "to": "cluster2"}]))
    answer = mesh("why", "link/cluster2/cluster1")
    assert answer.code == 0, answer
    assert answer.out.startswith("link/cluster2/cluster1: no longer in the configuration")
    assert "recorded  created by mesh" in answer.out


def test_history_tells_who_applied_what(mesh: Mesh, kubectl: Tool) -> None:
    kubectl("cluster1", "label", "--overwrite", *SYSTEM, f"{NETWORK}=elsewhere")
    plan = json.loads(mesh("plan", "--json").out)
    mesh.mended()
    newest, *older = told(mesh, "history")["runs"]
    lock = mesh.lock()
    assert (newest["serial"], newest["run"]) == (lock["serial"], lock["run"])
    assert (newest["verb"], newest["end"], newest["digest"]) == ("apply", "complete", plan["digest"])
    assert {"sign": "~", "address": "label/cluster1/istio-system", "done": True} in newest["deeds"]
    assert newest["clusters"] == ["cluster1", "cluster2"]
    assert datetime.fromisoformat(newest["began"]) <= datetime.fromisoformat(newest["ended"])
    assert newest["who"]
    assert newest["host"]
    assert [each["serial"] for each in older] == sorted((each["serial"] for each in older), reverse=True)
    assert "ended" not in (mesh.folder / "mesh.lock").read_text()
    answer = mesh("history", "--steps")
    assert answer.code == 0, answer
    assert answer.out.startswith("SERIAL  WHEN ")
    assert answer.out.splitlines()[1].startswith(f"{lock['serial']} ")
    assert f"Serial {lock['serial']}, apply, " in answer.out
    assert "  ~ label/cluster1/istio-system\n" in answer.out


def test_an_apply_without_changes_is_no_history(mesh: Mesh) -> None:
    before = told(mesh, "history")
    mesh.applied()
    assert told(mesh, "history") == before


def test_output_gives_scripts_addresses_and_the_root(mesh: Mesh, kubectl: Tool) -> None:
    found = told(mesh, "output")
    addresses = {cluster: kubectl(cluster, "get", *ADDRESS) for cluster in ("cluster1", "cluster2")}
    assert found["eastwest_addresses"] == addresses
    assert found["networks"] == {"cluster1": "cluster1", "cluster2": "cluster2"}
    assert found["trust_domains"] == {"cluster1": "cluster1.local", "cluster2": "cluster2.local"}
    root = (mesh.folder / "config" / "mesh" / "demo" / "root.crt").read_text()
    assert found["root_certificate"] == root
    assert mesh("output", "root_certificate", "--raw").out == root
    assert found["root_fingerprint"].removeprefix("sha256:") == fingerprint(root.encode())
    assert mesh("output", "eastwest_addresses.cluster1", "--raw").out == addresses["cluster1"]
    assert told(mesh, "output", "networks") == found["networks"]
    text = mesh("output").out
    assert f'  "cluster2" = "{addresses["cluster2"]}"\n' in text
    assert 'mesh = "demo"\n' in text
    wrong = mesh("output", "network")
    assert (wrong.code, "did you mean networks?" in wrong.err) == (64, True)
    assert mesh("output", "networks", "--raw").code == 64


def test_output_reads_the_root_from_the_clusters_where_others_keep_it(mesh: Mesh) -> None:
    own = told(mesh, "output")
    mesh.edit(lambda spec: spec.update(rootOfTrust={"ca": {"existing": True}}))
    found = told(mesh, "output")
    assert found["root_fingerprint"] == own["root_fingerprint"]
    assert fingerprint(found["root_certificate"].encode()) == fingerprint(own["root_certificate"].encode())


def test_output_says_what_is_not_known(mesh: Mesh, kubectl: Tool) -> None:
    kubectl("cluster2", "delete", "gateway", "-n", "istio-eastwest", "istio-eastwest")
    answer = mesh("output", "eastwest_addresses", "--json")
    assert answer.code == 6, answer
    assert json.loads(answer.out)["cluster2"] is None
    assert "eastwest_addresses.cluster2 is not known: its east-west gateway is missing" in answer.err
    assert mesh("output", "networks").code == 0
    mesh.mended()


def test_a_trace_lists_every_request_once_and_no_secret(mesh: Mesh, kubectl: Tool) -> None:
    """A plan that has work for helm, so that a rendering is traced as well as the requests and decisions."""
    log = mesh.folder / "trace.log"
    kubectl("cluster1", "label", "--overwrite", *SYSTEM, f"{NETWORK}=elsewhere")
    mesh.edit(lambda spec: spec.update(defaults={"values": {"istiod": {"pilot": {"autoscaleMin": 2}}}}))
    answer = mesh("plan", env={"MESH_LOG": f"debug:{log}"})
    assert answer.code == 0, answer
    assert "DEBUG" not in answer.err
    text = log.read_text("ascii")
    lines = text.splitlines()
    requests = [line for line in lines if " event=request " in line]
    assert all(re.search(r" status=\d+ ms=\S+ .*bytes=\d+ attempt=\d+$", line) for line in requests), requests
    lists = [
        re.sub(r"^\S+ | ms=\S+| bytes=\S+", "", line)
        for line in requests
        if "limit=500" in line and line.endswith(" attempt=1")
    ]
    assert sorted(lists) == sorted(set(lists))
    for cluster in ("cluster1", "cluster2"):
        assert any(f"cluster={cluster} " in line and "/secrets?" in line for line in lists)
    assert any("event=process" in line and " template " in line and " exit=0 " in line for line in lines)
    assert any("address=label/cluster1/istio-system action=update" in line for line in lines)
    assert any("event=decision" in line and "action=none" in line for line in lines)
    key = (mesh.folder / "config" / "mesh" / "demo" / "root.key").read_text().splitlines()[1]
    without_group = text.replace("authorization.k8s.io", "")  # a group of the API, in the paths of requests
    for secret in (mesh.env["GLOO_MESH_LICENSE_KEY"], key, "PRIVATE KEY", "uthorization", "Bearer"):
        assert secret not in without_group
    assert mesh("plan", "-v").err.count(" event=request ") >= len(requests)
