"""Pages are made of templates of the package; no value is markup, and none may be missing."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from mesh.cli.views.page import page


def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        page("plan.html")
