"""`python -m mesh.lab.standin --kubeconfig FILE --contexts cluster1,cluster2` runs until a signal."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from mesh.lab.standin import access, distributor
from mesh.lab.standin.api import Api
from mesh.lab.standin.cluster import Board, Cluster

log = logging.getLogger("standin")


def main(argv: list[str] | None = None) -> int:
    """Run for every context until SIGINT or SIGTERM; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="standin", description="Acts as the istiod of each cluster of a lab."
    )
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--contexts", required=True, help="names, separated by commas")
    asked = parser.parse_args(argv)
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO, stream=sys.stderr)
    threading.excepthook = _end
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    try:
        clusters = access.read(asked.kubeconfig, tuple(asked.contexts.split(",")))
    except access.AccessError as error:
        log.error("%s", error)
        return 1
    board = Board()
    every = [Cluster(one, board) for one in clusters]
    for cluster in every:
        cluster.start(stopping)
    members = {one.context: (one, Api(at)) for one, at in zip(every, clusters, strict=True)}
    threading.Thread(target=distributor.run, args=(members, board, stopping), daemon=True).start()
    log.info("acting for %s", asked.contexts)
    stopping.wait()
    return 0


def _end(crash: threading.ExceptHookArgs) -> None:
    """Exit when a thread crashes: a stand-in that serves only some clusters would mislead."""
    where = crash.thread.name if crash.thread else "a thread"
    log.critical("%s crashed", where, exc_info=crash.exc_value)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
