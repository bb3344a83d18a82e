"""Address blocks that are unique per cluster on one machine; each gives a port and address ranges.

Block *b* (0 to 63) means services in 10.(64+b).0.0/16, load balancers in 100.(64+b).0.0/16 (shared address
space, RFC 6598: never routed on the internet), pods in 10.(128+b).0.0/16 and nodes in 10.b.0.0/24. A claim is
a file of the cache that names the lab's folder; it counts only while that folder exists.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable
from pathlib import Path

from mesh.errors import LabError
from mesh.lab.filelock import locked

BLOCKS = 64
#: First port; each block has a hundred. They are below the range of ephemeral ports (32768 on Linux,
#: 49152 on macOS), so that the port of a stopped API server stays free until it starts again.
FIRST_PORT = 20000
PORTS = 100
#: The number of the range of pod addresses that belongs to pods with a process; those of nodes are below.
PODS = 254
#: Where a kubelet of a lab with real Istio listens, so that no other lab takes its addresses.
KUBELET_PORT = 10250


def claim(cache: Path, lab: Path, count: int) -> tuple[int, ...]:
    """Claim `count` blocks for the lab in folder `lab`; raise `LabError` if too few are free."""
    folder = cache / "addresses"
    with locked(folder / "lock", deadline=30):
        free = [block for block in range(BLOCKS) if _is_free(folder / str(block)) and not _is_used(block)]
        if len(free) < count:
            raise LabError(
                f"{count} clusters do not fit: only {len(free)} of {BLOCKS} address blocks are free",
                hint="run mesh lab down for another lab of this machine first",
            )
        for block in free[:count]:
            (folder / str(block)).write_text(str(lab))
    return tuple(free[:count])


def holders(cache: Path) -> tuple[Path, ...]:
    """Return the folders of all labs of this machine that have claimed a block, sorted."""
    claims = (cache / "addresses" / str(block) for block in range(BLOCKS))
    return tuple(sorted({Path(path.read_text()) for path in claims if not _is_free(path)}))


def release(cache: Path, lab: Path) -> None:
    """Release every block of the lab in folder `lab`."""
    folder = cache / "addresses"
    with locked(folder / "lock", deadline=30):
        for block in range(BLOCKS):
            path = folder / str(block)
            if path.exists() and path.read_text() == str(lab):
                path.unlink()


def free_port(block: int, *, taken: Iterable[int] = ()) -> int:
    """Return a free loopback port of this block.

    The port is random, because clients cache API discovery on disk by host and port for hours: with
    the port of an earlier lab, a client would see that lab's resource types.
    """
    first = FIRST_PORT + block * PORTS
    candidates = sorted(set(range(first, first + PORTS)) - set(taken))
    random.shuffle(candidates)
    for port in candidates:
        if can_listen(port):
            return port
    raise LabError(f"no free port on 127.0.0.1 between {first} and {first + PORTS - 1}")


def service_cidr(block: int) -> str:
    """Return the range of cluster IPs."""
    return f"10.{64 + block}.0.0/16"


def service_ip(block: int) -> str:
    """Return the cluster IP of the Service `kubernetes`: the first of the range."""
    return f"10.{64 + block}.0.1"


def pod_cidr(block: int, node: int) -> str:
    """Return the range of pod IPs of a node; nodes count from 1."""
    return f"10.{128 + block}.{node}.0/24"


def node_ip(block: int, node: int) -> str:
    """Return the address of a node; nodes count from 1."""
    return f"10.{block}.0.{node}"


def _is_used(block: int) -> bool:
    """Whether the kubelet of a lab with another cache holds the addresses of this block."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.connect((f"127.{128 + block}.{PODS}.0", KUBELET_PORT))
        except OSError:
            return False
    return True


def _is_free(path: Path) -> bool:
    return not path.exists() or not Path(path.read_text()).is_dir()


def can_listen(port: int) -> bool:
    """Return whether `port` of 127.0.0.1 is free now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
