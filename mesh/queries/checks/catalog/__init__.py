"""Every check, in the order in which they are told: an id is for good and never comes to mean anything else.

P: before a run; Q: after one; S: facts of the Solo distribution; M: what `istioctl multicluster check`
looks at besides.
"""

from __future__ import annotations

from mesh.queries.checks.catalog.post_flight import POST_FLIGHT
from mesh.queries.checks.catalog.pre_flight import PRE_FLIGHT
from mesh.queries.checks.catalog.solo import MULTI, SOLO
from mesh.queries.checks.model import Check

CHECKS: tuple[Check, ...] = (*PRE_FLIGHT, *SOLO, *MULTI, *POST_FLIGHT)
BY_ID = {check.id: check for check in CHECKS}
