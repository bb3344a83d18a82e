"""Argo Workflows that plan pull requests, apply merged ones and look for drift, made with Hera.

`python workflow.py > workflows.yaml` writes the templates. An event source (Argo Events) starts `mesh-plan`
for a pull request and `mesh-apply` for its merge, with the parameters that they list. The Secrets `mesh-plan`
and `mesh-apply` hold the keys kubeconfig, licence and token, each of an identity of its own.
"""

from __future__ import annotations

import sys

from hera.workflows import (
    Artifact,
    Container,
    CronWorkflow,
    GitArtifact,
    Parameter,
    S3Artifact,
    WorkflowTemplate,
)
from hera.workflows.models import EnvVar, Mutex, SecretKeySelector, Synchronization

IMAGE = "example.com/mesh:1"  # python, git, helm and meshform
REPOSITORY = "https://github.com/example/meshes.git"
SETTINGS = {
    "MESH_NAME": "prod",
    "MESH_BRANCH": "main",
    "MESH_FORGE": "github",
    "MESH_FORGE_API": "https://api.github.com",
    "MESH_FORGE_REPO": "example/meshes",
}
CHECKOUT, MESH = "/src", "/src/mesh"
PLAN = f"{MESH}/plan.json"

LOGIN = r"""set -euo pipefail
umask 077
printf '%s' "$CONTENT" >/tmp/kubeconfig
unset CONTENT
export KUBECONFIG=/tmp/kubeconfig
# Asked only when mesh.lock is pushed; so the token is in no file and in no argument.
# shellcheck disable=SC2016
git config --global credential.helper '!f() { echo username=mesh; echo "password=$MESH_FORGE_TOKEN"; }; f'"""


def step(name: str, identity: str, inputs: list[Artifact], outputs: list[Artifact]) -> Container:
    """Return the step `pipeline.sh NAME`, with one identity and a checkout of the commit `revision`."""
    head = {
        "MESH_FORGE_HEAD": "{{workflow.parameters.head}}",
        "MESH_FORGE_PR": "{{workflow.parameters.number}}",
    }
    settings = SETTINGS if name == "drift" else SETTINGS | head
    code = GitArtifact(
        name="code", path=CHECKOUT, repo=REPOSITORY, revision="{{workflow.parameters.revision}}"
    )
    return Container(
        name=name,
        image=IMAGE,
        command=["bash", "-c"],
        args=[f"{LOGIN}\nexec ./pipeline.sh {name}\n"],
        working_dir=MESH,
        env=[
            *(EnvVar(name=key, value=value) for key, value in settings.items()),
            secret("CONTENT", identity, "kubeconfig"),
            secret("GLOO_MESH_LICENSE_KEY", identity, "licence"),
            secret("MESH_FORGE_TOKEN", identity, "token"),
        ],
        inputs=[code, *inputs],
        outputs=outputs,
    )


def secret(variable: str, name: str, key: str) -> EnvVar:
    """Return a variable with the value of one key of a Secret."""
    return EnvVar(name=variable, value_from={"secretKeyRef": SecretKeySelector(name=name, key=key)})


def stored(*, optional: bool = False) -> Artifact:
    """Return the saved plan in the artifact repository, under the commit that was reviewed."""
    return S3Artifact(
        name="plan", path=PLAN, key="mesh/plans/{{workflow.parameters.head}}.json", optional=optional
    )


def workflows() -> list[WorkflowTemplate | CronWorkflow]:
    """Return the two templates and the nightly workflow."""
    of_pull_request = [Parameter(name="revision"), Parameter(name="head"), Parameter(name="number")]
    with WorkflowTemplate(name="mesh-plan", entrypoint="plan", arguments=of_pull_request) as plan:
        step("plan", "mesh-plan", [], [stored(optional=True)])
    with WorkflowTemplate(name="mesh-apply", entrypoint="apply", arguments=of_pull_request) as apply:
        step("apply", "mesh-apply", [stored()], [])
    # One apply at a time: two merges in a row must not race for the leases of the clusters.
    apply.synchronization = Synchronization(mutexes=[Mutex(name="mesh")])
    with CronWorkflow(
        name="mesh-drift",
        entrypoint="drift",
        schedules=["17 3 * * *"],
        arguments=[Parameter(name="revision", value="main")],
    ) as drift:
        step("drift", "mesh-plan", [], [Artifact(name="drift", path=f"{MESH}/drift.md", optional=True)])
    return [plan, apply, drift]


if __name__ == "__main__":
    sys.stdout.write("---\n".join(each.to_yaml() for each in workflows()))
