"""The programs of a lab with real Istio, and the lab's own Go code among them."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from mesh.lab import istio_tools
from mesh.lab.golang import find_go
from mesh.lab.istio_charts import MODULE
from mesh.lab.paths import cache_dir
from mesh.lab.progress import Silent
from mesh.lab.stages import IMAGES


def test_the_programs_and_the_charts_are_of_one_version_of_istio(real_istio: Path) -> None:
    path, _, version = MODULE.partition("@")
    assert f"{path} {version}" in (istio_tools.SOURCE / "go.mod").read_text()
    names = {each.name for each in real_istio.iterdir()}
    assert names == {"pilot-discovery", "istioctl", "kubelet", "workload", "eastwest"}


def test_go_and_python_agree_on_the_images_that_have_processes() -> None:
    text = (istio_tools.SOURCE / "kubelet" / "program.go").read_text()
    (table,) = re.findall(r"map\[string\]string\{(.*?)\}\[name\]", text)
    assert set(re.findall(r'"([^"]+)":', table)) == set(IMAGES)


def test_the_go_code_passes_vet_and_its_own_tests(real_istio: Path) -> None:
    assert real_istio.exists()
    go = find_go(cache_dir(), Silent())
    # With -trimpath, as the build had it, so that nothing is compiled twice.
    env = {**os.environ, "GOFLAGS": "-mod=readonly -trimpath", "CGO_ENABLED": "0", "GOWORK": "off"}
    for command in ("vet", "test"):
        done = subprocess.run(
            [go, command, "./..."],
            cwd=istio_tools.SOURCE,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
        assert done.returncode == 0, done.stdout + done.stderr
