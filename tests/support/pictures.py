"""`make pictures`: screenshots for the docs, from real plans of two lab clusters, taken by a real browser.

Run as `python -m tests.support.pictures`; it writes docs/pictures.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

from markdown_it import MarkdownIt

from mesh.lab import Lab, gateway_api_crds
from tests.e2e.hands import REPOSITORY, Mesh, home, kubectl_of
from tests.support.browser import look

PICTURES = REPOSITORY / "docs" / "pictures"
NETWORK = "topology.istio.io/network"
FORGE = """<!doctype html><meta charset="utf-8"><style>
body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem; color: #1f2328; }
pre { background: #f6f8fa; padding: 1rem; font: 12px/1.45 ui-monospace, monospace; overflow: auto; }
table { border-collapse: collapse; } th, td { border: 1px solid #d0d7de; padding: .35rem .8rem; }
blockquote { border-left: .25rem solid #d1242f; margin: 1rem 0; padding: 0 1rem; }
.add { color: #116329; background: #dafbe1; } .del { color: #82071e; background: #ffebe9; }
details { margin: .5rem 0; }
</style>"""


def main() -> None:
    """Bring up the lab, plan, apply, let somebody change things, plan again, and write the pictures."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mesh-pictures-") as name:
        folder = Path(name)
        lab = Lab.open("pictures", folder=folder / "lab")
        try:
            lab.up(clusters=2, nodes=2)
            mesh = home(lab, folder / "home")
            # Pictures show no path of the machine that made them.
            crds = shutil.copytree(gateway_api_crds(), mesh.folder / "gateway-api")
            env = {**mesh.env, "MESH_GATEWAY_API_SOURCE": crds.name}
            mesh = Mesh(mesh.folder, {key: each for key, each in env.items() if key != "MESH_FULL"})
            _comment(mesh, folder, "comment-install.png")
            mesh.applied()
            _changed(lab, mesh)
            sys.stdout.write(mesh("plan").out)
            _page(mesh, folder, "plan.png")
            _comment(mesh, folder, "comment-drift.png")
        finally:
            lab.down()


def _changed(lab: Lab, mesh: Mesh) -> None:
    """Somebody changes a label and deletes a gateway; the file asks for another value."""
    kubectl = kubectl_of(lab)
    kubectl("cluster2", "label", "namespace", "istio-system", f"{NETWORK}=net9", "--overwrite")
    kubectl("cluster1", "delete", "gateway", "-n", "istio-eastwest", "istio-eastwest")
    mesh.edit(lambda spec: spec.update(defaults={"values": {"istiod": {"env": {"LOG_LEVEL": "debug"}}}}))


def _page(mesh: Mesh, folder: Path, name: str) -> None:
    page = folder / "plan.html"
    page.write_text(mesh("plan", "--format", "html").out, "utf-8")
    look(page, width=1000, click=[0, 1], picture=str(PICTURES / name))


def _comment(mesh: Mesh, folder: Path, name: str) -> None:
    page = folder / "comment.html"
    page.write_text(FORGE + rendered(mesh("plan", "--format", "markdown").out), "utf-8")
    look(page, width=1000, click=[0], picture=str(PICTURES / name))


def rendered(comment: str) -> str:
    """Return a comment as a forge shows it: Markdown with tables and HTML, and colours in diffs."""
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(comment)
    html = re.sub(r"\[!(CAUTION|WARNING|NOTE)\]", lambda match: f"<b>{match[1].title()}</b><br>", html)
    html = re.sub(r"^(\+.*)$", r'<span class="add">\1</span>', html, flags=re.MULTILINE)
    return re.sub(r"^(-(?!-).*)$", r'<span class="del">\1</span>', html, flags=re.MULTILINE)


if __name__ == "__main__":
    assert shutil.which("npm"), "npm is needed: it brings the browser"
    main()
