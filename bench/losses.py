"""`python -m bench.losses`: what requests between clusters lose while `mesh apply` changes their mesh.

Three clusters of a lab with real Istio; requests over new connections, between two clusters that stay
linked. Prints a table, and writes it into docs/explanation/losses.md.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from bench.rig import ROOT
from mesh.lab import Lab, gateway_api_crds, toolchain, traffic
from mesh.lab.istio_charts import VERSION, istio_charts
from mesh.lab.istio_tools import istio_tools
from mesh.lab.traffic import Outcome, summary

DOCUMENT = ROOT / "docs" / "explanation" / "losses.md"
BEGIN, END = "<!-- losses -->\n", "<!-- /losses -->\n"
AFTER = 10.0
"""Seconds that requests go on after an apply: what it started may cut traffic later."""

Pair = tuple[str, str]
Change = Callable[[dict[str, Any]], object]


@dataclass(frozen=True)
class Lost:
    """What one change cost: requests sent and lost, and for how many seconds at most between one pair."""

    change: str
    sent: int
    lost: int
    longest: float
    seconds: float


def spec(*clusters: str) -> dict[str, Any]:
    """A mesh of these clusters, each linked with each."""
    return {
        "istio": {"distribution": "upstream", "version": VERSION},
        "defaults": {"allowLoopback": True, "values": {}},
        "rootOfTrust": {"intermediate": {"validity": "30d"}},
        "clusters": [{"name": name, "context": name} for name in clusters],
        "links": "full-mesh",
    }


def value(component: str, **some: Any) -> Change:
    """Set values of a chart in all clusters."""
    return lambda wanted: wanted["defaults"]["values"].update({component: some})


def renewed(wanted: dict[str, Any]) -> None:
    """Make every intermediate due for renewal."""
    wanted["rootOfTrust"] = {"intermediate": {"validity": "60d", "renewBefore": "40d"}}


def with_clusters(*names: str) -> Change:
    """Make the mesh one of these clusters."""
    return lambda wanted: wanted.update(clusters=spec(*names)["clusters"])


def with_links(*links: Pair) -> Change:
    """List the links."""
    return lambda wanted: wanted.update(links=[{"from": one, "to": other} for one, other in links])


def full_mesh(wanted: dict[str, Any]) -> None:
    """Link all clusters."""
    wanted["links"] = "full-mesh"


TWO = (("cluster1", "cluster2"), ("cluster2", "cluster1"))
CHANGES: tuple[tuple[str, Change], ...] = (
    ("a value of istiod, which restarts it", value("istiod", env={"TRY": "one"})),
    ("a value of ztunnel, which restarts it on each node", value("ztunnel", logLevel="debug")),
    ("all intermediates renewed", renewed),
    ("a cluster added", with_clusters("cluster1", "cluster2", "cluster3")),
    ("a link removed, between two others", with_links(*TWO, ("cluster1", "cluster3"))),
    ("the links added again", full_mesh),
    ("a cluster removed", with_clusters("cluster1", "cluster2")),
)


class Home:
    """A mesh file, and the command line beside it."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder, self.spec = lab, folder, spec("cluster1", "cluster2")
        self.env = {
            **os.environ,
            **lab.environment(),
            "MESH_CHART_SOURCE": str(istio_charts()),
            "MESH_GATEWAY_API_SOURCE": str(gateway_api_crds()),
            "XDG_CONFIG_HOME": str(folder / "config"),
        }

    def apply(self) -> None:
        """Write the file and apply it."""
        document = {
            "apiVersion": "mesh/v1",
            "kind": "Mesh",
            "metadata": {"name": "losses"},
            "spec": self.spec,
        }
        (self.folder / "mesh.yaml").write_text(yaml.safe_dump(document))
        argv = [sys.executable, "-m", "mesh", "apply", "--yes", "--allow-deletes", "100"]
        done = subprocess.run(
            argv, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{done.stdout[-2000:]}{done.stderr[-2000:]}")


@contextmanager
def sending(lab: Lab, pairs: tuple[Pair, ...], rate: float) -> Iterator[dict[Pair, list[Outcome]]]:
    """Send requests between all pairs during the block; each list is complete afterwards."""
    found: dict[Pair, list[Outcome]] = {pair: [] for pair in pairs}
    stopping = threading.Event()

    def send(pair: Pair) -> None:
        with traffic.sending(lab, *pair, rate=rate) as outcomes:
            for each in outcomes:
                found[pair].append(each)
                if stopping.is_set():
                    break

    threads = [threading.Thread(target=send, args=(pair,)) for pair in pairs]
    for each in threads:
        each.start()
    while not all(found.values()):
        time.sleep(0.1)
    try:
        yield found
    finally:
        stopping.set()
        for each in threads:
            each.join()


def longest(outcomes: list[Outcome]) -> float:
    """Return the seconds of the longest time without an answer between requests that were sent."""
    most, since = 0.0, None
    for each in sorted(outcomes, key=lambda one: one.at):
        at = datetime.fromisoformat(each.at).timestamp()
        since = (since or at) if each.error else None
        most = max(most, at - since) if since else most
    return most


def measure(home: Home, rate: float) -> list[Lost]:
    """Apply each change in turn while requests are sent."""
    rows = []
    for name, change in CHANGES:
        change(home.spec)
        with sending(home.lab, TWO, rate) as found:
            began = time.monotonic()
            home.apply()
            seconds = time.monotonic() - began
            time.sleep(AFTER)
        all_of_it = summary(each for outcomes in found.values() for each in outcomes)
        rows.append(Lost(name, all_of_it.sent, all_of_it.lost, max(map(longest, found.values())), seconds))
        print(rows[-1], flush=True)
    return rows


def table(rows: list[Lost], rate: float) -> str:
    """Return the rows as Markdown."""
    lines = [
        f"Istio {VERSION}, {rate:g} requests per second in each direction between two clusters, measured on "
        f"{datetime.now(UTC):%Y-%m-%d} with `python -m bench.losses`.",
        "",
        "| change | apply | requests | lost | longest gap |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.change} | {row.seconds:.0f} s | {row.sent} | {row.lost} | "
        f"{f'{max(row.longest, 1 / rate):.1f} s' if row.lost else '-'} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m bench.losses", description=__doc__)
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--no-write", action="store_true")
    wishes = parser.parse_args()
    toolchain()
    istio_tools()
    with tempfile.TemporaryDirectory(prefix="mesh-losses-") as name:
        lab = Lab.open("losses", folder=Path(name) / "lab")
        try:
            lab.up(clusters=3, nodes=1, istio="real")
            home = Home(lab, Path(name))
            home.apply()
            for cluster in ("cluster1", "cluster2"):
                traffic.install(lab, cluster)
            time.sleep(AFTER)
            text = table(measure(home, wishes.rate), wishes.rate)
        finally:
            lab.down()
    print(text)
    if not wishes.no_write:
        before, _, rest = DOCUMENT.read_text("utf-8").partition(BEGIN)
        DOCUMENT.write_text(f"{before}{BEGIN}{text}{END}{rest.partition(END)[2]}", "utf-8")


if __name__ == "__main__":
    main()
