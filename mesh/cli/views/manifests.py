"""Every object and the values of every chart as YAML, as mesh would send them, with secrets masked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mesh.cli.views.escape import terminal
from mesh.cli.views.values import MASKED
from mesh.istio.solo import LICENCE_KEY
from mesh.model import Key, Sensitive, Unknown
from mesh.model.mask import mask
from mesh.model.spec import ExistingCA
from mesh.providers.cert import IntermediateSpec, RootSpec
from mesh.providers.chart import ChartSpec
from mesh.providers.crds import CrdsSpec
from mesh.providers.label import LabelSpec
from mesh.providers.reader import ReaderSpec
from mesh.providers.reader import body as reader_body
from mesh.providers.remote import RemoteSpec
from mesh.providers.remote import body as remote_body
from mesh.providers.secret import SecretSpec
from mesh.sdk.kube_object import Manifest, stamped
from mesh.sdk.managed_fields import ADDRESS_ANNOTATION, marks
from mesh.world import Object
from mesh.world.resources import SECRET
from mesh.world.yaml_documents import write

CACERTS_KEYS = ("ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem")


def manifests_text(specs: Mapping[Key, Any], bundles: Mapping[Key, Iterable[Object]]) -> str:
    """Return a stream of YAML documents, each with its address in a comment above it.

    `specs` are bound: a value that is not known yet is an `Unknown`. `bundles` are the objects of the
    CRDs to print in full.
    """
    return "".join(text for key, spec in specs.items() for text in _resource(key, spec, bundles.get(key, ())))


def _resource(key: Key, spec: Any, bundle: Iterable[Object]) -> Iterator[str]:
    match spec:
        case Manifest():
            yield _document(key, stamped(spec, key, None))
        case LabelSpec():
            meta = {"name": spec.namespace, "labels": dict(spec.labels)}
            yield _document(key, {"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
        case SecretSpec() | IntermediateSpec() | ReaderSpec() | RemoteSpec():
            yield _of_secret(key, spec)
        case RootSpec():
            yield _document(key, None, "stays on the signing machine; its key is never sent to a cluster")
        case CrdsSpec():
            yield from _bundle(key, spec, bundle)
        case ChartSpec():
            yield _document(key, mask(spec.job.values, spec.sensitive), *_release(spec))
        case _:
            yield _document(key, None, f"kind {key.kind} has no manifest to show")


def _of_secret(key: Key, spec: SecretSpec | IntermediateSpec | ReaderSpec | RemoteSpec) -> str:
    match spec:
        case SecretSpec(value=None):
            return _document(
                key, None, f"Secret {spec.namespace}/{spec.name} is only verified, never written"
            )
        case SecretSpec():
            return _document(key, _secret(key, spec, spec.name, (LICENCE_KEY,)))
        case ReaderSpec():
            text = f"Kubernetes fills in a token for service account {spec.account}"
            return _document(key, _access(key, spec), text)
        case RemoteSpec():
            text = f"a kubeconfig for {spec.server} with the CA and token of reader {spec.reader.name}"
            return _document(key, _access(key, spec), text)
        case IntermediateSpec(ca=ExistingCA()):
            return _document(key, None, f"Secret {spec.namespace}/cacerts is only verified, never written")
        case IntermediateSpec():
            return _document(key, _secret(key, spec, "cacerts", CACERTS_KEYS))


def _document(key: Key, data: Any, *remarks: str) -> str:
    comments = "".join(f"# {terminal(line)}\n" for line in (str(key), *remarks))
    return f"---\n{comments}" + ("" if data is None else write(plain(data)))


def _secret(key: Key, spec: SecretSpec | IntermediateSpec, name: str, names: Iterable[str]) -> Object:
    return {
        "apiVersion": SECRET.api_version,
        "kind": SECRET.kind,
        "metadata": {
            "name": name,
            "namespace": spec.namespace,
            "labels": marks(spec.mesh),
            "annotations": {ADDRESS_ANNOTATION: str(key)},
        },
        "type": "Opaque",
        "data": dict.fromkeys(names, MASKED),
    }


def _access(key: Key, spec: ReaderSpec | RemoteSpec) -> Object:
    """Return the Secret as its kind sends it; Kubernetes fills in the token of a reader."""
    if isinstance(spec, ReaderSpec):
        return reader_body(spec, key, None)
    return {**remote_body(spec, key, None, ""), "data": {spec.cluster: MASKED}}


def _bundle(key: Key, spec: CrdsSpec, bundle: Iterable[Object]) -> Iterator[str]:
    pin = f", sha256 {spec.api.sha256}" if spec.api.sha256 else ""
    source = f"Gateway API {spec.api.version}, every CRD of {spec.api.source}{pin}"
    objects = list(bundle)
    if not objects:
        yield _document(key, None, source, f"too long to print here: run mesh show --manifests {key}")
    for obj in objects:
        meta = obj["metadata"]
        labels = {**meta.get("labels", {}), **marks(spec.mesh)}
        yield _document(key, {**obj, "metadata": {**meta, "labels": labels}}, source)


def _release(spec: ChartSpec) -> Iterator[str]:
    job = spec.job
    yield f"values of release {job.release} in namespace {job.namespace}"
    version = f" version {job.version}" if job.version else " (the version of the archive)"
    yield f"chart {job.ref}{version}" + (f" from {job.repo}" if job.repo else "")


def plain(value: Any) -> Any:
    """Return data that YAML can write, with words in place of unknown and masked values."""
    match value:
        case Sensitive():
            return MASKED
        case Unknown():
            return str(value)
        case Mapping():
            return {str(name): plain(item) for name, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
    return value
