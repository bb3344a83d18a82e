"""One failing, one skipped and one inapplicable check, with a cluster that tries to act on the terminal."""

from __future__ import annotations

from mesh.istio.names import NETWORK
from mesh.queries.checks.facts import MeshFacts
from mesh.queries.checks.model import CheckReport
from tests.support.check_facts import asked, facts, scene, space

Reported = tuple[MeshFacts, CheckReport]


def report() -> Reported:
    """The mesh and the report of the checks P01, P23 and P24."""
    spaces = [space("istio-system", **{NETWORK: "a\x1b[31m<b>"})]
    wrong = facts(namespaces=spaces, gateways=[], services=[])
    one = scene(wrong, facts("cluster2", unreachable="off"))
    return one, asked(one, "P01", "P23", "P24")
