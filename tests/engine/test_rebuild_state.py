"""The state from the clusters' copies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.engine.rebuild_state import refuse_older
from mesh.errors import RefusedError
from mesh.model import Place
from mesh.sdk.contract import Last
from mesh.state.lockfile import Entry, State, fresh
from tests.engine.toy import key

LOCAL = State("demo", "one", 3, "run", entries={key("a"): Entry(Last(Place("", "a")))})


def test_a_lockfile_that_knows_more_is_kept() -> None:
    with pytest.raises(RefusedError, match=r"serial 3\) is newer than the clusters' state \(serial 2\)"):
        refuse_older(replace(LOCAL, serial=2), LOCAL)
    with pytest.raises(RefusedError, match="another lineage"):
        refuse_older(replace(LOCAL, lineage="two"), LOCAL)


def test_an_older_or_an_empty_lockfile_may_be_replaced() -> None:
    refuse_older(replace(LOCAL, serial=4), LOCAL)
    refuse_older(LOCAL, fresh("demo"))
