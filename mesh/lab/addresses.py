"""Numbers that no two clusters of a machine share: a block per cluster gives its port and its addresses.

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
#: Ports from here on, a hundred per block: below the range from which kernels pick ports for outgoing
#: connections (32768 on Linux, 49152 on macOS), so a stopped API server's port stays free for its return.
FIRST_PORT = 20000
PORTS = 100


def claim(cache: Path, lab: Path, count: int) -> tuple[int, ...]:
    """Take `count` blocks for the lab in folder `lab`; raises `LabError` when they are used up."""
    folder = cache / "addresses"
    with locked(folder / "lock", deadline=30):
        free = [block for block in range(BLOCKS) if _is_free(folder / str(block))]
        if len(free) < count:
            raise LabError(
                f"{count} clusters do not fit: only {len(free)} of {BLOCKS} address blocks are free",
                hint="take down another lab of this machine first",
            )
        for block in free[:count]:
            (folder / str(block)).write_text(str(lab))
    return tuple(free[:count])


def holders(cache: Path) -> tuple[Path, ...]:
    """The folders of all labs of this machine that hold a block, sorted."""
    claims = (cache / "addresses" / str(block) for block in range(BLOCKS))
    return tuple(sorted({Path(path.read_text()) for path in claims if not _is_free(path)}))


def release(cache: Path, lab: Path) -> None:
    """Give back every block of the lab in folder `lab`."""
    folder = cache / "addresses"
    with locked(folder / "lock", deadline=30):
        for block in range(BLOCKS):
            path = folder / str(block)
            if path.exists() and path.read_text() == str(lab):
                path.unlink()


def free_port(block: int, *, taken: Iterable[int] = ()) -> int:
    """A free loopback port of this block.

    A random one, because clients cache API discovery on disk by host and port for hours: a lab that
    always had the port of the one before it would be seen with its predecessor's resources.
    """
    first = FIRST_PORT + block * PORTS
    candidates = sorted(set(range(first, first + PORTS)) - set(taken))
    random.shuffle(candidates)
    for port in candidates:
        if can_listen(port):
            return port
    raise LabError(f"no free port on 127.0.0.1 between {first} and {first + PORTS - 1}")


def service_cidr(block: int) -> str:
    """The range of cluster IPs."""
    return f"10.{64 + block}.0.0/16"


def service_ip(block: int) -> str:
    """The cluster IP of the Service `kubernetes`: the first of the range."""
    return f"10.{64 + block}.0.1"


def pod_cidr(block: int, node: int) -> str:
    """The range of pod IPs of a node; nodes count from 1."""
    return f"10.{128 + block}.{node}.0/24"


def node_ip(block: int, node: int) -> str:
    """The address of a node; nodes count from 1."""
    return f"10.{block}.0.{node}"


def _is_free(path: Path) -> bool:
    return not path.exists() or not Path(path.read_text()).is_dir()


def can_listen(port: int) -> bool:
    """Whether `port` of 127.0.0.1 is free now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
