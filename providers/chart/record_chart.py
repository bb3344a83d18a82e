"""What the chart in a release's own record would add to the cluster: nothing, if helm wrote that record.

A person who can write Secrets in a namespace can write such a record, with any chart in it, and helm would
install that chart with the rights of the person who runs mesh. So the rendering is compared with the cluster.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mesh.errors import KubeError
from mesh.sdk.chart_diff import name_of
from mesh.world import HelmJob, Kube, Object
from mesh.world.kube.errors import Missing

HOOK = "helm.sh/hook"
MARKS = ("meta.helm.sh/release-name", "meta.helm.sh/release-namespace")
GRANTS = ("rules", "aggregationRule", "roleRef", "subjects", "webhooks", "spec")
"""The fields of an object that gives rights, or that stands between others and the API server."""
ISTIODS = frozenset({"caBundle", "failurePolicy"})
"""What istiod writes into its webhooks; its charts leave it out."""
GRANTING = frozenset(
    {
        "APIService",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Role",
        "RoleBinding",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    }
)


def without_hooks(objects: Iterable[Object]) -> list[Object]:
    """Return the objects that are a part of the release, as helm's own record of it has them."""
    return [obj for obj in objects if not _is_hook(obj)]


def beyond(objects: Iterable[Object], job: HelmJob, kube: Kube) -> tuple[str, ...]:
    """Return what an upgrade would create, or grant, that the release does not have in the cluster."""
    return tuple(sorted({line for obj in objects for line in _beyond(obj, job, kube)}))


def _beyond(obj: Object, job: HelmJob, kube: Kube) -> Iterator[str]:
    name = name_of(obj)
    if _is_hook(obj):
        yield f"{name}, a hook that helm runs"
        return
    there = _live(obj, job, kube)
    if isinstance(there, str):
        yield f"{name}, {there}"
    elif not _is_of(there, job):
        yield f"{name}, which exists and is not of this release"
    elif obj["kind"] in GRANTING and _grants_more(obj, there, job, kube):
        yield f"other rights in {name}"


def _live(obj: Object, job: HelmJob, kube: Kube) -> Object | str:
    """Return the object in the cluster, or why it cannot be shown to exist."""
    try:
        resource = kube.resource_of(obj)
        namespace = (obj["metadata"].get("namespace") or job.namespace) if resource.namespaced else ""
        return kube.get(resource, namespace, obj["metadata"]["name"]) or "which does not exist"
    except Missing:
        return "which does not exist"
    except KubeError as error:
        return f"which could not be read ({error.message})"


def _is_hook(obj: Object) -> bool:
    return HOOK in (obj["metadata"].get("annotations") or {})


def _is_of(obj: Object, job: HelmJob) -> bool:
    annotations = obj["metadata"].get("annotations") or {}
    return tuple(annotations.get(each) for each in MARKS) == (job.release, job.namespace)


def _grants_more(obj: Object, there: Object, job: HelmJob, kube: Kube) -> bool:
    """Return whether a dry run of the write would change what an object grants."""
    meta = {**obj["metadata"], "uid": there["metadata"].get("uid", "")}
    if there["metadata"].get("namespace"):
        meta["namespace"] = job.namespace if not meta.get("namespace") else meta["namespace"]
    try:
        then = kube.apply({**obj, "metadata": meta}, manager="helm", force=True, dry_run=True)
    except KubeError:
        return True
    return any(_granted(then.get(part)) != _granted(there.get(part)) for part in GRANTS)


def _granted(value: Any) -> Any:
    """Return a field without what istiod itself writes into its webhooks."""
    if isinstance(value, list):
        return [_granted(each) for each in value]
    if isinstance(value, dict):
        return {key: _granted(each) for key, each in value.items() if key not in ISTIODS}
    return value
