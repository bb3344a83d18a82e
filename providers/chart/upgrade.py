"""The upgrade path from one version of Istio to another, and its effect on traffic; pure."""

from __future__ import annotations

from mesh.istio.versions import Version
from mesh.model import Action, ManifestChange, Path


def refuse_path(component: str, there: str, wanted: str, *, downgrade: bool) -> str:
    """Refuse a downgrade and a skipped minor version, and name the path; "" if the upgrade is allowed."""
    before, after = Version.parse(there), Version.parse(wanted)
    if before is None or after is None or (before.line == after.line and after >= before):
        return ""
    if after < before and not downgrade:
        return (
            f"{component} is {there}, the configuration says {wanted}: that is a downgrade, which Istio does "
            f"not support; set the version to {there} or newer, or allow it with --allow-downgrade"
        )
    # Istio supports data planes at most one minor version behind the control plane during an upgrade.
    if after.major != before.major or after.minor - before.minor > 1:
        steps = [f"{before.major}.{minor}" for minor in range(before.minor + 1, after.minor)]
        return (
            f"{component} is {there}, the configuration says {wanted}: Istio is upgraded one minor version "
            f"at a time; first apply a version of {', then '.join(steps)}, then {wanted}; "
            "or list such versions in spec.istio.through and use --stepwise"
        )
    return ""


EFFECT: dict[str, str] = {
    "istiod": "istiod restarts: running connections go on, new configuration waits until it is back",
    "cni": "istio-cni restarts on {nodes} nodes, one after another: new pods there wait until it is back",
    "ztunnel": "ztunnel restarts on {nodes} nodes, one after another: long-lived connections there are reset",
}


GATEWAY_TOO: str = (
    "istiod then replaces the pods of its east-west gateway: calls from other clusters break for a moment "
    "where there is one replica, the default"
)
"""An istiod of another version or image gives its gateways the matching proxy image."""

OF_A_VERSION = frozenset({"image", "helm.sh/chart", "app.kubernetes.io/version"})


def traffic(component: str, nodes: int, changed: tuple[ManifestChange, ...]) -> tuple[str, ...]:
    """Return the effect of an upgrade on traffic, if it restarts pods."""
    parts = [path for each in changed for path in _of_pods(each)]
    if component not in EFFECT or not parts:
        return ()
    moves_gateway = component == "istiod" and any(path[-1] in OF_A_VERSION for path in parts)
    return (EFFECT[component].format(nodes=nodes), *((GATEWAY_TOO,) if moves_gateway else ()))


def _of_pods(change: ManifestChange) -> list[Path]:
    """Return the fields of a pod template that change: its pods restart."""
    is_workload = change.object.startswith(("Deployment ", "DaemonSet "))
    if not is_workload or change.action is not Action.UPDATE:
        return []
    return [field.path for field in change.fields if field.path[:2] == ("spec", "template")]
