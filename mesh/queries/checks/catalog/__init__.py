"""Every check, in the order of reports. IDs are permanent and never reused.

P: before a run. Q: after a run. S: settings that peering needs. M: further checks of
`istioctl multicluster check`.
"""

from __future__ import annotations

from mesh.queries.checks.catalog.post_flight import POST_FLIGHT
from mesh.queries.checks.catalog.pre_flight import PRE_FLIGHT
from mesh.queries.checks.catalog.solo import MULTI, SOLO
from mesh.queries.checks.model import Check

CHECKS: tuple[Check, ...] = (*PRE_FLIGHT, *SOLO, *MULTI, *POST_FLIGHT)
BY_ID = {check.id: check for check in CHECKS}
