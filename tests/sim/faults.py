"""What a seed lets happen to requests, files and processes."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

from tests.sim.scheduler import Process

NETWORK = (
    "429",
    "500-before",
    "503-before",
    "503-after",
    "504-after",
    "reset-before",
    "reset-after",
    "hang-before",
    "hang-after",
    "cut",
)
HELM = ("fails", "fails-after", "dies-midway", "dies-after", "noise", "lies")
FILES = ("full", "broken")


Aim = tuple[str, str, int, str]


@dataclass
class Weather:
    """The faults of one command: shares of all requests and files, one strike aimed at a request, a kill.

    An aim is (method, part of the path, which of these, fault). `kill` counts down the points at which the
    command can be killed: before and after each request and each operation on a file.
    """

    share: float = 0.0
    kinds: tuple[str, ...] = NETWORK
    aims: tuple[Aim, ...] = ()
    files: float = 0.0
    helm: float = 0.0
    kill: int = -1
    with_helm: bool = False

    def __str__(self) -> str:
        named = {"share": self.share, "files": self.files, "helm": self.helm, "aims": self.aims}
        said = [f"{name}={value}" for name, value in named.items() if value]
        said += [f"kill={self.kill}"] if self.kill >= 0 else []
        return ", ".join(said) or "nothing"


@dataclass
class Faults:
    """Which weather each process has; a process without one has none of it."""

    draw: random.Random
    weather: dict[Process, Weather] = field(default_factory=dict)
    struck: Counter[str] = field(default_factory=Counter)
    log: list[str] = field(default_factory=list)

    def request_fault(self, process: Process, cluster: str, method: str, path: str) -> str:
        """Return a fault of `NETWORK`, "killed-before", "killed-after", or ""."""
        weather = self.weather.get(process)
        if weather is None:
            return ""
        fault = self._kill(weather, 2) or self._aimed(weather, method, path)
        if not fault and weather.share and self.draw.random() < weather.share:
            fault = self.draw.choice(weather.kinds)
        return self._told(fault, process, f"{cluster} {method} {path}")

    def file_fault(self, process: Process, name: str, path: str) -> str:
        """See `tests.sim.disk.Striker`."""
        weather = self.weather.get(process)
        if weather is None:
            return ""
        fault = self._kill(weather, 2).removeprefix("killed-")
        if name == "write" and fault == "after" and self.draw.random() < 0.5:
            fault = "half"
        if not fault and weather.files and self.draw.random() < weather.files:
            fault = self.draw.choice(FILES)
        return self._told(fault, process, f"{name} {path.rpartition('/')[2]}")

    def helm_fault(self, process: Process, verb: str) -> str:
        """Return a fault of `HELM`, or ""."""
        weather = self.weather.get(process)
        if weather is None or not weather.helm or self.draw.random() >= weather.helm:
            return ""
        return self._told(self.draw.choice(HELM), process, f"helm {verb}")

    def _kill(self, weather: Weather, points: int) -> str:
        if weather.kill < 0:
            return ""
        weather.kill -= points
        if weather.kill >= 0:
            return ""
        return "killed-before" if weather.kill == -2 else "killed-after"

    def _aimed(self, weather: Weather, method: str, path: str) -> str:
        for aim in weather.aims:
            if aim[0] != method or aim[1] not in path:
                continue
            left, others = aim[2] - 1, tuple(each for each in weather.aims if each is not aim)
            weather.aims = (*others, (*aim[:2], left, aim[3])) if left else others
            return "" if left else aim[3]
        return ""

    def _told(self, fault: str, process: Process, what: str) -> str:
        if fault:
            self.struck[fault] += 1
            self.log.append(f"{process.name}: {fault}: {what}")
        return fault


TARGETS = (
    ("POST", "/leases"),
    ("GET", "/leases/"),
    ("PUT", "/leases/"),
    ("DELETE", "/leases/"),
    ("GET", "-state"),
    ("PATCH", "-state"),
    ("DELETE", "-state"),
    ("PATCH", "/gateways/"),
    ("DELETE", "/gateways/"),
    ("POST", "/secrets"),
    ("PUT", "/secrets/"),
    ("PATCH", "/namespaces/"),
    ("DELETE", "/namespaces/"),
    ("PATCH", "/customresourcedefinitions/"),
    ("GET", "/secrets"),
    ("GET", "/gateways"),
)
"""Where a strike is aimed: what mesh asks seldom, and every answer counts."""


def drawn(draw: random.Random, points: int) -> Weather:
    """Return the weather of one command; `points` is about how many points of a kill it has."""
    how = draw.random()
    if how < 0.12:
        return Weather()
    if how < 0.45:
        reach = draw.choice((points // 8, points // 2, points, points))
        return Weather(kill=draw.randrange(max(reach, 4)), with_helm=draw.random() < 0.5)
    if how < 0.75:
        method, part = draw.choice(TARGETS)
        return Weather(aims=((method, part, draw.choice((1, 1, 1, 2, 3)), draw.choice(NETWORK)),))
    if how < 0.88:
        kinds = NETWORK if draw.random() < 0.5 else (draw.choice(NETWORK),)
        return Weather(share=draw.choice((0.02, 0.1, 0.3)), kinds=kinds)
    if how < 0.94:
        return Weather(files=draw.choice((0.02, 0.2, 1.0)))
    return Weather(helm=0.5)
