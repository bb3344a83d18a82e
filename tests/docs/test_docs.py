"""The documents keep what they promise: links lead somewhere, commands exist, examples run."""

import inspect
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mesh.cli.main import VERBS, cli

ROOT = Path(__file__).resolve().parents[2]


def tracked() -> list[Path]:
    """Every file of the repository; of a source archive, every file that is no product of a run."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        found = [ROOT / name for name in listed.stdout.splitlines()]
    else:
        found = [path for path in ROOT.rglob("*") if not any(part[0] == "." for part in path.parts)]
    return sorted(path for path in found if path.is_file() and not path.is_symlink())


DOCS = [path for path in tracked() if path.suffix == ".md"]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def fences(text: str) -> Iterator[tuple[str, int, str]]:
    """Yield the info string, first line number and body of each fenced block."""
    for match in re.finditer(r"^( *)```([^\n`]*)\n(.*?)^\1```", text, re.MULTILINE | re.DOTALL):
        yield match[2].strip(), text.count("\n", 0, match.start(3)), match[3]


def without_fences(text: str) -> str:
    return re.sub(r"^( *)```[^\n`]*\n.*?^\1```", "", text, flags=re.MULTILINE | re.DOTALL)


# --- links -------------------------------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a document."""
    heads = re.findall(r"^#+ +(.*)$", without_fences(path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", DOCS, ids=name)
def test_every_link_leads_somewhere(path: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", without_fences(path.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


def test_the_index_names_every_document() -> None:
    """A folder's own README, where there is one, is the index of that folder."""
    documents = [path for path in DOCS if path.is_relative_to(ROOT / "docs") and path.name != "README.md"]
    lost = []
    for path in documents:
        own = path.parent / "README.md"
        index = own if own.exists() else ROOT / "docs" / "README.md"
        if f"({path.relative_to(index.parent)})" not in index.read_text(encoding="utf-8"):
            lost.append(name(path))
    assert lost == []


# --- the guides --------------------------------------------------------------------------------------------

STEPS = {
    "Guide A": {"tools": 3, "trust": 0, "settings": 11, "link": 2},
    "Guide B": {"tools": 4, "trust": 0, "deploy": 12, "link": 2},
    "Guide C": {"tools": 4, "enable": 3, "trust": 0, "deploy": 12, "review": 2},
}
"""How many numbered steps each section of the vendor's guides has; 0 for one without numbers."""


def rows(guide: str) -> dict[str, list[str]]:
    """The table of a guide: the other cells of each row by its step."""
    text = (ROOT / "docs" / "reference" / "guides.md").read_text(encoding="utf-8")
    table = text.partition(f"\n## {guide}:")[2].partition("\n## ")[0]
    cells = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in re.findall(r"^\|.*\|$", table, re.M)
    ]
    return {step: rest for step, *rest in cells[2:]}


@pytest.mark.parametrize("guide", STEPS)
def test_every_step_of_a_guide_has_its_row_and_a_test_that_exists(guide: str) -> None:
    found = rows(guide)
    wanted = [f"{part} {each}" for part, last in STEPS[guide].items() for each in range(1, last + 1)]
    wanted += [part for part, last in STEPS[guide].items() if not last]
    assert {re.sub(r"\.\d+$", "", step) for step in found} == set(wanted)
    for step, (by_hand, ours, proof) in found.items():
        assert by_hand, step
        files = [
            ROOT / "docs" / "reference" / file
            for file in re.findall(r"\]\((\.\./\.\./tests/[^)]+\.py)\)", proof)
        ]
        assert all(file.is_file() for file in files), step
        assert files or (proof == "-" and ours.startswith("nothing")), f"{step} is proved by nothing"


# --- commands ----------------------------------------------------------------------------------------------

PLACEHOLDERS = {"N": "2", "M": "2", "P": "p", "LINES": "2", "ADDRESS": "chart/cluster1/istiod"}
"""What a document writes for a number, a prefix or an address."""

QUOTED = r"`(mesh [a-z][^`]*)`"


def written(text: str) -> Iterator[str]:
    """Yield the `mesh …` commands of a document: between backticks, and lines of fenced blocks.

    A fenced line whose second word is no verb is something that `mesh` prints, unless it is in a shell block.
    """
    for match in re.findall(QUOTED, without_fences(text)):
        yield " ".join(match.split())
    for info, _, body in fences(text):
        if info in {"", "sh", "console"}:
            for line in re.findall(r"^ *(?:\$ )?(mesh [a-z-][^#\n]*)", body, re.MULTILINE):
                if info or line.split()[1] in VERBS:
                    yield line


def hints(path: Path) -> Iterator[str]:
    """Yield the commands that messages and help texts name; what is filled in there is `x`."""
    for match in re.findall(QUOTED, path.read_text(encoding="utf-8")):
        yield re.sub(r"\{[^}]*\}", "x", match)


def readings(command: str) -> Iterator[list[str]]:
    """Yield the argument lists that a command line stands for: `a|b` is two, `[--x]` is given."""
    bare = re.sub(r"[\[\]]", " ", command.split("   ")[0].rstrip(" .,;:"))
    words = [PLACEHOLDERS.get(word, word) for word in shlex.split(bare.replace("ADDRESS…", "ADDRESS"))[1:]]
    for number, word in enumerate(words):
        if "|" in word:
            for each in word.split("|"):
                yield [*words[:number], each, *words[number + 1 :]]
            return
    yield words


def parse(args: list[str]) -> None:
    """Read a command line as `mesh` does, and stop before anything runs."""
    group: click.Command = cli
    parent: click.Context | None = None
    while isinstance(group, click.Group):
        if not args or args in (["--help"], ["--version"]):
            return
        found = group.get_command(click.Context(group, parent=parent), args[0])
        assert found is not None, f"there is no command {args[0]}"
        parent = click.Context(group, parent=parent, info_name=group.name)
        group, args = found, args[1:]
    if args and "--help" not in args:  # a sentence may name a command without its arguments
        group.make_context(group.name, list(args), parent=parent)


def wrong(commands: Iterator[str]) -> list[str]:
    found = []
    for command in commands:
        for args in readings(command):
            try:
                parse(args)
            except (click.ClickException, AssertionError, ImportError) as error:
                found.append(f"{command}: {error}")
    return found


@pytest.mark.parametrize("path", DOCS, ids=name)
def test_every_command_in_a_document_can_be_typed(path: Path) -> None:
    assert wrong(written(path.read_text(encoding="utf-8"))) == []


def test_every_command_that_a_message_names_can_be_typed() -> None:
    files = [path for path in tracked() if path.suffix == ".py" and not path.is_relative_to(ROOT / "tests")]
    assert [f"{name(path)}: {line}" for path in files for line in wrong(hints(path))] == []


def test_the_makefile_has_every_target_that_a_document_names() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = {
        target
        for path in DOCS
        for target in re.findall(r"(?:^|`|\$ )make ([a-z]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert {"demo", "test"} <= named
    assert named - targets == set()


def test_the_readme_names_every_exit_code_and_every_verb() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [verb for verb in VERBS if f"`mesh {verb}" not in readme] == []
    codes = inspect.getdoc(cli.callback) or ""
    for code in re.findall(r"(?:^|· ?)\s*(?:exit codes: )?(\d+) ", codes, re.MULTILINE):
        assert f"| {code} |" in readme


def test_the_reference_names_every_variable_of_mesh() -> None:
    text = (ROOT / "docs" / "reference" / "environment.md").read_text(encoding="utf-8")
    sources = [path for path in tracked() if name(path).startswith(("mesh/", "providers/"))]
    code = "".join(path.read_text(encoding="utf-8") for path in sources if path.suffix == ".py")
    read = set(re.findall(r"\"(MESH_[A-Z_]+)\"", code)) - {"MESH_VALUE", "MESH_INTERNAL"}
    assert "MESH_HELM" in read
    assert {each for each in read if f"`{each}" not in text} == set()


def test_the_readme_is_a_page_of_at_most_150_lines() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


# --- nothing of one machine --------------------------------------------------------------------------------

HOSTS = ("pypi" + ".org", "python" + "hosted.org", "proxy.golang" + ".org", "npmjs" + ".org")


def test_no_file_holds_a_path_of_this_machine_or_the_host_of_a_package_registry() -> None:
    home = str(Path.home())
    places = [str(ROOT), "/ro" + "ot/", *([f"{home}/"] if home.count("/") > 1 else [])]
    found = []
    for path in tracked():
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{name(path)}: {each}" for each in (*places, *HOSTS) if each in text]
    assert found == []
