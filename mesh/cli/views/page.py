"""HTML pages from templates of the package; the only module that knows Jinja."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def page(template: str, **values: Any) -> str:
    """Return a page. Every value is escaped, and a value that is missing is an error."""
    return _pages().get_template(template).render(values)


@cache
def _pages() -> Environment:
    # Escaping is on whatever the name of the template: no value is markup.
    return Environment(
        loader=PackageLoader("mesh.cli.views", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
