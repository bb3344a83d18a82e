"""Chart values are merged from files and inline values, defaults first."""

from __future__ import annotations

from pathlib import Path

from tests.config.decoding import mesh


def test_values_are_laid_over_one_another(tmp_path: Path) -> None:
    (tmp_path / "d.yaml").write_text("pilot: {a: 1, b: 1, c: 1, d: 1}\nlist: [1, 2]\n")
    (tmp_path / "c.yaml").write_text("pilot: {c: 3}\nlist: [3]\n")
    found = mesh(f"""
defaults:
  valuesFiles: {{istiod: ['{tmp_path}/d.yaml']}}
  values: {{istiod: {{pilot: {{b: 2}}}}, cni: {{x: 1}}}}
clusters:
- {{name: a, valuesFiles: {{istiod: ['{tmp_path}/c.yaml']}}, values: {{istiod: {{pilot: {{d: null}}}}}}}}
- {{name: b}}
""")
    assert found.cluster("a").charts["istiod"].values == {
        "pilot": {"a": 1, "b": 2, "c": 3, "d": None},
        "list": [3],
    }
    assert found.cluster("b").charts["istiod"].values == {
        "pilot": {"a": 1, "b": 2, "c": 1, "d": 1},
        "list": [1, 2],
    }
    assert found.cluster("b").charts["cni"].values == {"x": 1}
