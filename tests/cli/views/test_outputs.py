"""Outputs are printed as `terraform output` prints them."""

from __future__ import annotations

from mesh.cli.views.outputs import outputs_text, value_text


def test_each_output_has_its_name_and_value() -> None:
    found = outputs_text({"mesh": "prod", "networks": {"a": "net1", "b": None}})
    assert found == 'mesh = "prod"\nnetworks = {\n  "a" = "net1"\n  "b" = (not known)\n}\n'


def test_an_unknown_value_says_so() -> None:
    assert value_text(None) == "(not known)"


def test_a_long_text_keeps_its_lines() -> None:
    assert value_text("one\ntwo\n") == "<<-EOT\none\ntwo\nEOT"


def test_a_text_does_not_act_on_the_terminal() -> None:
    assert "\x1b" not in outputs_text({"root": "a\x1b[31m\nb"})
