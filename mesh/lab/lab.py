"""A lab: clusters with their files in one folder; start, inspect and delete it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from mesh.errors import LabError
from mesh.lab import addresses, boot, components, kubeconfig, processes, record, removal, status
from mesh.lab.build import toolchain
from mesh.lab.filelock import locked
from mesh.lab.istio_tools import istio_tools
from mesh.lab.paths import cache_dir, lab_dir
from mesh.lab.progress import Progress, Silent
from mesh.lab.record import SHARED, Cluster, Component, Istio, Record


@dataclass(frozen=True, slots=True)
class Lab:
    """A lab in a folder; its only state is the record in the folder and the process table.

    ::

        lab = Lab.open("try")                   # or Lab.open("try", folder=Path(…)); starts nothing
        lab.up(clusters=2, nodes=2)             # builds a missing toolchain, waits until ready
        lab.kubeconfig                          # contexts cluster1, cluster2
        lab.bin / "kubectl", lab.bin / "helm"
        lab.environment()                       # KUBECONFIG, KUBECACHEDIR and PATH for a child process
        lab.stop("cluster2")                    # its API server: the cluster is unreachable …
        lab.start("cluster2")                   # … and back, ready
        lab.stop("-", "standin")                # a process that serves all clusters
        lab.status().clusters[0].ready
        lab.down()                              # leaves no process, port or file

    Every method can be repeated, from any process. All raise `mesh.errors.LabError`.
    """

    name: str
    folder: Path

    @classmethod
    def open(cls, name: str = "default", *, folder: Path | None = None) -> Lab:
        """Return the lab `name`, running or not, in `folder` or in its default folder."""
        if not name or name.startswith(".") or "/" in name:
            raise LabError(f"{name!r} cannot be the name of a lab", hint="use letters, digits and hyphens")
        return cls(name, (folder or lab_dir(name)).expanduser().resolve())

    @classmethod
    def known(cls) -> tuple[Lab, ...]:
        """Return every lab of this machine that was started and not deleted, wherever its folder is."""
        found = ((folder, record.read(folder / "lab.json")) for folder in addresses.holders(cache_dir()))
        return tuple(cls(one.name, folder) for folder, one in found if one is not None)

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig with one context per cluster."""
        return self.folder / "kubeconfig"

    @property
    def bin(self) -> Path:
        """The toolchain's binaries: kubectl, helm, etcd and the control plane."""
        return Path(self._recorded().bin)

    @property
    def istio(self) -> Path | None:
        """The binaries of real Istio, istioctl among them, None if the lab does not run it."""
        return components.programs(self._recorded().clusters[0])

    @property
    def contexts(self) -> tuple[str, ...]:
        """The names of the clusters, which are also their contexts."""
        return tuple(cluster.name for cluster in self._recorded().clusters)

    def environment(self) -> dict[str, str]:
        """The environment for kubectl and helm: KUBECONFIG, PATH, and a separate discovery cache."""
        folders = (self.bin, *filter(None, (self.istio,)))
        path = os.pathsep.join((*map(str, folders), os.environ.get("PATH", os.defpath)))
        return {
            "KUBECONFIG": str(self.kubeconfig),
            "KUBECACHEDIR": str(self.folder / "kube-cache"),
            "PATH": path,
        }

    def exists(self) -> bool:
        """Whether the lab was started and not deleted since."""
        return record.read(self._record) is not None

    def up(
        self,
        clusters: int | None = None,
        nodes: int | None = None,
        *,
        prefix: str = "cluster",
        istio: Istio | None = None,
        progress: Progress | None = None,
    ) -> status.LabStatus:
        """Run `clusters` clusters with `nodes` nodes (None: unchanged, or 2); returns when they are ready.

        Starts only missing or crashed processes. Clusters and nodes can be added to a lab, not removed.
        `istio` says who acts as istiod (None: unchanged, or the stand-in). Real Istio must have been built.
        """
        if not re.fullmatch("[a-z][a-z0-9-]*", prefix):
            raise LabError(f"{prefix!r} cannot begin the name of a cluster", hint="use a-z, 0-9 and hyphens")
        progress = progress or Silent()
        tools = toolchain().bin
        self._make_folder()
        with locked(
            self.folder / "lock",
            deadline=300,
            waiting=lambda: progress.tick("another command is using this lab"),
        ):
            known = self._known(prefix, tools, istio)
            wanted = self._grow(known, clusters=clusters, nodes=nodes)
            boot.together(self.folder, wanted.clusters, nodes=wanted.nodes, progress=progress)
            self._run_extras(wanted)
        return self.status()

    def down(self) -> None:
        """Stop every process of the lab and delete its files; missing ones are ignored."""
        if not self.folder.exists():
            return
        with locked(self.folder / "lock", deadline=300):
            known = record.read(self._record)
            if known is not None:
                removal.end(known)
            addresses.release(cache_dir(), self.folder)
            removal.delete(self.folder, known.clusters if known else ())

    def status(self) -> status.LabStatus:
        """Return the state of every process and the readiness of every cluster."""
        return status.look(self.folder, self._recorded())

    def stop(self, cluster: str, component: str = components.APISERVER) -> None:
        """Kill one process of a cluster ("-": of the lab); it stays stopped until `start` or `up`."""
        wanted = self._component(cluster, component)
        marker = self._home(cluster) / f"{component}.stopped"
        marker.touch()
        processes.stop((wanted.argv,), grace=0)

    def start(self, cluster: str) -> None:
        """Start the stopped processes of a cluster ("-": of the lab) and wait until they are ready."""
        known = self._recorded()
        if cluster == "-":
            boot.launch(self.folder / SHARED, known.extras)
        else:
            boot.together(self.folder, (known.cluster(cluster),), nodes=known.nodes, progress=Silent())

    def log(self, cluster: str, component: str) -> Path:
        """Return the log file of one process of a cluster ("-": of the lab)."""
        return self._home(cluster) / f"{self._component(cluster, component).name}.log"

    @property
    def _record(self) -> Path:
        return self.folder / "lab.json"

    def _recorded(self) -> Record:
        found = record.read(self._record)
        if found is None:
            raise LabError(f"lab {self.name} is not running", hint="start it with mesh lab up")
        return found

    def _home(self, cluster: str) -> Path:
        return (
            self.folder / SHARED if cluster == "-" else self.folder / self._recorded().cluster(cluster).name
        )

    def _component(self, cluster: str, component: str) -> Component:
        known = self._recorded()
        if cluster != "-":
            return known.cluster(cluster).component(component)
        for extra in known.extras:
            if extra.name == component:
                return extra
        raise LabError(f"lab {self.name} has no process {component}")

    def _make_folder(self) -> None:
        """Create the folder, or check that it belongs to a lab: `down` must not delete other files."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        others = {path.name for path in self.folder.iterdir()} - {"lock", ".lab.json.new"}
        if others and not self._record.exists():
            raise LabError(
                f"{self.folder} is not empty and contains no lab", hint="choose another folder with --dir"
            )

    def _known(self, prefix: str, tools: Path, istio: Istio | None) -> Record:
        """Return the record of the lab, or that of a new one, with who acts as istiod."""
        found = record.read(self._record)
        if found is None:
            return Record(self.name, prefix, 0, str(tools), (), (), istio or "standin")
        if istio is not None and "real" in (found.istio, istio) and found.istio != istio:
            raise LabError(
                f"lab {self.name} was started with --istio {found.istio} and cannot change to {istio}",
                hint="run mesh lab down first",
            )
        return replace(found, istio=istio or found.istio)

    def _grow(self, known: Record, *, clusters: int | None, nodes: int | None) -> Record:
        """Write the record of the wanted processes to disk before any of them starts."""
        count = clusters or len(known.clusters) or 2
        if count < len(known.clusters):
            raise LabError(
                f"lab {self.name} has {len(known.clusters)} clusters and cannot shrink to {count}",
                hint="run mesh lab down first; clusters can only be added",
            )
        if known.nodes and (nodes or known.nodes) < known.nodes:
            raise LabError(
                f"lab {self.name} has {known.nodes} nodes per cluster and cannot shrink to {nodes}",
                hint="run mesh lab down first; nodes can only be added",
            )
        grown = replace(
            known,
            nodes=nodes or known.nodes or 2,
            clusters=known.clusters + tuple(self._new_clusters(known, count - len(known.clusters))),
        )
        record.write(self._record, grown)
        return grown

    def _new_clusters(self, known: Record, count: int) -> Iterable[Cluster]:
        for number, block in enumerate(
            addresses.claim(cache_dir(), self.folder, count), len(known.clusters) + 1
        ):
            name = f"{known.prefix}{number}"
            yield components.cluster(
                self.folder / name,
                Path(known.bin),
                name=name,
                block=block,
                port=addresses.free_port(block),
                istio=istio_tools() if known.istio == "real" else None,
            )

    def _run_extras(self, known: Record) -> None:
        """Write the kubeconfig, then run the stand-in for exactly the clusters it names."""
        kubeconfig.write(
            self.kubeconfig,
            (
                kubeconfig.Access(one.name, one.server, self.folder / one.name / "pki", "admin")
                for one in known.clusters
            ),
        )
        home = self.folder / SHARED
        home.mkdir(mode=0o700, exist_ok=True)
        contexts = tuple(cluster.name for cluster in known.clusters)
        runs = known.istio == "standin"
        wanted = components.standin(self.folder, home, Path(known.bin), contexts) if runs else ()
        processes.stop({extra.argv for extra in known.extras} - {extra.argv for extra in wanted})
        record.write(self._record, replace(known, extras=wanted))
        if boot.launch(home, wanted):
            processes.settle(tuple(one.argv for one in wanted))
