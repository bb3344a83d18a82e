"""Kind `reader`: the token by which the istiods of other clusters read this one.

A Secret of type service-account-token for the account that the base chart makes; Kubernetes fills
it in. Removing it revokes the token. Its outputs are digests: who needs the token reads it there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mesh.errors import KubeError
from mesh.model import READY, Attrs, Found, Key, Live, Place, Ready, Touch, not_yet
from mesh.sdk import kube_secret as secret_objects
from mesh.sdk.capabilities import Traced
from mesh.sdk.contract import Last, Preview, Provider
from mesh.sdk.kube_object import dry_run, token, written_in
from mesh.sdk.managed_fields import ADDRESS_ANNOTATION, marks, owner_of, touches
from mesh.sdk.remote_access import Access, judge, of_token_secret, roots, salted
from mesh.sdk.unreadable import VisibleState, as_left
from mesh.world import Kube, Object, Snapshot, World
from mesh.world.kube.errors import Missing
from mesh.world.resources import SECRET, ResourceType

MANAGER = "mesh/reader"
TYPE = "kubernetes.io/service-account-token"
ACCOUNT = "kubernetes.io/service-account.name"
GOOD = {"token": "accepted", "rights": "granted"}
"""What an API server is to say of the token; "refused" and "denied" otherwise."""

HELM = "meta.helm.sh/"
ROLE = ResourceType("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False)
ROLE_NAME = "istio-reader-clusterrole-{namespace}"
"""The role of Istio's charts and its binding, which have one name."""


@dataclass(frozen=True, slots=True)
class ReaderSpec:
    """The token Secret of the service account `account`; `address` is its own key."""

    mesh: str
    address: Key
    namespace: str
    name: str
    account: str


class ReaderProvider(Provider[ReaderSpec], Traced):
    """The reader of one cluster; its outputs `ca` and `token` move when the values do.

    `server` is where we reach its API server, `roots` the fingerprints of its roots of trust.
    """

    kind = "reader"
    immutable = frozenset({("type",), ("metadata", "annotations", ACCOUNT)})
    moves = frozenset({("access", "token")})

    def wanted(self, spec: ReaderSpec, live: Found, last: Last | None) -> Attrs:
        """What makes Kubernetes fill it in; and that its API server takes the token and lets it read."""
        del live, last
        return {"type": TYPE, "metadata": {"annotations": {ACCOUNT: spec.account}}, "access": dict(GOOD)}

    def ready(self, spec: ReaderSpec, live: Live) -> Ready:
        """Filled in, accepted by its own API server; and a root of trust is there to be compared."""
        if not {"ca", "token"} <= live.outputs.keys():
            return not_yet(f"Kubernetes has not filled in its token: is account {spec.account} there?")
        if said := next(iter(live.status.values()), ""):
            return not_yet(str(said))
        return READY if live.outputs["roots"] else not_yet("its istiod has not handed out its root yet")

    def observe(self, places: Mapping[Key, Place], snapshot: Snapshot) -> Mapping[Key, Found]:
        """Find each in the one LIST of Secrets of its namespace, and ask whether its token works."""
        return secret_objects.observe(
            places,
            snapshot,
            lambda key, where, obj: _live(key, where, obj, snapshot),
            lambda key, last: _glimpse(key, last, snapshot),
        )

    def owned(self, mesh: str, snapshot: Snapshot) -> Mapping[Key, Place]:
        """Every Secret with our label whose address is of this kind."""
        return secret_objects.owned(self.kind, mesh, snapshot)

    def written(self, key: Key, place: Place, live: Live, world: World) -> tuple[Touch, ...]:
        """What the Secret's managedFields say."""
        del live
        return written_in(SECRET, key, place, world)

    def preview(self, spec: ReaderSpec, key: Key, live: Live | None, world: World) -> Preview:
        """Dry-run the write; say what it takes from whom."""
        sent = body(spec, key, live)
        return dry_run(
            lambda force: world.kube(key.cluster).apply(sent, manager=MANAGER, force=force, dry_run=True)
        )

    def create(self, spec: ReaderSpec, key: Key, world: World) -> None:
        """Apply it; Kubernetes fills it in a moment later."""
        world.kube(key.cluster).apply(body(spec, key, None), manager=MANAGER)

    def update(self, spec: ReaderSpec, key: Key, live: Live, last: Last | None, world: World) -> None:
        """Give it the rights that it lost, or make it anew if its token is refused."""
        del last
        kube = world.kube(key.cluster)
        if live.status.get("refused"):
            kube.delete(SECRET, spec.namespace, spec.name, uid=live.uid)
            kube.apply(body(spec, key, None), manager=MANAGER, force=True)
            return
        if live.status.get("denied"):
            _bind(kube, spec)
        kube.apply(body(spec, key, live), manager=MANAGER, force=True)

    def delete(self, key: Key, place: Place, live: Live, last: Last, world: World) -> tuple[str, ...]:
        """Delete the Secret that we made, and with it the token."""
        return secret_objects.delete(key, place, live, last, world)


def _live(key: Key, where: Place, obj: Object, snapshot: Snapshot) -> Live:
    kube = snapshot.world.kube(key.cluster)
    access = of_token_secret(obj)
    annotations = obj["metadata"].get("annotations", {})
    kept = {ACCOUNT: annotations[ACCOUNT]} if ACCOUNT in annotations else {}
    outputs = {"server": kube.server, "roots": roots(snapshot, where.namespace)}
    status: Mapping[str, str] = {}
    if access.complete:
        outputs |= {
            name: salted(secret_objects.SecretLocator.of(where).mesh, key, getattr(access, name))
            for name in ("ca", "token")
        }
        status = judge(kube, Access(token=access.token), whose="its reader's").told()
    said = {"token": "refused"} if "refused" in status else {"rights": "denied"} if "denied" in status else {}
    attrs = {"type": obj.get("type", ""), "metadata": {"annotations": kept}, "access": GOOD | said}
    return Live(
        attrs,
        token(obj, {**attrs, "token": outputs.get("token", "")}),
        uid=obj["metadata"]["uid"],
        outputs=outputs,
        status=status,
        touches=touches(obj, ours=MANAGER),
        owner=owner_of(obj),
    )


def _glimpse(key: Key, last: Last, snapshot: Snapshot) -> VisibleState:
    """The token that was made, and the roots that are published now; whether it still works does not show."""
    shown = {
        "server": snapshot.world.kube(key.cluster).server,
        "roots": roots(snapshot, last.place.namespace),
    }
    left = as_left(last)
    return VisibleState(replace(left, outputs={**left.outputs, **shown}), {})


def body(spec: ReaderSpec, key: Key, live: Live | None) -> Object:
    """The Secret as it is sent."""
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
    """Put back the binding that Istio's chart made and somebody removed, as a part of the role's release."""
    name = ROLE_NAME.format(namespace=spec.namespace)
    role = kube.get(ROLE, "", name)
    if role is None:
        raise KubeError(
            f"{spec.address}: ClusterRole {name} is not there, which lets {spec.account} read",
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
    """The labels and annotations by which helm knows what belongs to the same release."""
    meta = obj["metadata"]
    annotations = {name: text for name, text in meta.get("annotations", {}).items() if name.startswith(HELM)}
    return {"labels": dict(meta.get("labels", {})), "annotations": annotations}
