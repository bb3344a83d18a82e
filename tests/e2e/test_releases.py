"""Helm releases: what a new licence, a new value or somebody's own helm does to them."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from tests.conftest import Tool
from tests.support.canaries import LISTED, hits, planted

from .hands import Mesh, block

pytestmark = pytest.mark.long

SYSTEM = ("-n", "istio-system")
ISTIOD = "istio-system/istiod"


def revisions(helm: Tool) -> dict[str, str]:
    """The revision of every release, by cluster and name."""
    found = {}
    for cluster in ("cluster1", "cluster2"):
        for release in json.loads(helm(cluster, "list", "-A", "-o", "json")):
            found[f"{cluster}/{release['name']}"] = release["revision"]
    return found


def istiods(kubectl: Tool, cluster: str) -> set[str]:
    return set(kubectl(cluster, "get", "pods", *SYSTEM, "-l", "app=istiod", "-o", "name").split())


def upgrade_by_hand(helm: Tool, mesh: Mesh, release: str, *args: str) -> None:
    """What somebody types who does not know of mesh."""
    chart = f"{mesh.env['MESH_CHART_SOURCE']}/{release.removeprefix('istio-')}"
    helm("cluster1", "upgrade", release, chart, *SYSTEM, "--reuse-values", "--wait", "--timeout=120s", *args)


def test_a_changed_licence_restarts_istiod(mesh: Mesh, kubectl: Tool) -> None:
    before = istiods(kubectl, "cluster1")
    newer = {"GLOO_MESH_LICENSE_KEY": "a-newer-licence"}
    plan = mesh("plan", "--detailed-exitcode", env=newer)
    assert plan.code == 2
    assert "data.license-key" in block(plan.out, "secret/cluster1/solo-istio-license")
    istiod = block(plan.out, "chart/cluster1/istiod")
    assert "(known after secret/cluster1/solo-istio-license)" in istiod
    assert f"~ Deployment {ISTIOD}" in istiod
    assert "Plan: 0 to add, 4 to change, 0 to destroy." in plan.out
    assert "a-newer-licence" not in plan.out
    mesh.applied(env=newer)
    assert mesh("plan", "--detailed-exitcode", env=newer).code == 0
    after = istiods(kubectl, "cluster1")
    assert not after & before
    mesh.mended()


def test_a_licence_that_ran_out_everywhere_is_renewed_though_no_link_works_until_all_have_it(
    mesh: Mesh, kubectl: Tool
) -> None:
    mesh("apply", "--yes", "--skip-check", "S12", env={"GLOO_MESH_LICENSE_KEY": "invalid-since-yesterday"})
    down = "--for=condition=gloo.solo.io/PeerConnected=False"
    for cluster in ("cluster1", "cluster2"):
        peers = ("gateway", "-n", "istio-eastwest", "-l", "topology.istio.io/network!=" + cluster)
        kubectl(cluster, "wait", down, *peers, "--timeout=100s")
    plan = mesh.pending().out
    assert "waits until cluster1 is done and ready, and passes its checks" in plan
    assert "<= link/cluster1/cluster2: " in plan
    mesh.mended()


def test_no_secret_among_the_values_is_printed_or_recorded_and_a_changed_one_converges(
    mesh: Mesh, kubectl: Tool
) -> None:
    found = planted()
    values = {**found.values, "pilot": {"env": {"DB_PASS": found.new()}}}
    mesh.edit(lambda spec: spec.update(sensitive=list(LISTED)))
    mesh.edit(lambda spec: spec["clusters"][0].update(values={"istiod": values}))
    said = [mesh(*line) for line in (("show", "--manifests"), ("render", "--commands"), ("plan", "--json"))]
    said += [mesh("apply", "--yes", "-v"), mesh("plan", "--detailed-exitcode")]
    assert [answer.code for answer in said] == [0] * 5
    values["pilot"]["env"]["DB_PASS"] = found.new()
    mesh.edit(lambda spec: spec["clusters"][0].update(values={"istiod": values}))
    plan = mesh.pending()
    assert "~ values.pilot.env.DB_PASS = (sensitive value)" in plan.out
    assert plan.out.count("values.") == 1, plan
    said += [plan, mesh.applied(), mesh("plan", "--detailed-exitcode"), mesh("why", "chart/cluster1/istiod")]
    assert [answer.code for answer in said[-2:]] == [0, 0]
    texts = [answer.out + answer.err for answer in said]
    texts.append(kubectl("cluster1", "get", "configmap", "mesh-demo-state", *SYSTEM, "-o", "yaml"))
    kept = [mesh.folder / "mesh.lock", *(mesh.folder / ".mesh").rglob("*")]
    texts += [path.read_bytes().decode("utf-8", "replace") for path in kept if path.is_file()]
    assert [hit for text in texts for hit in hits(text, found.secrets)] == []
    key = kubectl("cluster1", "get", "secret", "mesh-demo-key", *SYSTEM, "-o", "jsonpath={.data.key}")
    assert key
    assert key not in "".join(texts)


def test_a_changed_value_is_shown_as_value_and_as_manifest_and_upgrades_that_release_only(
    mesh: Mesh, kubectl: Tool, helm: Tool
) -> None:
    before = revisions(helm)
    original = mesh.file.read_bytes()
    mesh.edit(lambda spec: spec["clusters"][0].update(values={"istiod": {"pilot": {"env": {"TRY": "one"}}}}))
    plan = mesh.pending().out
    told, _, manifests = block(plan, "chart/cluster1/istiod").partition("rendered manifests:")
    assert '+ values.pilot.env.TRY = "one"' in told
    assert f"~ Deployment {ISTIOD}" in manifests
    assert '"one"' in manifests
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in plan
    assert "WebhookConfiguration" not in plan
    mesh.mended()
    changed = {name for name, revision in revisions(helm).items() if revision != before[name]}
    assert changed == {"cluster1/istiod"}
    env = kubectl("cluster1", "get", "deployment", *SYSTEM, "istiod", "-o", "json")
    assert '"name": "TRY"' in env
    mesh.file.write_bytes(original)
    assert '- values.pilot.env.TRY = "one"' in block(mesh.pending().out, "chart/cluster1/istiod")
    mesh.mended()
    assert '"name": "TRY"' not in kubectl("cluster1", "get", "deployment", *SYSTEM, "istiod", "-o", "json")


def test_a_value_that_the_file_calls_sensitive_is_not_shown_when_it_goes(mesh: Mesh) -> None:
    def told(spec: Any) -> None:
        spec["sensitive"] = ["env.PLAIN_WORD"]
        spec["defaults"] = {"values": {"istiod": {"env": {"PLAIN_WORD": "canary-word"}}}}

    original = mesh.file.read_bytes()
    mesh.edit(told)
    mesh.applied()
    goes = mesh("destroy")
    assert goes.code == 64, goes  # no terminal to ask on
    assert "values.env.PLAIN_WORD" in block(goes.out, "chart/cluster1/istiod")
    mesh.edit(lambda spec: spec["clusters"].pop())
    leaves, why = mesh("plan", "--json"), mesh("why", "chart/cluster2/istiod")
    assert "PLAIN_WORD" in leaves.out
    assert "PLAIN_WORD" in why.out
    for answer in (goes, leaves, why):
        assert "canary" not in answer
    assert "canary" not in json.dumps(mesh.lock())
    mesh.file.write_bytes(original)
    mesh.mended()


def test_a_value_of_ours_set_by_hand_with_helm_is_shown_and_mended(mesh: Mesh, helm: Tool) -> None:
    upgrade_by_hand(helm, mesh, "istiod", "--set", "meshConfig.trustDomain=evil.local")
    told = block(mesh.pending().out, "chart/cluster1/istiod")
    assert '~ values.meshConfig.trustDomain = "evil.local" -> "cluster1.local"' in told
    assert "changed outside mesh" in told
    mesh.mended()
    values = json.loads(helm("cluster1", "get", "values", "istiod", *SYSTEM, "-o", "json"))
    assert values["meshConfig"]["trustDomain"] == "cluster1.local"


def test_another_trust_domain_of_an_istiod_that_is_taken_over_is_confirmed_by_name(
    mesh: Mesh, helm: Tool
) -> None:
    """Nothing of it is recorded any more, and its root of trust is the mesh's: only its identities change."""
    text = mesh.file.read_bytes()
    assert mesh("state", "forget", "chart/cluster1/istiod", "--yes").code == 0
    upgrade_by_hand(helm, mesh, "istiod", "--set", "meshConfig.trustDomain=old.local")
    refused = mesh("plan")
    assert refused.code == 5, refused
    assert "issues identities of trust domain old.local, the configuration says cluster1.local" in refused.err
    mesh.edit(lambda spec: spec.setdefault("rootOfTrust", {}).update(migrate="restart"))
    plan = mesh.pending()
    changes = "the trust domain changes from old.local to cluster1.local"
    assert f"disruptive: {changes}" in block(plan.out, "chart/cluster1/istiod")
    assert f"in cluster1 {changes}: every identity is issued again" in " ".join(plan.out.split())
    assert "its root of trust changes" not in plan.out
    assert json.loads(mesh("plan", "--json").out)["confirm"] == ["cluster1"]
    unconfirmed = mesh("apply", "--yes")
    assert unconfirmed.code == 64, unconfirmed
    assert "--confirm cluster1" in unconfirmed.err
    mesh.applied("--confirm", "cluster1")
    mesh.settled()
    mesh.file.write_bytes(text)
    mesh.mended()


def test_a_value_of_theirs_set_by_hand_with_helm_is_left_alone(mesh: Mesh, helm: Tool) -> None:
    upgrade_by_hand(helm, mesh, "ztunnel", "--set", "podLabels.team=payments")
    mesh.settled()
    mesh.edit(lambda spec: spec.update(defaults={"values": {"ztunnel": {"logLevel": "debug"}}}))
    mesh.mended()
    values = json.loads(helm("cluster1", "get", "values", "ztunnel", *SYSTEM, "-o", "json"))
    assert (values["podLabels"], values["logLevel"]) == ({"team": "payments"}, "debug")


def test_a_field_of_a_chart_edited_with_kubectl_is_taken_back_with_the_next_upgrade(
    mesh: Mesh, kubectl: Tool
) -> None:
    deployment = ("deployment", *SYSTEM, "istiod")
    image = json.loads(kubectl("cluster1", "get", *deployment, "-o", "json"))["spec"]["template"]["spec"]
    right = image["containers"][0]["image"]
    kubectl("cluster1", "set", "image", *deployment[:1], "istiod", *SYSTEM, "discovery=evil.example/pilot:1")
    mesh.edit(lambda spec: spec["clusters"][0].update(values={"istiod": {"pilot": {"env": {"TRY": "two"}}}}))
    told = block(mesh.pending().out, "chart/cluster1/istiod")
    assert "takes by force:" in told
    assert "kubectl-set" in told
    mesh.mended()
    after = json.loads(kubectl("cluster1", "get", *deployment, "-o", "json"))["spec"]["template"]["spec"]
    assert after["containers"][0]["image"] == right


@pytest.mark.parametrize("how", [(), ("--keep-history",)])
def test_a_release_uninstalled_by_hand_comes_back(mesh: Mesh, helm: Tool, how: tuple[str, ...]) -> None:
    helm("cluster2", "uninstall", "istio-cni", *SYSTEM, *how)
    told = block(mesh.pending().out, "chart/cluster2/cni")
    assert "deleted outside mesh since the last apply" in told
    mesh.mended()


def test_a_release_that_somebody_elses_helm_left_half_done_is_not_touched(
    mesh: Mesh, kubectl: Tool, helm: Tool
) -> None:
    upgrade_by_hand(helm, mesh, "istio-cni", "--set", "try=one")
    newest = ("secret", *SYSTEM, "-l", "owner=helm,name=istio-cni,status=deployed", "-o", "name")
    whole = left_pending(kubectl, kubectl("cluster1", "get", *newest).strip())
    refused = mesh("plan")
    assert refused.code == 5
    assert "release istio-cni in istio-system is pending-upgrade since " in refused.err
    assert "mesh recover" in refused.err
    kubectl("cluster1", "replace", "-f", "-", stdin=whole)
    mesh.settled()


def left_pending(kubectl: Tool, secret: str) -> str:
    """Make a revision look as a killed helm leaves it; return what it was before."""
    found = json.loads(kubectl("cluster1", "get", *SYSTEM, secret, "-o", "json"))
    del found["metadata"]["resourceVersion"]
    before = json.dumps(found)
    packed = base64.b64decode(base64.b64decode(found["data"]["release"]))
    release = json.loads(gzip.decompress(packed))
    release["info"]["status"] = found["metadata"]["labels"]["status"] = "pending-upgrade"
    packed = base64.b64encode(gzip.compress(json.dumps(release).encode()))
    found["data"]["release"] = base64.b64encode(packed).decode()
    kubectl("cluster1", "replace", "-f", "-", stdin=json.dumps(found))
    return before


def test_what_somebody_did_to_the_objects_of_a_release_is_shown_and_mended(mesh: Mesh, kubectl: Tool) -> None:
    kubectl("cluster1", "delete", "configmap", "istio-cni-config", *SYSTEM)
    patch = json.dumps({"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 77}}}})
    kubectl("cluster1", "patch", "daemonset", "ztunnel", *SYSTEM, "-p", patch)
    plan = mesh.pending().out
    assert "ConfigMap istio-cni-config" in block(plan, "chart/cluster1/cni")
    ztunnel = block(plan, "chart/cluster1/ztunnel")
    assert "terminationGracePeriodSeconds" in ztunnel
    assert "changed outside mesh by kubectl-patch" in ztunnel
    mesh.mended()
    found = kubectl("cluster1", "get", "daemonset", "ztunnel", *SYSTEM, "-o", "json")
    assert json.loads(found)["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 29
    kubectl("cluster1", "get", "configmap", "istio-cni-config", *SYSTEM)


def changed(kubectl: Tool, cluster: str, what: tuple[str, ...], *operations: dict[str, Any]) -> None:
    """Change an object with `kubectl patch`, by JSON patch."""
    kubectl(cluster, "patch", *what, "--type=json", "-p", json.dumps(operations))


def test_what_was_removed_from_a_release_or_added_to_it_is_shown_and_put_back_by_one_apply(
    mesh: Mesh, kubectl: Tool
) -> None:
    deployment = ("deployment", "istiod", *SYSTEM)
    role = ("clusterrole", "istiod-clusterrole-istio-system")
    webhook = ("validatingwebhookconfiguration", "istio-validator-istio-system")
    crd = ("crd", "authorizationpolicies.security.istio.io")
    before = {what: stripped(kubectl, what) for what in (deployment, role, webhook, crd)}
    pod = "/spec/template/spec"
    changed(
        kubectl,
        "cluster1",
        deployment,
        {"op": "remove", "path": f"{pod}/containers/0/env/0"},
        {"op": "add", "path": f"{pod}/containers/0/args/-", "value": "--log_output_level=all:debug"},
    )
    kubectl("cluster1", "set", "env", "deployment/istiod", *SYSTEM, "ADDED_BY_HAND=1")
    changed(
        kubectl,
        "cluster2",
        ("daemonset", "ztunnel", *SYSTEM),
        {"op": "add", "path": f"{pod}/volumes/-", "value": {"name": "debug", "emptyDir": {}}},
    )
    changed(kubectl, "cluster1", role, {"op": "remove", "path": "/rules/0"})
    changed(
        kubectl,
        "cluster1",
        webhook,
        {"op": "replace", "path": "/webhooks/0/rules/0/operations", "value": ["CREATE"]},
    )
    changed(
        kubectl, "cluster1", crd, {"op": "replace", "path": "/spec/names/shortNames", "value": ["byhand"]}
    )
    kubectl(
        "cluster1",
        "patch",
        "configmap",
        "istio",
        *SYSTEM,
        "-p",
        json.dumps({"data": {"meshNetworks": "networks: {a: b}\n\nx: y"}}),
    )
    kubectl("cluster1", "delete", "service", "istiod", *SYSTEM)
    plan = mesh.pending().out
    told = block(plan, "chart/cluster1/istiod")
    assert "objects.Service istiod.exists = false -> true" in told
    assert 'env.[ADDED_BY_HAND]".value = "1" # changed by kubectl-set' in told
    assert 'env.[POD_NAME]".name = "POD_NAME"' in told
    assert "- x: y" in told
    assert (
        "objects.ClusterRole istiod-clusterrole-istio-system.rules = <<-EOT # changed by kubectl-patch"
        in told
    )
    assert 'objects.DaemonSet ztunnel."spec.template.spec.volumes.[debug]"' in block(
        plan, "chart/cluster2/ztunnel"
    )
    mesh.mended()
    assert {what: stripped(kubectl, what) for what in before} == before
    for _ in range(10):
        mesh.settled()


def test_what_the_file_ignores_stays_and_the_plan_says_so(mesh: Mesh, kubectl: Tool) -> None:
    kubectl("cluster1", "label", "deployment/istiod", *SYSTEM, "policy.example/team=a")
    kubectl("cluster1", "set", "env", "deployment/istiod", *SYSTEM, "ADDED_BY_HAND=1")
    path = "spec.template.spec.containers[discovery].env[ADDED_BY_HAND]"
    rules = [
        {"kind": "Deployment", "cluster": "cluster1", "path": 'metadata.labels."policy.example/*"'},
        {"kind": "Deployment", "name": "istiod", "path": path},
    ]
    assert "policy.example/team" in mesh.pending().out
    mesh.edit(lambda spec: spec.update(ignore=rules))
    mesh.settled()
    said = " ".join(mesh("plan").out.split())
    assert f"chart/cluster1/istiod: Deployment istiod: {path} differs from the release" in said
    assert "written by kubectl-label; ignored (mesh.yaml:" in said
    mesh.edit(lambda spec: spec.pop("ignore"))
    mesh.mended()
    found = kubectl("cluster1", "get", "deployment", "istiod", *SYSTEM, "-o", "json")
    assert "policy.example/team" not in found
    assert "ADDED_BY_HAND" not in found


def stripped(kubectl: Tool, what: tuple[str, ...]) -> Any:
    """An object without what every write moves."""
    found = json.loads(kubectl("cluster1", "get", *what, "-o", "json"))
    for name in ("resourceVersion", "generation", "managedFields"):
        found["metadata"].pop(name, None)
    found["metadata"].get("annotations", {}).pop("deployment.kubernetes.io/revision", None)
    return {name: value for name, value in found.items() if name != "status"}
