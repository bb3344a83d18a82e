"""How kwok plays the pods of a cluster: see manifests/stages.yaml."""

from __future__ import annotations

from pathlib import Path

import yaml

from mesh.lab.components import MANIFESTS, STAGES

#: The pods of these images have processes, which the lab's kubelet runs: mesh/lab/istio/kubelet/program.go.
IMAGES = ("pilot", "proxyv2", "lab-workload")
_WITH_PROCESS = f'.spec.containers.[] | select( .image | test("(^|/)({"|".join(IMAGES)})(:|@|$)") ) | .name'


def write(path: Path, *, with_processes: bool) -> None:
    """Write the rules of kwok; `with_processes` keeps it from pods that the lab's kubelet runs."""
    text = (MANIFESTS / STAGES).read_text()
    if with_processes:
        stages = list(yaml.safe_load_all(text))
        for each in stages:
            if each["spec"]["resourceRef"]["kind"] == "Pod":
                each["spec"]["selector"]["matchExpressions"].append(
                    {"key": _WITH_PROCESS, "operator": "DoesNotExist"}
                )
        text = yaml.safe_dump_all(stages, sort_keys=False)
    path.write_text(text)
