from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from mesh.cli.main import cli
from mesh.cli.views.commands import commands
from mesh.engine.registry import all_kinds
from mesh.errors import UsageError
from mesh.lab import Lab
from mesh.model import Resource
from mesh.model.spec import Mesh
from mesh.planner.expand import expand
from mesh.sdk.capabilities import Scripted
from mesh.sdk.contract import Registry
from mesh.sdk.script import Commands, Input
from mesh.sdk.script import Stage as ScriptStage
from mesh.world import pki
from mesh.world.yaml_documents import write
from tests.conftest import Tool
from tests.e2e.hands import EXAMPLE, Answer, home, swept
from tests.e2e.hands import Mesh as CommandLine
from tests.engine.toy import Toy, ToyProvider, toy
from tests.support.meshes import MESHES, mesh_of

KINDS = all_kinds()

NASTY = "a'b\"c $(touch pwned) `touch pwned` ${HOME} \\ ; touch pwned # &"
LICENCE = "a-licence-for-the-lab"

RECORDER = """#!/usr/bin/env bash
# Notes what it was called with; answers what a script asks for.
{{ printf '%s\\0' "${{0##*/}}" "$@"; printf '\\n'; }} >>"{log}"
[ "$1" = version ] || case " $* " in
  *" --values=- "* | *" -f - "*) cat >>"{log}.stdin"; echo "=====" >>"{log}.stdin" ;;
  *" get secret "*) exit 1 ;;
  *"jsonpath={{range"*) echo "IPAddress 192.0.2.7" ;;
  *"jsonpath={{.spec"*) echo 15012 ;;
esac
for word in "$@"; do
  case "$word" in *=/dev/fd/*) {{ cat "${{word##*=}}"; echo; }} >>"{log}.secrets" ;; esac
done
"""


def script(file: Path = EXAMPLE, *args: str, env: Mapping[str, str | None] | None = None) -> str:
    """What `mesh render --commands` prints where there is no cluster."""
    nothing: dict[str, str | None] = {"KUBECONFIG": "/nowhere", "GLOO_MESH_LICENSE_KEY": None}
    nothing |= {"MESH_CHART_SOURCE": None, "MESH_GATEWAY_API_SOURCE": str(EXAMPLE.parent)}
    command_line = ["render", "--commands", "-f", str(file), *args]
    result = CliRunner().invoke(cli, command_line, env=nothing | dict(env or {}), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def changed(folder: Path, change: Any) -> Path:
    """The example with its spec changed."""
    document = yaml.safe_load(EXAMPLE.read_text())
    change(document["spec"])
    file = folder / "mesh.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return file


@dataclass
class Stage:
    """A folder in which a script runs with programs that note what they are called with."""

    folder: Path

    def run(self, text: str, **env: str) -> Answer:
        programs = self.folder / "bin"
        programs.mkdir()
        for name in ("kubectl", "helm", "curl"):
            (programs / name).write_text(RECORDER.format(log=self.folder / "log"))
            (programs / name).chmod(0o755)
        here = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
        }
        done = subprocess.run(
            ["bash", "-c", text],
            cwd=self.folder,
            env={**here, **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=150,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    @property
    def calls(self) -> list[list[str]]:
        return [line.split("\0")[:-1] for line in (self.folder / "log").read_text().splitlines()]

    def of(self, *words: str) -> list[list[str]]:
        return [call for call in self.calls if set(words) <= set(call)]

    def noted(self, what: str) -> str:
        return (self.folder / f"log.{what}").read_text()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    folder = tmp_path / "stage"
    folder.mkdir()
    return Stage(folder)


def test_the_order_is_that_of_the_guide(stage: Stage) -> None:
    assert stage.run(script(), GLOO_MESH_LICENSE_KEY="x").code == 0
    steps = [
        [word for word in call if not word.startswith("-")][:3]
        for call in stage.calls
        if "--context=cluster1" in call or "--kube-context=cluster1" in call
    ]
    order = [" ".join(each) for each in steps]
    wanted = [
        "kubectl create namespace",
        "kubectl create secret",
        "helm upgrade istio-base",
        "helm upgrade istiod",
        "kubectl rollout status",
        "helm upgrade istio-cni",
        "helm upgrade ztunnel",
        "kubectl label namespace",
        "kubectl wait gateway/istio-eastwest",
        "kubectl wait gateway/istio-remote-peer-cluster2",
    ]
    assert [order.index(each) for each in wanted] == sorted(order.index(each) for each in wanted)
    proofs = {call[-2] for call in stage.of("wait", "gateway/istio-remote-peer-cluster2")}
    assert proofs == {
        "--for=condition=gloo.solo.io/PeerConnected",
        "--for=condition=gloo.solo.io/PeeringSucceeded",
    }


def test_hostile_names_and_values_are_inert(stage: Stage, tmp_path: Path) -> None:
    def change(spec: Any) -> None:
        spec["defaults"] = {
            "values": {
                "istiod": {"one": NASTY, "two": f"x\nEOF\nEOF_\ntouch pwned\n{NASTY}\n", NASTY: "three"}
            }
        }

    contexts = ("--context", f"cluster1={NASTY}", "--context", "cluster2=--as=root")
    text = script(changed(tmp_path, change), *contexts)
    answer = stage.run(text, GLOO_MESH_LICENSE_KEY=NASTY)
    assert answer.code == 0, answer
    assert not list(tmp_path.rglob("pwned"))
    assert {word for call in stage.calls for word in call if "context=" in word} == {
        f"--context={NASTY}",
        f"--kube-context={NASTY}",
        "--context=--as=root",
        "--kube-context=--as=root",
    }
    values = [yaml.safe_load(each) for each in stage.noted("stdin").split("=====\n") if "trustDomain" in each]
    assert {each["one"] for each in values} == {NASTY}
    assert {each["two"] for each in values} == {f"x\nEOF\nEOF_\ntouch pwned\n{NASTY}\n"}
    assert {each[NASTY] for each in values} == {"three"}


def test_the_address_of_a_gateway_is_put_into_the_peer_and_nothing_else_is_expanded(stage: Stage) -> None:
    assert stage.run(script(), GLOO_MESH_LICENSE_KEY="x").code == 0
    objects = [yaml.safe_load(each) for each in stage.noted("stdin").split("=====\n")]
    peers = [
        each for each in objects if each and each.get("spec", {}).get("gatewayClassName") == "istio-remote"
    ]
    assert len(peers) == 2
    for peer in peers:
        assert peer["spec"]["addresses"] == [{"type": "IPAddress", "value": "192.0.2.7"}]
        assert peer["spec"]["listeners"][1]["port"] == 15012


def test_the_licence_is_in_no_argument_and_not_in_the_script(stage: Stage) -> None:
    text = script(env={"GLOO_MESH_LICENSE_KEY": LICENCE})
    assert LICENCE not in text
    assert stage.run(text, GLOO_MESH_LICENSE_KEY=LICENCE).code == 0
    assert LICENCE not in (stage.folder / "log").read_text()
    assert stage.noted("secrets") == f"{LICENCE}\n{LICENCE}\n"


def test_without_a_licence_nothing_is_done(stage: Stage) -> None:
    answer = stage.run(script())
    assert answer.code != 0
    assert "GLOO_MESH_LICENSE_KEY: set it to the licence key" in answer.err
    assert not (stage.folder / "log").exists()


def test_a_licence_in_a_file_or_a_secret_is_used_where_it_is(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{LICENCE}\n")
    file = changed(tmp_path, lambda spec: spec["istio"].update(license={"file": "key"}))
    assert stage.run(script(file)).code == 0
    assert stage.noted("secrets") == f"{LICENCE}\n{LICENCE}\n"
    theirs = {"secretRef": {"name": "theirs", "namespace": "vault"}}
    text = script(changed(tmp_path, lambda spec: spec["istio"].update(license=theirs)))
    assert "kubectl --context=cluster1 --namespace=vault get secret theirs\n" in text


def test_secret_values_come_from_the_environment(stage: Stage, tmp_path: Path) -> None:
    def change(spec: Any) -> None:
        values = {"tracing": {"access.token": "hunter-1"}, "list": {"of": [{"secret": "hunter-2"}]}}
        spec["clusters"][0]["values"] = {"istiod": values}
        spec["sensitive"] = ["list"]

    text = script(changed(tmp_path, change))
    assert "hunter" not in text
    names = ("MESH_VALUE_CLUSTER1_ISTIOD_TRACING_ACCESS_TOKEN", "MESH_VALUE_CLUSTER1_ISTIOD_LIST")
    given = dict(zip(names, ("hunter-1", '{"of": [{"secret": "hunter-2"}]}'), strict=True))
    assert stage.run(text, GLOO_MESH_LICENSE_KEY="x", **given).code == 0
    (call,) = stage.of("helm", "istiod", "--kube-context=cluster1")
    assert '--set-json=list={"of": [{"secret": "hunter-2"}]}' in call
    assert any(word.startswith("--set-file=tracing.access\\.token=/dev/fd/") for word in call)
    assert "hunter-1\n" in stage.noted("secrets")
    shutil.rmtree(stage.folder)
    stage.folder.mkdir()
    assert f"{names[0]}: set it to that value" in stage.run(text, GLOO_MESH_LICENSE_KEY="x").err


@pytest.mark.parametrize("key", ["ecdsa-p256", "ecdsa-p384"])
def test_the_certificates_are_fit_for_istiod_and_mesh_signs_with_the_same_root(
    stage: Stage, tmp_path: Path, key: str
) -> None:
    trust = {"ca": {"generate": {"key": key}}, "intermediate": {"validity": "30d", "key": "ecdsa-p256"}}
    text = script(changed(tmp_path, lambda spec: spec.update(rootOfTrust=trust)))
    kept = text.replace('rm -r "$dir"\n', 'cp -r "$dir" "$HOME"\n')
    assert stage.run(kept, GLOO_MESH_LICENSE_KEY="x").code == 0
    now = datetime.now(UTC)
    folder = stage.folder / ".config" / "mesh" / "demo"
    found = [pki.inspect_bundle(bundle(stage.folder / name), now) for name in ("cluster1", "cluster2")]
    assert [each.problems for each in found] == [(), ()]
    assert len({each.root.fingerprint for each in found if each.root}) == 1
    assert len({each.certificate.fingerprint for each in found if each.certificate}) == 2
    first = found[0].certificate
    assert first
    assert (first.key, first.path_length, (first.not_after - first.not_before).days) == ("ecdsa-p256", 0, 30)
    files = pki.RootFiles(folder / "root.crt", folder / "root.key")
    chain = files.certificate.read_text()
    authority = pki.open_authority(files, chain, passphrase="", now=now)
    assert pki.describe(chain).key == key
    assert pki.check_authority(chain, now) == ()
    assert authority.chain == (chain,)
    assert (folder / "root.key").stat().st_mode & 0o077 == 0


def bundle(folder: Path) -> pki.Bundle:
    own, chain, root = (
        (folder / f"{name}.pem").read_text() for name in ("ca-cert", "cert-chain", "root-cert")
    )
    return pki.Bundle(own, (folder / "ca-key.pem").read_bytes(), chain, root)


def test_a_root_that_is_there_signs_again_and_its_key_keeps_its_passphrase(stage: Stage) -> None:
    env = {"GLOO_MESH_LICENSE_KEY": "x", "MESH_CA_PASSPHRASE": "open sesame"}
    assert stage.run(script(), **env).code == 0
    folder = stage.folder / ".config" / "mesh" / "demo"
    before = (folder / "root.crt").read_bytes(), (folder / "root.key").read_bytes()
    assert b"ENCRYPTED" in before[1]
    shutil.rmtree(stage.folder / "bin")
    assert stage.run(script(), **env).code == 0
    assert ((folder / "root.crt").read_bytes(), (folder / "root.key").read_bytes()) == before


def test_a_root_whose_key_is_gone_is_never_replaced(stage: Stage) -> None:
    folder = stage.folder / ".config" / "mesh" / "demo"
    folder.mkdir(parents=True)
    (folder / "root.crt").write_text("a certificate")
    answer = stage.run(script(), GLOO_MESH_LICENSE_KEY="x")
    assert answer.code == 1
    assert "root.crt exists but its key" in answer.err
    assert not (stage.folder / "log").exists()


SIGNER = """#!/usr/bin/env bash
openssl x509 -req -days 9 -CA ca.crt -CAkey ca.key -set_serial 7 -copy_extensions copy 2>/dev/null
cat ca.crt
"""


def authority_files(folder: Path) -> None:
    now = datetime.now(UTC)
    pki.make_root(
        pki.RootFiles(folder / "ca.crt", folder / "ca.key"),
        "prod",
        algorithm="ecdsa-p384",
        validity=now - now.replace(year=now.year - 1),
        passphrase="",
        now=now,
    )


@pytest.mark.parametrize("ca", [{"files": {"cert": "ca.crt", "key": "ca.key"}}, {"command": ["./sign it"]}])
def test_another_signer_is_used_as_the_file_says(stage: Stage, tmp_path: Path, ca: Any) -> None:
    authority_files(tmp_path)
    (tmp_path / "sign it").write_text(SIGNER)
    (tmp_path / "sign it").chmod(0o755)
    trust = {"ca": ca, "intermediate": {"validity": "9d"}}
    text = script(changed(tmp_path, lambda spec: spec.update(rootOfTrust=trust)))
    kept = text.replace('rm -r "$dir"\n', 'cp -r "$dir" "$HOME"\n')
    answer = stage.run(kept, GLOO_MESH_LICENSE_KEY="x")
    assert answer.code == 0, answer
    found = pki.inspect_bundle(bundle(stage.folder / "cluster1"), datetime.now(UTC))
    assert found.problems == ()
    assert found.root == pki.describe((tmp_path / "ca.crt").read_text())


def test_existing_certificates_are_only_looked_for(tmp_path: Path) -> None:
    text = script(changed(tmp_path, lambda spec: spec.update(rootOfTrust={"ca": {"existing": True}})))
    assert "kubectl --context=cluster1 --namespace=istio-system get secret cacerts\n" in text
    assert "openssl" not in text.partition("\nset -euo")[2]
    assert "ca_key" not in text


def test_a_pinned_bundle_is_fetched_once_and_checked_before_anything_is_applied(
    stage: Stage, tmp_path: Path
) -> None:
    bundle = b"kind: X\n"
    (tmp_path / "crds.yaml").write_bytes(bundle)
    pin = {"source": "crds.yaml", "sha256": hashlib.sha256(bundle).hexdigest()}
    file = changed(tmp_path, lambda spec: spec.update(gatewayAPI=pin))
    text = script(file, env={"MESH_GATEWAY_API_SOURCE": None})
    assert text.count("/crds.yaml >") == 1
    assert stage.run(text.replace(pin["sha256"], "0" * 64), GLOO_MESH_LICENSE_KEY="x").code == 1
    assert not (stage.folder / "log").exists()
    shutil.rmtree(stage.folder / "bin")
    assert stage.run(text, GLOO_MESH_LICENSE_KEY="x").code == 0


def test_one_cluster_alone_and_its_links(tmp_path: Path) -> None:
    text = script(EXAMPLE, "--cluster", "cluster2")
    assert "# link/cluster2/cluster1\n" in text
    assert "# link/cluster1/cluster2\n" not in text
    assert "# chart/cluster1/istiod\n" not in text
    assert "endpoint_cluster1=$(endpoint gateway/istio-eastwest --context=cluster1 " in text
    with pytest.raises(UsageError) as error:
        script(EXAMPLE, "--cluster", "cluster22")
    assert error.value.hint == "did you mean cluster2?"


@pytest.mark.parametrize("how", MESHES)
def test_every_resource_of_a_mesh_has_its_commands_or_a_comment_in_its_place(how: str) -> None:
    mesh = mesh_of(how)
    text = commands(mesh, expand(mesh), KINDS)
    assert "has no commands" not in text
    assert all(text.count(f"\n# {key}\n") == 1 for key in expand(mesh))


def test_every_kind_has_commands() -> None:
    assert all(isinstance(kind, Scripted) for kind in KINDS.values())


@pytest.mark.parametrize("kinds", [{**KINDS, "toy": ToyProvider()}, KINDS])
def test_a_foreign_kind_without_commands_is_reported_in_the_script(kinds: Registry) -> None:
    mesh, one = mesh_of("solo"), toy("one", "a")
    text = commands(mesh, {**expand(mesh), one.key: one}, kinds)
    assert "# toy/a/one\n# kind toy has no commands: create this resource yourself\n" in text
    assert text.index("# toy/a/one") < text.index("# ---- cluster b")


class ScriptedToy(ToyProvider, Scripted[Toy]):
    """A foreign kind with commands, and with all that commands can have."""

    stage = ScriptStage.LINKS

    def commands(self, resource: Resource[Toy], mesh: Mesh) -> Commands:
        name = resource.key.name
        return Commands(
            f"make {name}\n",
            once=("shared() { :; }\n",),
            check=f"check {name}\n",
            inputs=(Input("TOY_KEY", "set it", "the key of the toys"),),
        )


def test_what_resources_share_is_there_once_and_checks_come_after_all_of_a_stage() -> None:
    mesh, toys = mesh_of("solo"), (toy("one", "a"), toy("two", "b"))
    text = commands(mesh, {each.key: each for each in toys}, {"toy": ScriptedToy()})
    assert text.partition("links ----\n\n")[2] == (
        "shared() { :; }\n\n# toy/a/one\nmake one\n\n# toy/b/two\nmake two\n\ncheck one\n\ncheck two\n"
    )
    assert text.count('# the key of the toys\n: "${TOY_KEY:?set it}"\n') == 1


ODD = (
    "yes",
    "y",
    "off",
    "null",
    "~",
    "1e3",
    "0o17",
    "0x1f",
    "1_000",
    "1:20",
    ".5",
    "+1",
    "=",
    "<<",
    "2001-01-01",
)


def test_kubectl_reads_what_we_write_as_we_mean_it(kubectl: Tool) -> None:
    texts = [
        *ODD,
        "",
        " x ",
        "a: b",
        "#c",
        "\u202e",
        "\U0001f600",
        "x\ty",
        "a\nb\n",
        " lead\nx",
        "x\r\n",
        NASTY,
        "\x7f",
    ]
    data = {f"k{number}": text for number, text in enumerate(texts)}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "odd"}, "data": data}
    answer = kubectl("cluster1", "create", "-f", "-", "--dry-run=client", "-o", "json", stdin=write(body))
    assert json.loads(answer)["data"] == data


@pytest.fixture
def clean(lab: Lab, kubectl: Tool, helm: Tool, tmp_path: Path) -> Iterator[CommandLine]:
    """A user's folder, and two clusters without a mesh."""
    for cluster in lab.contexts:
        swept(kubectl, cluster)
    yield home(lab, tmp_path / "home")
    for cluster in lab.contexts:
        kubectl(cluster, "delete", "gateway", "--all", "-n", "istio-eastwest")
        releases = ("ztunnel", "istio-cni", "istiod", "istio-base")
        helm(cluster, "uninstall", *releases, "-n", "istio-system", "--ignore-not-found")
        swept(kubectl, cluster)


def test_the_script_links_two_clusters_and_can_be_run_again(clean: CommandLine) -> None:
    answer = clean("render", "--commands")
    assert answer.code == 0, answer
    text = answer.out
    for _ in range(2):
        done = subprocess.run(
            ["bash", "-c", text],
            cwd=clean.folder,
            env=dict(clean.env),
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
        assert done.returncode == 0, done.stderr
        status = json.loads(clean("status", "--json").out)
        assert (status["ready"], status["same_root"]) == (True, True)
        peers = [peer for cluster in status["clusters"] for peer in cluster["peers"]]
        assert [(peer["connected"], peer["succeeded"]) for peer in peers] == [("True", "True")] * 2
    assert LICENCE not in text
