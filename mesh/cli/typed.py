"""The options that a person typed, as the arguments of the same command once more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import click
from click.core import ParameterSource

ONCE = frozenset({"--plan-digest", "-v"})
"""Not repeated: what is left to do has another digest, and a trace is asked for each time."""


def typed(known: Iterable[str]) -> tuple[str, ...]:
    """Return the options of the command that runs now, those of `mesh` itself included, without the known."""
    context = click.get_current_context(silent=True)
    left_out = ONCE | set(known)
    found: list[str] = []
    while context:
        for param in context.command.params:
            flag = _flag(param)
            if flag and not left_out & set(param.opts) and _is_typed(context, param):
                found += _words(flag, param, context.params.get(param.name or ""))
        context = context.parent
    return tuple(found)


def _flag(param: click.Parameter) -> str:
    """Return the first long form of an option; "" for an argument."""
    if not isinstance(param, click.Option):
        return ""
    return next((name for name in param.opts if name.startswith("--")), param.opts[0])


def _is_typed(context: click.Context, param: click.Parameter) -> bool:
    return context.get_parameter_source(param.name or "") is ParameterSource.COMMANDLINE


def _words(flag: str, param: click.Parameter, value: Any) -> Iterator[str]:
    if isinstance(param, click.Option) and (param.is_flag or param.count):
        yield flag
        return
    many = value if isinstance(value, tuple | list) else sorted(value) if _is_set(value) else (value,)
    for each in many:
        yield from (flag, f"{each:g}" if isinstance(each, float) else str(each))


def _is_set(value: Any) -> bool:
    return isinstance(value, frozenset | set)
