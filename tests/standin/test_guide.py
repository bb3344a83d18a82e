from __future__ import annotations

import base64

from tests.standin.guide import EDGE, SYSTEM
from tests.standin.hand import CONNECTED, DATA_PLANE, SUCCEEDED, Hand, eventually


def test_the_guide_links_two_clusters(hand: Hand) -> None:
    for cluster in ("cluster1", "cluster2"):
        assert hand.conditions(cluster) == {
            "Accepted": ("True", "Accepted", "Resource accepted"),
            "Programmed": ("True", "Programmed", "This Gateway is remote; Istio will not program it"),
            CONNECTED: ("True", "Programmed", "connected to peer"),
            SUCCEEDED: ("True", "Programmed", "network synced"),
            DATA_PLANE: ("True", "Programmed", "data plane programmed with LoadBalancer service type"),
        }
