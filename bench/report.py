"""The figures as tables in Markdown: for the terminal, and for docs/explanation/performance.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Figure, Timed, ratio

BEGIN, END = "<!-- figures: written by `make bench` -->", "<!-- end of the figures -->"

FIGURES: tuple[Figure, ...] = ("wall", "cpu")


@dataclass(frozen=True, slots=True)
class Figures:
    """All measurements. `plan` is mesh, followed by the lower bounds; `pairs` are (mesh, other)."""

    machine: str
    load: float
    clusters: int
    resources: int
    plan: tuple[Timed, ...]
    health: tuple[Timed, ...]
    start: tuple[Timed, ...]
    validate: tuple[Timed, ...]
    apply: float
    script: float
    requests: Mapping[str, Mapping[str, int]]
    helms: Mapping[str, int]
    phases: Sequence[tuple[str, float]]
    imports: Mapping[str, tuple[int, float]]
    profile: Sequence[tuple[str, float]]


def text(figures: Figures) -> str:
    """Return all tables."""
    return "\n\n".join(
        "\n".join(part)
        for part in (
            _head(figures),
            _timed(figures.plan),
            _timed(figures.health),
            _timed(figures.start),
            _timed(figures.validate),
            _first(figures),
            _requests(figures),
            _phases(figures),
            _imports(figures),
            _profile(figures),
        )
    )


def into(document: Path, figures: Figures) -> None:
    """Replace the tables between the marks of the document."""
    before, _, rest = document.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    document.write_text(f"{before}{BEGIN}\n\n{text(figures)}\n\n{END}{after}")


def _head(figures: Figures) -> Iterator[str]:
    runs = len(figures.plan[0].runs)
    yield f"Machine: {figures.machine}. Load average while plans were timed: {figures.load:.1f}."
    yield ""
    yield f"{figures.clusters} clusters in full mesh, {figures.resources} resources. Medians of {runs} runs"
    yield "after one to warm up, commands in turn; ratios are medians of the ratios of neighbouring runs."


def _timed(timed: Sequence[Timed]) -> Iterator[str]:
    others = timed[1:]
    wall = [f"wall ÷ {other.name}" for other in others]
    cpu = [f"CPU ÷ {other.name}" for other in others]
    yield from _table(
        ("command", "wall s", "least", "CPU s", "least", "peak MiB", *wall, *cpu), _timed_rows(timed, others)
    )


def _timed_rows(timed: Sequence[Timed], others: Sequence[Timed]) -> Iterator[tuple[str, ...]]:
    for one in timed:
        figures = (
            f"{one.median('wall'):.3f}",
            f"{one.least('wall'):.3f}",
            f"{one.median('cpu'):.3f}",
            f"{one.least('cpu'):.3f}",
            f"{one.median('peak'):.0f}",
        )
        compared = one is timed[0]
        ratios = [
            f"{ratio(one, other, figure):.2f}" if compared else "" for figure in FIGURES for other in others
        ]
        yield (f"`{one.name}`", *figures, *ratios)


def _first(figures: Figures) -> Iterator[str]:
    rows = (
        (
            "`mesh apply`, until everything is ready",
            f"{figures.apply:.1f}",
            str(figures.helms["apply"]),
        ),
        ("the commands of `mesh render --commands`, one after another", f"{figures.script:.1f}", ""),
    )
    yield from _table((f"first apply of {figures.clusters} clusters", "wall s", "helm processes"), rows)


def _requests(figures: Figures) -> Iterator[str]:
    names = sorted({name for asked in figures.requests.values() for name in asked})
    lists = {
        name: sum(n for verb, n in asked.items() if verb.startswith("list "))
        for name, asked in figures.requests.items()
    }
    rows: list[tuple[str, ...]] = [
        (f"`{name}`", *(str(asked.get(name, 0)) for asked in figures.requests.values())) for name in names
    ]
    rows.append(("LISTs", *(str(number) for number in lists.values())))
    yield from _table(("requests of a plan without changes", *figures.requests), rows)
    yield ""
    yield f"No PATCH, POST, PUT or DELETE; helm processes started by all plans: {figures.helms['plan']}."


def _phases(figures: Figures) -> Iterator[str]:
    rows = [(name, f"{seconds * 1000:.0f}") for name, seconds in figures.phases]
    yield from _table(("CPU time of a plan", "ms"), rows)


def _imports(figures: Figures) -> Iterator[str]:
    whole = sum(spent for _, spent in figures.imports.values())
    rows = [
        (name, str(count), f"{100 * spent / whole:.0f}") for name, (count, spent) in figures.imports.items()
    ]
    yield from _table(("imports of a plan", "modules", "% of the time"), rows)


def _profile(figures: Figures) -> Iterator[str]:
    whole = sum(spent for _, spent in figures.profile)
    rows = [(name, f"{100 * spent / whole:.0f}") for name, spent in figures.profile]
    yield from _table(("a plan once everything is imported, by package", "%"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join('---' if not column else '---:' for column in range(len(head)))}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
