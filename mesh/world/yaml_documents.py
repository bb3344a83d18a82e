"""YAML that programs write for programs: kubeconfigs, rendered manifests, mesh configurations, requests.

The only importer of yaml besides `mesh.config.source.load`, which reads what people write and is stricter.
Scalars have the meaning that helm and kubectl give them (Go's subset of YAML 1.1): a date and `1:20`
stay strings, `yes` and `on` are booleans, `010` is 8.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import yaml

from mesh.model.bounded_text import ANSWER, Limits, Unfit, check_size, megabytes
from mesh.model.printable import acts, broken, escaped

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STRANGE = frozenset({"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value"})
_NUMBERS = frozenset({"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"})
_TAGS = _NUMBERS | {f"tag:yaml.org,2002:{name}" for name in ("str", "bool", "null", "map", "seq", "merge")}


class _Loader(_Base):  # type: ignore[misc]  # the C loader has no type of its own
    """The fast safe loader with the scalars of Go's parser."""

    def construct_plain_number(self, node: yaml.ScalarNode) -> object:
        text = str(self.construct_scalar(node))
        if ":" in text:
            return text
        number = self.construct_yaml_int if node.tag.endswith("int") else self.construct_yaml_float
        value: int | float = number(node)
        if isinstance(value, float) and not math.isfinite(value):
            raise Unfit("a number in it is not finite")
        return value


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _STRANGE]
    for first, resolvers in _Base.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)
for _tag in _NUMBERS:
    _Loader.add_constructor(_tag, _Loader.construct_plain_number)


_BENT = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""Characters that JSON allows as they are, and that are line breaks or invalid in YAML."""


def json_bytes(value: Any) -> bytes:
    """Return JSON that a YAML reader reads the same: API servers and helm use one.

    YAML has no surrogate pairs (the escapes of an emoji), so characters are not escaped, except those
    that YAML would fold or refuse.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _BENT.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()


def read_all(text: str | bytes, limits: Limits = ANSWER) -> list[Any]:
    """Return every document that is not empty; raise Unfit for what is not YAML, or too much.

    No error quotes the text. The limits hold for what it stands for: an alias counts as what it repeats.
    """
    check_size(text, limits)
    try:
        loader = _Loader(text)
        documents = (loader.construct_document(each) for each in _Composer(loader, limits).documents())
        return [document for document in documents if document is not None]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        raise Unfit(f"{getattr(error, 'problem', None) or 'not YAML'}{line}") from None
    except Unfit:
        raise
    except ValueError:
        raise Unfit("a number in it cannot be read") from None


def read(text: str | bytes, limits: Limits = ANSWER) -> Any:
    """Return the first document, or None; raise Unfit as `read_all` does."""
    return next(iter(read_all(text, limits)), None)


@dataclass(slots=True)
class _Node:
    """A node with what it stands for: its values, its characters and its levels, aliases written out."""

    node: yaml.Node
    anchor: str = ""
    values: int = 1
    length: int = 0
    height: int = 1


class _Composer:
    """Builds the nodes of the documents from the events of the parser, without recursion.

    libyaml's own composer calls itself for each level, and a text of a few hundred kilobytes overflows the
    stack of the process; nor does it count what aliases stand for.
    """

    def __init__(self, loader: Any, limits: Limits) -> None:
        self._loader, self._limits = loader, limits
        self._anchors: dict[str, _Node] = {}
        self._open: list[_Node] = []
        self._values = self._length = 0

    def documents(self) -> Iterator[yaml.Node]:
        """Yield the root node of each document."""
        while not isinstance(event := self._loader.get_event(), yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors.clear()
                yield self._document()

    def _document(self) -> yaml.Node:
        while True:
            done = self._ended(self._loader.get_event())
            if done and not self._open:
                return done.node
            if done:
                self._add(self._open[-1], done)

    def _ended(self, event: Any) -> _Node | None:
        """Return the node that an event ends; None if it only begins one."""
        match event:
            case yaml.ScalarEvent():
                return self._scalar(event)
            case yaml.AliasEvent():
                return self._counted(self._named(event))
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self._begin(event)
                return None
        ended = self._open.pop()
        if isinstance(ended.node, yaml.MappingNode):
            parts = iter(ended.node.value)
            ended.node.value = list(zip(parts, parts, strict=True))
        self._keep(ended)
        return ended

    def _scalar(self, event: Any) -> _Node:
        tag = self._tag(yaml.ScalarNode, event, event.value)
        node = yaml.ScalarNode(tag, event.value, event.start_mark)
        return self._counted(_Node(node, event.anchor or "", length=len(event.value)))

    def _begin(self, event: Any) -> None:
        kind = yaml.SequenceNode if isinstance(event, yaml.SequenceStartEvent) else yaml.MappingNode
        node = kind(self._tag(kind, event, None), [], event.start_mark)
        self._open.append(self._counted(_Node(node, event.anchor or "")))

    def _add(self, parent: _Node, child: _Node) -> None:
        parent.node.value.append(child.node)
        parent.values += child.values
        parent.length += child.length
        parent.height = max(parent.height, child.height + 1)

    def _counted(self, node: _Node) -> _Node:
        """Add a new node to the sums; raise Unfit if they are more than the limits allow."""
        self._values += node.values
        self._length += node.length
        if self._values > self._limits.nodes:
            raise Unfit(f"it stands for more than {self._limits.nodes:,} values")
        if self._length > self._limits.size:
            raise Unfit(f"it stands for more than {megabytes(self._limits.size)}")
        if len(self._open) + node.height > self._limits.depth:
            raise Unfit(f"it is nested more than {self._limits.depth} levels deep")
        if isinstance(node.node, yaml.ScalarNode):
            self._keep(node)
        return node

    def _keep(self, node: _Node) -> None:
        if node.anchor:
            self._anchors[node.anchor] = node

    def _named(self, event: Any) -> _Node:
        # An anchor is known once its node has ended, so that no node can hold itself.
        if event.anchor not in self._anchors:
            raise Unfit(f"an alias in line {event.start_mark.line + 1} has no anchor before it")
        return replace(self._anchors[event.anchor], anchor="")

    def _tag(self, kind: type[yaml.Node], event: Any, value: Any) -> str:
        tag = event.tag if event.tag not in (None, "!") else self._loader.resolve(kind, value, event.implicit)
        if tag not in _TAGS:
            raise Unfit(f"a tag in line {event.start_mark.line + 1} is not one of plain data")
        return str(tag)


_WORD = re.compile(r"[A-Za-z_/(][^\n]*\Z")
_TAKEN = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""Words that some YAML reader does not take for text."""


class _Dumper(yaml.SafeDumper):
    """Block style; no anchors, no folding, and text that can only be read as text."""

    def ignore_aliases(self, _data: object) -> bool:
        return True

    def text(self, data: str) -> yaml.ScalarNode:
        plain = _WORD.match(data) and data.lower() not in _TAKEN
        style = '"' if acts(data) else "|" if "\n" in data else None if plain else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    def write_double_quoted(self, text: str, split: bool = True) -> None:  # noqa: FBT001  # yaml's
        """Write text on one line, with escapes for what acts in a log too."""
        del split
        self.write_indicator(f'"{broken("".join(map(_in_quotes, text)))}"', True)


def _in_quotes(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    return char if " " <= char <= "~" else escaped(char)


_Dumper.add_representer(str, _Dumper.text)


def write(value: Any) -> str:
    """Return plain data as YAML for people, helm and kubectl: block style, in the order given.

    Anything but printable ASCII is escaped, so that it cannot act on a terminal.
    """
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, default_flow_style=False, width=1 << 20)
    return text.removesuffix("...\n")


def write_all(documents: Iterable[Any]) -> str:
    """Return several documents, each after a `---` line."""
    return "".join(f"---\n{write(each)}" for each in documents)
