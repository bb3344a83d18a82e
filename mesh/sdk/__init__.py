"""The contract of a resource kind, and what kinds share: the public API for packages that add a kind.

Import from here: `from mesh.sdk import Provider, Live`. `mesh.sdk.api` lists the names, which keep their
meaning within a major version; everything else in `mesh` may change. See docs/adding-a-kind.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mesh.sdk.api import *  # noqa: F403  # for type checkers; at run time __getattr__ finds the names


def __getattr__(name: str) -> Any:
    """Find a public name when it is used: most commands need few modules of this package.

    Python asks here for a submodule as well before it imports it: that must not load the others.
    """
    from importlib import import_module
    from importlib.util import find_spec

    if find_spec(f"{__name__}.{name}") is None:
        api = import_module(f"{__name__}.api")
        if name in api.__all__:
            return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
