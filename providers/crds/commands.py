"""The commands that install the Gateway API by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as FilePath

from mesh.model.spec import Cluster, GatewayAPI
from mesh.providers.crds.bundle import GROUP
from mesh.sdk.kubectl import WAIT, kubectl
from mesh.sdk.shell import Raw, command, comment
from mesh.world.resources import CRD

DOWNLOADED = Raw('"$work/gateway-api.yaml"')


def _is_pinned(api: GatewayAPI) -> bool:
    """Return whether the digest is that of one file; the digest of a folder covers all of its files."""
    return bool(api.sha256) and not FilePath(api.source).is_dir()


def download(api: GatewayAPI) -> Iterator[str]:
    """Download the CRDs once, and continue only if their digest matches the configuration."""
    if _is_pinned(api):
        yield comment(f"Gateway API {api.version}")
        get = ("curl", "-fsSL", api.source) if "://" in api.source else ("cat", api.source)
        yield f"{command(*get)} >{DOWNLOADED}\n"
        digest_of = f'"$(openssl dgst -sha256 -r {DOWNLOADED} | cut -d" " -f1)"'
        yield f"if [ {digest_of} != {command(api.sha256)} ]; then\n"
        yield f"  echo {command(f'{api.source} does not have the pinned digest')} >&2\n  exit 1\nfi\n"


def install(cluster: Cluster, api: GatewayAPI) -> Iterator[str]:
    """Apply the bundle, and wait until its CRDs are established."""
    if not api.safe_upgrades:
        yield comment(
            "the bundle may contain the policy safe-upgrades; mesh skips it without gatewayAPI.safeUpgrades"
        )
    source = DOWNLOADED if _is_pinned(api) else api.source
    yield kubectl(cluster, "apply", "--server-side", "-f", source) + "\n"
    names = [f"{CRD.plural}/{name}.{GROUP}" for name in ("gatewayclasses", "gateways")]
    yield kubectl(cluster, "wait", "--for=condition=Established", WAIT, *names) + "\n"
