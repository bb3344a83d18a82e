"""The simulated API server answers as a real one does."""

from __future__ import annotations

from mesh.lab import Lab
from tests.sim.compare import asked, difference, transcript

SEQUENCES, CALLS = 8, 40


def test_the_same_calls_get_the_same_answers(lab: Lab) -> None:
    send = asked(str(lab.kubeconfig), lab.contexts[0])
    found = [difference(transcript(send, seed, CALLS), seed) for seed in range(SEQUENCES)]
    assert [each for each in found if each] == []
