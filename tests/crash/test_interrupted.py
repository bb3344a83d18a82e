"""One SIGINT: nothing more is begun, what is in flight is recorded, the next apply finishes."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.crash.conftest import Place
from tests.crash.holding import held

INTERRUPTED = 7


def test_an_interrupted_apply_ends_soon_and_the_next_one_finishes(place: Place, tmp_path: Path) -> None:
    with held(place, tmp_path) as run:
        run.apply.send_signal(signal.SIGINT)
        said, _ = run.apply.communicate(timeout=140)

    assert run.apply.returncode == INTERRUPTED, said
    assert said.count("Resume with: mesh apply -f mesh.yaml") == 1
    assert not (place.mesh.folder / ".mesh" / "journal.jsonl").exists()
    shown = place.mesh("state", "show")
    assert shown.code == 0
    assert "locked by" not in shown
    place.resumed()
    assert place.revisions()["istiod"][-1] == ("2", "deployed")
