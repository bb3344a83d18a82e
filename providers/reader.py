"""Kind `reader`: the token by which the istiods of other clusters read this one.

A Secret of type service-account-token for the account that the base chart creates; Kubernetes adds the
token. Deleting it revokes the token. Its outputs are digests: kind `remote` reads the token itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from mesh.errors import KubeError
from mesh.model import READY, Attrs, Found, Key, Live, Place, Ready, Resource, not_yet
from mesh.model.spec import Mesh
from mesh.sdk.contract import Last
from mesh.sdk.document import Document
from mesh.sdk.kube_object import token
from mesh.sdk.kube_secret import KubeSecretProvider, mesh_of
from mesh.sdk.kubectl import WAIT, kubectl, kubectl_apply, unmarked
from mesh.sdk.managed_fields import ADDRESS_ANNOTATION, is_going, marks, owner_of, touches
from mesh.sdk.remote_access import FILLED, Access, judge, of_token_secret, roots, salted
from mesh.sdk.script import Commands
from mesh.sdk.unreadable import VisibleState, as_left
from mesh.world import Kube, Object, World
from mesh.world.kube.errors import Missing
from mesh.world.resources import SECRET, ResourceType
from mesh.world.snapshot import Snapshot

MANAGER = "mesh/reader"
TYPE = "kubernetes.io/service-account-token"
ACCOUNT = "kubernetes.io/service-account.name"
GOOD = {"token": "accepted", "rights": "granted"}
"""What an API server says of a good token; "refused" and "denied" otherwise."""

HELM = "meta.helm.sh/"
ROLE = ResourceType("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False)
ROLE_NAME = "istio-reader-clusterrole-{namespace}"
"""The name of a role of Istio's charts, and of its binding."""


@dataclass(frozen=True, slots=True)
class ReaderSpec:
    """The token Secret of the service account `account`; `address` is its own key."""

    mesh: str
    address: Key
    namespace: str
    name: str
    account: str


class ReaderProvider(KubeSecretProvider[ReaderSpec]):
    """The reader of one cluster; its outputs `ca` and `token` move when the values do.

    `server` is the URL at which mesh reaches its API server, `roots` the fingerprints of its roots of trust.
    """

    kind = "reader"
    immutable = frozenset({("type",), ("metadata", "annotations", ACCOUNT)})
    moves = frozenset({("access", "token")})

    def wanted(self, spec: ReaderSpec, live: Found, last: Last | None) -> Attrs:
        """Return what makes Kubernetes add the token, and that the API server accepts it and lets it read."""
        del live, last
        return {"type": TYPE, "metadata": {"annotations": {ACCOUNT: spec.account}}, "access": dict(GOOD)}

    def ready(self, spec: ReaderSpec, live: Live) -> Ready:
        """Return whether it has a token that its API server accepts, and a root of trust is published."""
        if not {"ca", "token"} <= live.outputs.keys():
            return not_yet(f"Kubernetes has not added its token: does service account {spec.account} exist?")
        if said := next(iter(live.status.values()), ""):
            return not_yet(str(said))
        return READY if live.outputs["roots"] else not_yet("its istiod has not published its root yet")

    def update(self, spec: ReaderSpec, key: Key, live: Live, last: Last | None, world: World) -> None:
        """Restore the rights that it lost; replace the Secret if its token is refused."""
        del last
        kube = world.kube(key.cluster)
        if live.status.get("refused"):
            kube.delete(SECRET, spec.namespace, spec.name, uid=live.uid)
            kube.apply(body(spec, key, None), manager=MANAGER, force=True)
            return
        if live.status.get("denied"):
            _bind(kube, spec)
        kube.apply(body(spec, key, live), manager=MANAGER, force=True)

    def live(self, key: Key, place: Place, obj: Object, snapshot: Snapshot) -> Live:
        """Return the digests of CA and token, and whether the API server accepts the token."""
        return _live(key, place, obj, snapshot)

    def visible(self, key: Key, last: Last, snapshot: Snapshot) -> VisibleState:
        """Return the token that was created and the roots that are published now.

        Whether the token still works is not visible.
        """
        left, published = as_left(last), roots(snapshot, last.place.namespace)
        shown = {"server": snapshot.world.kube(key.cluster).server, "roots": published}
        return VisibleState(replace(left, outputs={**left.outputs, **shown}), {})

    def commands(self, resource: Resource[ReaderSpec], mesh: Mesh) -> Commands:
        """Create it, and wait until Kubernetes has filled in token and CA."""
        cluster, spec = mesh.cluster(resource.key.cluster), resource.spec
        secret = (f"--namespace={spec.namespace}", "wait", f"secret/{spec.name}")
        waits = (kubectl(cluster, *secret, f"--for=jsonpath={path}", WAIT) for path in FILLED)
        create = kubectl_apply(cluster, unmarked(body(spec, resource.key, None)))
        return Commands(create + "".join(f"{wait}\n" for wait in waits))

    def documents(self, spec: ReaderSpec, key: Key, world: World | None) -> Iterable[Document]:
        """Return the Secret; Kubernetes adds the token."""
        del world
        remark = f"Kubernetes fills in a token for service account {spec.account}"
        return (Document(body(spec, key, None), (remark,)),)

    def sent(self, spec: ReaderSpec, key: Key, live: Live | None, world: World) -> Object:
        """Return the Secret; Kubernetes adds the token."""
        del world
        return body(spec, key, live)


def _live(key: Key, where: Place, obj: Object, snapshot: Snapshot) -> Live:
    kube = snapshot.world.kube(key.cluster)
    access = of_token_secret(obj)
    annotations = obj["metadata"].get("annotations", {})
    kept = {ACCOUNT: annotations[ACCOUNT]} if ACCOUNT in annotations else {}
    outputs = {"server": kube.server, "roots": roots(snapshot, where.namespace)}
    status: Mapping[str, str] = {}
    if access.complete:
        outputs |= {name: salted(mesh_of(where), key, getattr(access, name)) for name in ("ca", "token")}
        status = judge(kube, Access(token=access.token), whose="its reader's").told()
    said = {"token": "refused"} if "refused" in status else {"rights": "denied"} if "denied" in status else {}
    attrs = {"type": obj.get("type", ""), "metadata": {"annotations": kept}, "access": GOOD | said}
    return Live(
        attrs,
        token(obj, {**attrs, "token": outputs.get("token", "")}),
        uid=obj["metadata"]["uid"],
        outputs=outputs,
        status=status,
        touches=touches(obj, manager=MANAGER),
        owner=owner_of(obj),
        going=is_going(obj),
    )


def body(spec: ReaderSpec, key: Key, live: Live | None) -> Object:
    """Return the Secret as it is sent."""
    return {
        "apiVersion": SECRET.api_version,
        "kind": SECRET.kind,
        "metadata": {
            "name": spec.name,
            "namespace": spec.namespace,
            "labels": marks(spec.mesh),
            "annotations": {ADDRESS_ANNOTATION: str(key), ACCOUNT: spec.account},
            **({"uid": live.uid} if live else {}),
        },
        "type": TYPE,
    }


def _bind(kube: Kube, spec: ReaderSpec) -> None:
    """Create again the binding of Istio's chart that was deleted, as part of the role's release."""
    name = ROLE_NAME.format(namespace=spec.namespace)
    role = kube.get(ROLE, "", name)
    if role is None:
        raise KubeError(
            f"{spec.address}: ClusterRole {name}, which lets {spec.account} read, is missing",
            hint="`mesh plan` shows whether the charts base and istiod are as they were installed",
        )
    account = {"kind": "ServiceAccount", "name": spec.account, "namespace": spec.namespace}
    binding = {
        "apiVersion": ROLE.api_version,
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name, **_of_release(role)},
        "roleRef": {"apiGroup": ROLE.group, "kind": ROLE.kind, "name": name},
        "subjects": [account],
    }
    try:
        kube.apply(binding, manager=MANAGER)
    except Missing as error:
        raise KubeError(f"{spec.address}: {error.message}") from None


def _of_release(obj: Object) -> dict[str, dict[str, str]]:
    """Return the labels and annotations by which helm knows the objects of a release."""
    meta = obj["metadata"]
    annotations = {name: text for name, text in meta.get("annotations", {}).items() if name.startswith(HELM)}
    return {"labels": dict(meta.get("labels", {})), "annotations": annotations}
