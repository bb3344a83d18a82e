"""The processes of a lab, with their arguments."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import mesh
from mesh.lab import addresses
from mesh.lab.record import Cluster, Component

ETCD = "etcd"
APISERVER = "kube-apiserver"
MANAGER = "kube-controller-manager"
SCHEDULER = "kube-scheduler"
KWOK = "kwok"
STANDIN = "standin"
KUBELET = "kubelet"

#: Started first; the others follow when the API server is ready, because a controller manager or a
#: scheduler exits if it cannot connect.
FIRST = (ETCD, APISERVER)

MANIFESTS = Path(__file__).parent / "manifests"

STAGES = "stages.yaml"
#: Other files that the processes of a cluster read, by their names in the cluster's folder.
FILES = ("egress.yaml", "audit.yaml")

#: Where an API server logs what identities with limited rights ask it, one JSON object a line.
AUDIT = "audit.log"

#: Bytes of memory of a machine whose labs need not save any.
AMPLE = 12 << 30

#: Controllers of volumes, certificates, clouds and metrics have nothing to act on here and cost memory.
CONTROLLERS = (
    "*",
    "-certificatesigningrequest-approving-controller",
    "-certificatesigningrequest-cleaner-controller",
    "-certificatesigningrequest-signing-controller",
    "-device-taint-eviction-controller",
    "-ephemeral-volume-controller",
    "-horizontal-pod-autoscaler-controller",
    "-kube-apiserver-serving-clustertrustbundle-publisher-controller",
    "-legacy-serviceaccount-token-cleaner-controller",
    "-node-ipam-controller",
    "-persistentvolume-attach-detach-controller",
    "-persistentvolume-binder-controller",
    "-persistentvolume-expander-controller",
    "-persistentvolume-protection-controller",
    "-persistentvolumeclaim-protection-controller",
    "-podcertificaterequest-cleaner-controller",
    "-podgroup-protection-controller",
    "-resourceclaim-controller",
    "-resourcepoolstatusrequest-controller",
    "-storage-version-migrator-controller",
    "-storageversion-garbage-collector-controller",
    "-ttl-controller",
    "-volumeattributesclass-protection-controller",
)


def cluster(
    folder: Path, tools: Path, *, name: str, block: int, port: int, istio: Path | None = None
) -> Cluster:
    """Return the cluster `name` with its files in `folder`, run from the binaries in `tools`.

    `istio` has the binaries of real Istio; without them no pod is more than an object.
    """
    return Cluster(
        name=name,
        block=block,
        port=port,
        components=(
            _component(ETCD, folder, (str(tools / "etcd"), *_etcd(folder)), memory=128),
            _component(
                APISERVER, folder, (str(tools / APISERVER), *_apiserver(folder, block, port)), memory=384
            ),
            _component(MANAGER, folder, (str(tools / MANAGER), *_manager(folder)), memory=128),
            _component(SCHEDULER, folder, (str(tools / SCHEDULER), *_scheduler(folder)), memory=96),
            _component(KWOK, folder, (str(tools / "kwok"), *_kwok(folder, block)), memory=96),
            *(() if istio is None else (_kubelet(folder, istio, name=name, block=block),)),
        ),
    )


def programs(one: Cluster) -> Path | None:
    """Return the folder of the binaries of real Istio that a cluster runs, None if it runs none."""
    found = (Path(component.argv[0]).parent for component in one.components if component.name == KUBELET)
    return next(found, None)


def standin(lab: Path, home: Path, tools: Path, contexts: tuple[str, ...]) -> tuple[Component, ...]:
    """Return the stand-in istiod for all clusters of `lab`, with its files in `home`; () if unavailable."""
    if not (Path(__file__).parent / "standin" / "__main__.py").exists():
        return ()
    argv = (
        *(sys.executable, "-m", "mesh.lab.standin"),
        *("--kubeconfig", str(lab / "kubeconfig"), "--contexts", ",".join(contexts)),
    )
    root = str(Path(mesh.__file__).parent.parent)
    env = (*_environment(home, tools), ("PYTHONPATH", root), ("PYTHONUNBUFFERED", "1"))
    return (Component(STANDIN, argv, env),)


def _component(name: str, folder: Path, argv: tuple[str, ...], *, memory: int) -> Component:
    env = (*_environment(folder, Path(argv[0]).parent), *_collector(memory))
    return Component(name, argv, env)


def _kubelet(folder: Path, istio: Path, *, name: str, block: int) -> Component:
    argv = (
        *(str(istio / KUBELET), f"-cluster={name}", f"-folder={folder}", f"-programs={istio}"),
        *(
            f"-kubeconfig={folder / KUBELET}.kubeconfig",
            f"-addresses={addresses.pod_cidr(block, addresses.PODS)}",
        ),
    )
    return _component(KUBELET, folder, argv, memory=48)


def _collector(memory: int) -> tuple[tuple[str, str], ...]:
    """Return how a program in Go collects garbage, with a soft limit of so many MiB."""
    # GOMEMLIMIT is a soft limit: above it the garbage collector runs more often instead of letting the heap
    # double. GOGC=50 saves a third of the API server's memory, and takes two fifths more of its CPU time than
    # GOGC=200, which a machine with memory to spare need not pay.
    if os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >= AMPLE:
        return (("GOMEMLIMIT", f"{3 * memory}MiB"), ("GOGC", "200"))
    return (("GOMEMLIMIT", f"{memory}MiB"), ("GOGC", "50"))


def _environment(home: Path, tools: Path) -> tuple[tuple[str, str], ...]:
    """Return a minimal environment: no proxy variables (all traffic is loopback), no user variables."""
    path = os.pathsep.join((str(tools), "/usr/local/bin", "/usr/bin", "/bin"))
    return (("HOME", str(home)), ("PATH", path), ("LC_ALL", "C"))


def _etcd(folder: Path) -> tuple[str, ...]:
    # Unix sockets need no port and no certificates, and only the owner of the folder (mode 0700) can
    # reach them. Their paths are relative, because a socket path is limited to 104 bytes. etcd runs
    # without fsync: after a power failure the lab is lost, and one `up` replaces it.
    return (
        *("--name=lab", f"--data-dir={folder / 'etcd'}", "--unsafe-no-fsync", "--log-level=warn"),
        *("--listen-client-urls=unix://etcd.sock", "--advertise-client-urls=unix://etcd.sock"),
        *("--listen-peer-urls=unix://peer.sock", "--initial-advertise-peer-urls=unix://peer.sock"),
        *("--initial-cluster=lab=unix://peer.sock", "--enable-grpc-gateway=false"),
        *("--quota-backend-bytes=268435456", "--snapshot-count=5000"),
    )


def _apiserver(folder: Path, block: int, port: int) -> tuple[str, ...]:
    pki = folder / "pki"
    issuer = "https://kubernetes.default.svc.cluster.local"
    return (
        *("--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", f"--secure-port={port}"),
        *("--etcd-servers=unix://etcd.sock", "--endpoint-reconciler-type=none"),
        *(f"--tls-cert-file={pki / 'server.crt'}", f"--tls-private-key-file={pki / 'server.key'}"),
        *(f"--client-ca-file={pki / 'ca.crt'}", "--authorization-mode=RBAC"),
        *(f"--service-account-issuer={issuer}", f"--service-account-key-file={pki / 'sa.key'}"),
        *(f"--service-account-signing-key-file={pki / 'sa.key'}",),
        *(f"--service-cluster-ip-range={addresses.service_cidr(block)}",),
        *(f"--egress-selector-config-file={folder / 'egress.yaml'}",),
        *(f"--audit-policy-file={folder / 'audit.yaml'}", f"--audit-log-path={folder / AUDIT}"),
        *("--audit-log-maxsize=20", "--audit-log-maxbackup=1"),
        *("--max-requests-inflight=200", "--max-mutating-requests-inflight=100", "--profiling=false"),
    )


def _manager(folder: Path) -> tuple[str, ...]:
    pki = folder / "pki"
    return (
        *(f"--kubeconfig={folder / 'kube-controller-manager.kubeconfig'}", "--leader-elect=false"),
        *("--secure-port=0", "--use-service-account-credentials=false", "--profiling=false"),
        *(f"--root-ca-file={pki / 'ca.crt'}", f"--service-account-private-key-file={pki / 'sa.key'}"),
        # The defaults (20, 30) throttle the requests of a new installation for seconds.
        *("--kube-api-qps=200", "--kube-api-burst=400", f"--controllers={','.join(CONTROLLERS)}"),
    )


def _scheduler(folder: Path) -> tuple[str, ...]:
    return (
        *(f"--kubeconfig={folder / 'kube-scheduler.kubeconfig'}", "--leader-elect=false", "--secure-port=0"),
        *("--profiling=false", "--kube-api-qps=200", "--kube-api-burst=400"),
    )


def _kwok(folder: Path, block: int) -> tuple[str, ...]:
    # Without --server-address, kwok opens no port.
    return (
        *(f"--kubeconfig={folder / 'kwok.kubeconfig'}", f"--config={folder / 'stages.yaml'}"),
        *(
            "--manage-all-nodes",
            "--node-lease-duration-seconds=40",
            f"--cidr={addresses.pod_cidr(block, 255)}",
        ),
    )
