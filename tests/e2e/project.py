"""A repository of a real Gitea with a mesh in it, and the jobs of its pipeline."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.gitea_server import ATTEMPTS, BOT, Gitea

from .hands import Answer, Mesh

ONE_WAY = [{"from": "cluster1", "to": "cluster2"}]
OWNER, REVIEWER, STRANGER = "alice", "bob", "mallory"
REPO = f"{OWNER}/meshes"
PLAN_KEY = "one-key-for-both-jobs"
PERSON = ("-c", "user.name=a", "-c", "user.email=a@example.com")
NAMELESS = {
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "user.useConfigOnly",
    "GIT_CONFIG_VALUE_0": "true",
}
"""As on a runner: git does not know who commits, and makes no name up."""


@dataclass
class Project:
    """A repository of Gitea with the folder `mesh/`, and the clones of people and pipelines."""

    gitea: Gitea
    token: str
    folder: Path
    mesh: Mesh
    clones: int = 0

    def git(self, folder: Path, *args: str) -> str:
        env = {**os.environ, "HOME": str(self.folder), "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", *args], cwd=folder, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"git {' '.join(args)}: {done.stderr}"
        return done.stdout.strip()

    def clone(self, ref: str = "main", *, repo: str = REPO, who: str = BOT) -> Path:
        """A fresh clone, as a pipeline has it: no lock of a run before, no root key."""
        self.clones += 1
        clone = self.folder / f"clone{self.clones}"
        self.git(self.folder, "clone", "--quiet", self.gitea.remote(repo, who=who), str(clone))
        self.git(clone, "fetch", "--quiet", "origin", ref)
        self.git(clone, "checkout", "--quiet", "FETCH_HEAD")
        return clone

    def pushed(self, branch: str, links: object, *, repo: str = REPO, who: str = OWNER) -> None:
        """Push a commit on main, under the name of a branch, in which the mesh file has other links."""
        clone = self.clone(repo=repo, who=who)
        path = clone / "mesh" / "mesh.yaml"
        document = yaml.safe_load(path.read_text())
        document["spec"]["links"] = links
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        self.committed(clone, branch)

    def committed(self, clone: Path, branch: str) -> None:
        self.git(clone, "add", "--all")
        self.git(clone, *PERSON, "commit", "--quiet", "--allow-empty", "--message", "Change the mesh")
        self.git(clone, "push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")

    def opened(self, head: str, *, who: str = OWNER) -> int:
        """Open a pull request into main; return its number."""
        return int(self.gitea.open(REPO, head, who=who)["number"])

    def approved(self, number: int) -> None:
        review = {"event": "APPROVED", "body": "good"}
        self.gitea.ask("POST", f"/repos/{REPO}/pulls/{number}/reviews", review, who=REVIEWER)

    def merged(self, number: int) -> None:
        self.gitea.merge(REPO, str(number), who=OWNER)

    def comments(self, number: int, *, by: str = BOT) -> list[str]:
        """What an account wrote in a pull request, oldest first."""
        found = self.gitea.ask("GET", f"/repos/{REPO}/issues/{number}/comments")
        return [each["body"] for each in found if each["user"]["login"] == by]

    def statuses(self, number: int) -> list[str]:
        """The states of the newest commit of a pull request, newest first."""
        head = self.gitea.ask("GET", f"/repos/{REPO}/pulls/{number}")["head"]["sha"]
        return [each["status"] for each in self.gitea.ask("GET", f"/repos/{REPO}/commits/{head}/statuses")]

    def checked_out(self, number: int) -> Path:
        """The clone of a pull request's job, once Gitea has taken up what was pushed to its branch."""
        head = self.gitea.ask("GET", f"/repos/{REPO}/pulls/{number}")["head"]["sha"]
        ref, remote = f"refs/pull/{number}/head", self.gitea.remote(REPO, who=BOT)
        for _ in range(ATTEMPTS):
            if self.git(self.folder, "ls-remote", remote, ref).startswith(head):
                return self.clone(ref)
            time.sleep(0.2)
        raise AssertionError(f"pull request {number} does not come to {head}")

    def event(self, clone: Path, number: int | None) -> Path:
        """The event that started a job: of a pull request, or of a push to main."""
        path = clone / ".event.json"
        push = {"ref": "refs/heads/main", "after": self.git(clone, "rev-parse", "HEAD")}
        if number is None:
            path.write_text(json.dumps(push))
        else:
            data = self.gitea.ask("GET", f"/repos/{REPO}/pulls/{number}")
            path.write_text(json.dumps({"action": "opened", "number": number, "pull_request": data}))
        return path

    def run(self, clone: Path, verb: str, number: int | None = None, **more: str) -> Answer:
        """Run the script as a job of Gitea Actions does, without a number as one after a merge."""
        env = {
            **self.mesh.env,
            **NAMELESS,
            # A fresh runner: no root key, no word for fingerprints.
            "HOME": str(clone / ".home"),
            "XDG_CONFIG_HOME": str(clone / ".home" / "config"),
            "PATH": f"{self.folder}{os.pathsep}{self.mesh.env['PATH']}",
            "MESH_NAME": "demo",
            "MESH_BRANCH": "main",
            "GITEA_ACTIONS": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_SERVER_URL": self.gitea.url,
            "GITHUB_API_URL": self.gitea.api,
            "GITHUB_REPOSITORY": REPO,
            "GITHUB_RUN_ID": "17",
            "GITHUB_SHA": self.git(clone, "rev-parse", "HEAD"),
            "GITHUB_EVENT_PATH": str(self.event(clone, number)),
            "GITEA_TOKEN": self.token,
            "MESH_PLAN_KEY": PLAN_KEY,
            **more,
        }
        done = subprocess.run(
            ["bash", "./pipeline.sh", verb],
            cwd=clone / "mesh",
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=150,
        )
        assert self.token not in f"{done.stdout}{done.stderr}"
        return Answer(done.returncode, done.stdout, done.stderr)


def evil(ran: Path) -> dict[str, Any]:
    """A kubeconfig whose login makes a file."""
    login = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "touch",
        "args": [str(ran)],
        "interactiveMode": "Never",
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "cluster1",
        "contexts": [{"name": "cluster1", "context": {"cluster": "x", "user": "x"}}],
        "clusters": [{"name": "x", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "x", "user": {"exec": login}}],
    }
