"""The shell that only one of the pipelines has, run with stand-ins for the programs of its system."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from tests.support.pipelines import EXAMPLES, pieces


def shell(name: str, part: str) -> str:
    """The one piece of shell in a pipeline that has a part in it."""
    documents = list(yaml.safe_load_all((EXAMPLES / name).read_text("utf-8")))
    found = [each for document in documents for each in pieces(document) if part in each]
    assert len(set(found)) == 1, found
    return found[0]


class Runner:
    """A folder with programs that note how they were called, and a shell in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.output = folder / "output"

    def program(self, name: str, body: str) -> None:
        path = self.bin / name
        path.write_text(f'#!/bin/bash\nprintf \'%s\\n\' "$*" >>"{self.folder}/{name}.calls"\n{body}\n')
        path.chmod(0o755)

    def calls(self, name: str) -> list[str]:
        path = self.folder / f"{name}.calls"
        return path.read_text().splitlines() if path.exists() else []

    def run(self, script: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a piece as a job does: bash, which stops at the first error."""
        known = {
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder),
            "GITHUB_OUTPUT": str(self.output),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        return subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=self.folder,
            env={**known, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def test_github_fetches_the_plan_of_the_commit_that_was_reviewed(runner: Runner) -> None:
    runner.program("gh", 'case "$1" in api) echo abc123;; run) [ "$2" = list ] && echo 17 || true;; esac')
    done = runner.run(
        shell("github/workflow.yaml", "gh run download"), GITHUB_REPOSITORY="o/r", GITHUB_SHA="merge1"
    )
    assert done.returncode == 0, done.stderr
    asked, listed, fetched = runner.calls("gh")
    assert asked == "api repos/o/r/commits/merge1/pulls --jq .[0].head.sha"
    assert "--commit abc123 --event pull_request --status success" in listed
    assert fetched == "run download 17 --name plan-abc123 --dir ."


@pytest.mark.parametrize(("code", "ends"), [(0, 0), (2, 0), (1, 1), (6, 1)])
def test_github_takes_drift_for_an_answer_and_an_error_for_a_failure(
    runner: Runner, code: int, ends: int
) -> None:
    script = runner.folder / "pipeline.sh"
    script.write_text(f"#!/bin/sh\nexit {code}\n")
    script.chmod(0o755)
    done = runner.run(shell("github/workflow.yaml", "pipeline.sh drift"))
    assert done.returncode == ends
    assert runner.output.read_text() == f"code={code}\n"


@pytest.mark.parametrize(
    ("number", "call"),
    [
        ("7", "issue edit 7 --body-file drift.md"),
        ("", "issue create --title Drift in mesh prod --body-file drift.md"),
    ],
)
def test_github_has_one_issue_for_drift(runner: Runner, number: str, call: str) -> None:
    runner.program("gh", f'[ "$2" = list ] && echo {number}; true')
    done = runner.run(shell("github/workflow.yaml", "gh issue create"), MESH_NAME="prod")
    assert done.returncode == 0, done.stderr
    assert runner.calls("gh")[-1] == call


def test_github_keeps_the_kubeconfig_to_itself(runner: Runner) -> None:
    content = 'a: "b"\n%s $HOME `id`\n'
    done = runner.run(shell("github/action.yml", "mesh/kubeconfig"), CONTENT=content)
    assert done.returncode == 0, done.stderr
    path = Path(runner.output.read_text().removeprefix("path=").rstrip("\n"))
    assert (path.read_text(), path.stat().st_mode & 0o777) == (content, 0o600)


@pytest.mark.parametrize("damage", [b"", b"x"])
def test_github_uses_only_the_helm_of_its_checksum(runner: Runner, damage: bytes) -> None:
    helm = runner.folder / "linux-amd64" / "helm"
    helm.parent.mkdir()
    helm.write_text("#!/bin/sh\n")
    archive = runner.folder / "served.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(helm, "linux-amd64/helm")
    helm.unlink()
    total = sha256(archive.read_bytes()).hexdigest()
    archive.write_bytes(archive.read_bytes() + damage)
    (runner.folder / "served.sum").write_text(f"{total}  helm-v4.3.1-linux-amd64.tar.gz\n")
    runner.program(
        "curl",
        'while [ "$1" != --output ]; do shift; done\n'
        'case "$3" in *.sha256sum) cp served.sum "$2";; *) cp served.tar.gz "$2";; esac',
    )
    done = runner.run(shell("github/action.yml", "get.helm.sh"), VERSION="v4.3.1")
    assert (done.returncode == 0) == (damage == b""), done.stderr
    assert runner.output.exists() == (damage == b"")
    assert all("https://get.helm.sh/helm-v4.3.1-linux-amd64.tar.gz" in call for call in runner.calls("curl"))


def test_gitlab_fetches_the_plan_of_the_merge_request(runner: Runner) -> None:
    answer = json.dumps([{"iid": 5}, {"iid": 4}])
    runner.program("curl", f"case \"$*\" in */merge_requests) echo '{answer}';; esac")
    env = {"GITLAB_TOKEN": "t0ken", "CI_API_V4_URL": "https://gitlab.test/api/v4", "CI_PROJECT_ID": "7"}
    script = shell("gitlab/gitlab-ci.yml", "number=$(curl")
    done = runner.run(script, CI_COMMIT_SHA="abc", CI_SERVER_HOST="gitlab.test", CI_PROJECT_PATH="o/r", **env)
    asked, fetched = runner.calls("curl")
    assert asked.endswith("https://gitlab.test/api/v4/projects/7/repository/commits/abc/merge_requests"), (
        done.stderr
    )
    assert (
        "/projects/7/jobs/artifacts/refs%2Fmerge-requests%2F5%2Fhead/raw/mesh/plan.json?job=plan" in fetched
    )
    assert "t0ken" not in f"{done.stdout}{done.stderr}"


@pytest.mark.parametrize(("subject", "number"), [("Merged PR 12: Add a link", "12"), ("Add a link", "")])
def test_azure_finds_the_pull_request_in_the_message_of_the_merge(
    runner: Runner, subject: str, number: str
) -> None:
    git("init", "--quiet", at=runner.folder)
    git("commit", "--quiet", "--allow-empty", "-m", subject, at=runner.folder)
    done = runner.run(shell("azure/azure-pipelines.yml", "task.setvariable"))
    assert (done.returncode == 0) == bool(number), done.stderr
    said = f"##vso[task.setvariable variable=number]{number}\n" if number else ""
    assert done.stdout == said


def test_argo_hands_the_kubeconfig_over_in_a_file_and_no_variable(runner: Runner) -> None:
    (runner.folder / "pipeline.sh").write_text('#!/bin/sh\necho "$1 [$CONTENT] $(cat "$KUBECONFIG")"\n')
    (runner.folder / "pipeline.sh").chmod(0o755)
    script = shell("argo/workflows.yaml", "pipeline.sh plan").replace(
        "/tmp/kubeconfig", str(runner.folder / "k")
    )
    done = runner.run(script, CONTENT="a: b", MESH_FORGE_TOKEN="t0ken")
    assert (done.returncode, done.stdout) == (0, "plan [] a: b\n"), done.stderr
    assert (runner.folder / "k").stat().st_mode & 0o777 == 0o600
    config = (runner.folder / ".gitconfig").read_text()
    assert "t0ken" not in config
    wish = "protocol=https\nhost=github.com\n\n"
    filled = subprocess.run(
        ["git", "credential", "fill"],
        input=wish,
        env={"HOME": str(runner.folder), "PATH": os.environ["PATH"], "MESH_FORGE_TOKEN": "t0ken"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "password=t0ken\n" in filled.stdout


def git(*args: str, at: Path) -> str:
    """What git prints in a folder, for a person of its own."""
    env = {**os.environ, "HOME": str(at), "GIT_CONFIG_NOSYSTEM": "1"}
    person = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    return subprocess.run(
        ["git", *person, *args], cwd=at, check=True, capture_output=True, text=True, env=env
    ).stdout


@pytest.mark.parametrize("changed", [True, False])
def test_atlantis_applies_its_plan_and_commits_the_lockfile(runner: Runner, changed: bool) -> None:
    remote, clone = runner.folder / "remote.git", runner.folder / "clone"
    git("init", "--quiet", "--bare", "--initial-branch=topic", str(remote), at=runner.folder)
    git("init", "--quiet", "--initial-branch=topic", str(clone), at=runner.folder)
    (clone / "mesh.lock").write_text("1\n")
    git("add", ".", at=clone)
    git("commit", "--quiet", "-m", "Start", at=clone)
    git("remote", "add", "origin", str(remote), at=clone)
    git("push", "--quiet", "origin", "topic", at=clone)
    runner.program("mesh", "echo 2 >clone/mesh.lock" if changed else "true")
    plan = shell("atlantis/repos.yaml", "mesh plan")
    apply = shell("atlantis/repos.yaml", "mesh apply")
    for script in (plan, apply):
        assert runner.run(script, PLANFILE="/tmp/a plan").returncode == 0
    assert runner.calls("mesh") == ["plan --out /tmp/a plan", "apply /tmp/a plan"]
    done = runner.run(f"cd clone\n{shell('atlantis/repos.yaml', 'git push')}", HEAD_BRANCH_NAME="topic")
    assert done.returncode == 0, done.stderr
    assert git("show", "topic:mesh.lock", at=remote) == ("2\n" if changed else "1\n")
