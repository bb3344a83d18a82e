"""`mesh output`: print addresses and the root of trust for scripts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from mesh.cli.session import document_options, open_session
from mesh.cli.show import one_of
from mesh.cli.views.escape import terminal
from mesh.engine.observe import Observation, observe
from mesh.engine.session import Session
from mesh.errors import KubeError, PartialError, UsageError
from mesh.istio.addresses import cacerts_key, eastwest_key
from mesh.model import Found, Key
from mesh.model.spec import ExistingCA
from mesh.planner.expand import expand
from mesh.providers.cert import ROOT
from mesh.providers.cert.specs import CACERTS
from mesh.queries.outputs import Outputs, RootOutput, Value, names, outputs, pick, root_of, shared_root
from mesh.world.helm.releases import NOT_SUPERSEDED
from mesh.world.resources import SECRET


@click.command("output")
@document_options
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--raw", is_flag=True, help="Print a single text value without quotes.")
def output_command(
    *, path: Path, contexts: tuple[str, ...], name: str | None, as_json: bool, raw: bool
) -> None:
    """Print the outputs of the mesh: names, networks, east-west addresses, root of trust.

    NAME selects one output, or one entry of a map: networks.cluster1. Changes nothing. The exit code
    is 6 if a value is not known.
    """
    if raw and (as_json or not name):
        raise UsageError("--raw needs a NAME and excludes --json", hint="run mesh output --raw NAME")
    found = _outputs(open_session(path, contexts))
    if name is None:
        click.echo(_all(found, as_json=as_json), nl=False)
    else:
        one_of(name, names(found), "output")
        click.echo(_one(name, pick(found, name), as_json=as_json, raw=raw), nl=False)
    _refuse_unknown(found.unknown, name)


def _refuse_unknown(unknown: Mapping[str, str], name: str | None) -> None:
    """Raise PartialError if a requested value is not known."""
    about = {each: why for each, why in unknown.items() if name in {None, each, each.partition(".")[0]}}
    if about:
        message = "; ".join(f"{each} is not known: {why}" for each, why in sorted(about.items()))
        raise PartialError(message, hint="`mesh status` shows the state of the mesh")


def _all(found: Outputs, *, as_json: bool) -> str:
    from mesh.cli.views.outputs import outputs_text
    from mesh.cli.views.plan_json import json_text

    return json_text(found.values) if as_json else outputs_text(found.values)


def _one(name: str, value: Value, *, as_json: bool, raw: bool) -> str:
    from mesh.cli.views.outputs import value_text
    from mesh.cli.views.plan_json import json_text

    if raw and isinstance(value, Mapping):
        first = next(iter(value), "NAME")
        raise UsageError(f"{name} is a map", hint=f"add --json, or name one entry: {name}.{first}")
    if raw:
        return "\n".join(map(terminal, str(value or "").split("\n")))
    return json_text(value) if as_json else value_text(value) + "\n"


def _outputs(here: Session) -> Outputs:
    """Read the gateways and the root of trust, and nothing else."""
    resources = expand(here.mesh, here.kinds)
    gateways = {cluster.name: eastwest_key(cluster) for cluster in here.mesh.clusters}
    state = here.store.read(here.mesh.name)
    last = {key: entry.last for key, entry in state.entries.items()}
    places = {key: resources[key].place for key in (*gateways.values(), ROOT) if key in resources}
    seen = observe(places, tuple(gateways), last, here.kinds, here.world, {})
    found: Mapping[str, Found] = {name: seen.found[key] for name, key in gateways.items()}
    return outputs(here.mesh, found, _root(here, seen))


def _root(here: Session, seen: Observation) -> RootOutput:
    if not isinstance(here.mesh.root.ca, ExistingCA):
        return root_of(ROOT, seen.found)
    return shared_root(
        {each.name: _root_in(here, seen, cacerts_key(each.name)) for each in here.mesh.clusters}
    )


def _root_in(here: Session, seen: Observation, key: Key) -> RootOutput:
    """Return the root certificate that a cluster's `cacerts` chains to."""
    from mesh.world import pki

    namespace = here.mesh.cluster(key.cluster).namespace
    try:
        listed = seen.snapshots[key.cluster].list(SECRET, namespace=namespace, labels=NOT_SUPERSEDED)
    except KubeError as error:
        return RootOutput(why=error.message)
    data = next((obj.get("data") or {} for obj in listed if obj["metadata"]["name"] == CACERTS), {})
    bundle = pki.bundle_from(data)
    root = pki.inspect_bundle(bundle, here.world.clock.now()).root
    if root is None:
        return RootOutput(why="its Secret cacerts is missing, or its chain has no root")
    pems = {pki.describe(block).fingerprint: block for block in pki.pem_blocks(bundle.root_cert)}
    return RootOutput(root.fingerprint, pems.get(root.fingerprint, ""))
