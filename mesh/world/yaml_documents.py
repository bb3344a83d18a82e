"""YAML that programs write for programs: kubeconfigs, rendered manifests, bodies of requests.

The only importer of yaml besides `mesh.config.source.load`, which reads what people write and is stricter.
Scalars have the meaning that helm and kubectl give them (Go's subset of YAML 1.1): a date and `1:20`
stay strings, `yes` and `on` are booleans, `010` is 8.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import yaml

from mesh.model.printable import acts, broken, escaped

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STRANGE = frozenset({"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value"})
_NUMBERS = frozenset({"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"})


class _Loader(_Base):  # type: ignore[misc]  # the C loader has no type of its own
    """The fast safe loader with the scalars of Go's parser."""

    def construct_plain_number(self, node: yaml.ScalarNode) -> object:
        text = str(self.construct_scalar(node))
        if ":" in text:
            return text
        number = self.construct_yaml_int if node.tag.endswith("int") else self.construct_yaml_float
        return number(node)


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


def read_all(text: str | bytes) -> list[Any]:
    """Return every document that is not empty; raise ValueError, without the text, for invalid YAML."""
    try:
        return [document for document in yaml.load_all(text, Loader=_Loader) if document is not None]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        raise ValueError(f"{getattr(error, 'problem', None) or 'not YAML'}{line}") from None


def read(text: str | bytes) -> Any:
    """Return the first document, or None; raise ValueError as `read_all` does."""
    return next(iter(read_all(text)), None)


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
