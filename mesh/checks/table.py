"""Every check, in the order in which they are told: an id is for good and never comes to mean anything else.

P: before a run; Q: after one; S: facts of the Solo distribution; M: what `istioctl multicluster check`
looks at besides.
"""

from __future__ import annotations

from mesh.checks.after import POST_FLIGHT
from mesh.checks.before import PRE_FLIGHT
from mesh.checks.model import Check
from mesh.checks.solo import MULTI, SOLO

CHECKS: tuple[Check, ...] = (*PRE_FLIGHT, *SOLO, *MULTI, *POST_FLIGHT)
BY_ID = {check.id: check for check in CHECKS}
