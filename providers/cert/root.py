"""The root of trust: a certificate in a file on this machine, its key beside it or elsewhere.

It never changes once it was created or found; it exists as long as the file or the lockfile holds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mesh.errors import KubeError, MeshError, RefusedError
from mesh.model import READY, Attrs, Found, Key, Live, Place, Ready, Unread, never
from mesh.model.spec import CommandCA, FilesCA, GenerateCA
from mesh.providers.cert.migration import OFFER
from mesh.providers.cert.observe import PUBLISHED, ROOT_PEM
from mesh.providers.cert.specs import CACERTS, CertLocator, Layout, RootSpec, context
from mesh.sdk.capabilities import Kept
from mesh.sdk.contract import Last, Preview, Provider
from mesh.sdk.recorded_snapshot import recorded
from mesh.world import World
from mesh.world.disk.files import user_path
from mesh.world.kube.errors import Unreachable
from mesh.world.resources import CONFIG_MAP, SECRET
from mesh.world.snapshot import Snapshot

if TYPE_CHECKING:
    from mesh.world.pki import RootFiles


class Root(Provider[RootSpec], Kept):
    """One root for the whole mesh."""

    kind = "cert"
    waits = False

    def wanted(self, spec: RootSpec, live: Found, last: Last | None) -> Attrs:
        """Return the live root, else the one to create."""
        del last
        if isinstance(live, Live):
            return live.attrs
        if isinstance(spec.ca, GenerateCA):
            from mesh.world.pki import duration

            return {"key": spec.key, "validity": duration(spec.validity)}
        return {"source": "files" if isinstance(spec.ca, FilesCA) else "command"}

    def refuse(self, spec: RootSpec, live: Found, last: Last | None) -> str:
        """Refuse another root than the one in the state."""
        del spec
        before = (last.outputs if last else {}).get("issuer", {}).get("fingerprint", "")
        now = live.outputs["issuer"]["fingerprint"] if isinstance(live, Live) else ""
        if not isinstance(live, Live) or before in ("", now):
            return ""
        return (
            f"the root of trust was {before} at the last apply and is {now} in {live.status['path']}: "
            "put the old one back; an apply never changes the root of trust"
        )

    def ready(self, spec: RootSpec, live: Live) -> Ready:
        """Return whether it may still sign, and peers still accept it."""
        del spec
        return never("; ".join(live.status["problems"])) if live.status["problems"] else READY

    def observe(self, places: Mapping[Key, Place], snapshot: Snapshot) -> Mapping[Key, Found]:
        """Read the certificate's file; the key is not opened."""
        return {key: _read(place, recorded(snapshot, key), snapshot.world) for key, place in places.items()}

    def preview(self, spec: RootSpec, key: Key, live: Live | None, world: World) -> Preview:
        """Return where a new root will be; refuse if a cluster already has one."""
        del key
        return Preview() if live else _preview(spec, world)

    def create(self, spec: RootSpec, key: Key, world: World) -> None:
        """Create key and certificate, or learn the certificate from the signer; keep one that exists."""
        del key
        from mesh.world import pki

        at = context(world)
        files = pki.root_files(spec.mesh, spec.ca, at)
        match spec.ca:
            case GenerateCA():
                _generate(spec, files, world)
            case CommandCA() if not files.certificate.exists():
                probe = pki.ask_command(spec.ca, pki.new_key("ecdsa-p256"), f"{spec.mesh}/root", at)
                pki.keep_certificate(files.certificate, probe[-1])

    def update(self, spec: RootSpec, key: Key, live: Live, last: Last | None, world: World) -> None:
        """Do nothing: no field of a root ever differs."""

    def keeps(self, place: Place, world: World) -> str:
        """Return where the root is kept: without it everything that it signed would be worthless."""
        files = _files(place, world)
        paths = " and ".join(sorted({str(files.key), str(files.certificate)}))
        return f"the root of trust is kept in {paths}; the next apply uses it again"

    def delete(self, key: Key, place: Place, live: Live, last: Last, world: World) -> tuple[str, ...]:
        """Keep it, and report where it is."""
        del key, live, last
        return (self.keeps(place, world),)


def _files(place: Place, world: World) -> RootFiles:
    """Return the files of `pki.root_files`, by place; the key of a certificate file is not known here."""
    from mesh.world import pki

    layout = CertLocator.of(place).layout
    if layout is Layout.ROOT:
        return pki.config_files(place.name, world.env)
    named = user_path(place.name, world.env, world.folder)
    return pki.files_beside(named) if layout is Layout.ROOT_KEY else pki.RootFiles(named, named)


def _read(place: Place, last: Last | None, world: World) -> Found:
    """Return the certificate on disk, else the one in the state: the key is needed only to sign."""
    from mesh.world import pki

    files = _files(place, world)
    recorded = (last.outputs if last else {}).get("issuer", {}).get("certificate", "")
    try:
        chain = pki.read_chain(files.certificate) or pki.pem_blocks(recorded)
        if not chain:
            return None
        own, issuer = pki.describe(chain[0]), pki.issuer_of(chain)
    except MeshError as error:
        return Unread(error.message)
    return Live(
        attrs={"key": own.key, "validity": pki.duration(pki.lifetime(own))},
        token=issuer["fingerprint"],
        outputs={"issuer": issuer},
        status={
            "key": "present" if files.key.exists() else "absent",
            "path": str(files.certificate),
            "problems": list(pki.check_authority("".join(chain), world.clock.now())),
        },
    )


def _preview(spec: RootSpec, world: World) -> Preview:
    from mesh.world import pki

    at = context(world)
    files = pki.root_files(spec.mesh, spec.ca, at)
    match spec.ca:
        case FilesCA():
            problems = pki.check_files(files.certificate, files.key, passphrase=at.passphrase, now=at.now)
            return Preview(refusals=problems)
        case CommandCA(argv):
            note = f"{argv[0]} signs one certificate that is thrown away, to learn its root"
            return Preview(notes=(note,))
    shown, unseen = roots_shown(spec.namespaces, world)
    if unseen and all(isinstance(error, Unreachable) for error in unseen.values()) and not shown:
        return Preview(unknown="no cluster answers, and one of them may already have a root of trust")
    notes = tuple(_unseen(name, error) for name, error in unseen.items())
    notes = (f"the root key will be in {files.key}: keep a copy, it cannot be created again", *notes)
    return Preview(notes=notes, refusals=pki.refusals(files) + _conflicts(spec, shown))


def _conflicts(spec: RootSpec, shown: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """Return which clusters already have a root of trust and will not move to the new one."""
    from mesh.world import pki

    found = () if spec.migrate else pki.root_conflicts(None, shown)
    return (*found, f"or {OFFER}") if found else ()


def _unseen(cluster: str, error: KubeError) -> str:
    """Return that the root of a cluster is unknown; that it did not answer is reported elsewhere."""
    why = "" if isinstance(error, Unreachable) else f": {error.message}"
    return f"the root of trust of cluster {cluster} could not be read{why}"


def _generate(spec: RootSpec, files: RootFiles, world: World) -> None:
    from mesh.world import pki

    at = context(world)
    if not files.certificate.exists():
        shown, _ = roots_shown(spec.namespaces, world)
        if refused := _conflicts(spec, shown):
            raise RefusedError(refused[0])
    pki.make_root(
        files, spec.mesh, algorithm=spec.key, validity=spec.validity, passphrase=at.passphrase, now=at.now
    )


def roots_shown(
    namespaces: Mapping[str, str], world: World
) -> tuple[dict[str, frozenset[str]], dict[str, KubeError]]:
    """Read the roots of trust of every cluster; the second value has the error of each unread one."""
    shown: dict[str, frozenset[str]] = {}
    unseen: dict[str, KubeError] = {}
    for cluster, namespace in sorted(namespaces.items()):
        try:
            shown[cluster] = frozenset().union(*_roots_in(cluster, namespace, world))
        except KubeError as error:
            unseen[cluster] = error
    return shown, unseen


def _roots_in(cluster: str, namespace: str, world: World) -> Iterator[frozenset[str]]:
    from mesh.world import pki

    kube = world.kube(cluster)
    secret = kube.get(SECRET, namespace, CACERTS)
    yield pki.fingerprints_in(pki.bundle_from((secret or {}).get("data") or {}).root_cert)
    for each in sorted({namespace, "default"}):
        published = kube.get(CONFIG_MAP, each, PUBLISHED)
        yield pki.fingerprints_in(((published or {}).get("data") or {}).get(ROOT_PEM, ""))
