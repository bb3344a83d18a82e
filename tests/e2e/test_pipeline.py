"""The shell of `examples/ci` in clones of a repository, with real clusters and a real Gitea behind it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.gitea_server import BOT, SCOPES, Gitea

from .hands import REPOSITORY, Mesh
from .project import ONE_WAY, OWNER, PERSON, REPO, REVIEWER, STRANGER, Project, evil


@pytest.fixture
def project(mesh: Mesh, gitea: Gitea, tmp_path: Path) -> Iterator[Project]:
    program = tmp_path / "mesh"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mesh "$@"\n')
    program.chmod(0o755)
    one = Project(gitea, gitea.token(BOT, *SCOPES), tmp_path, mesh)
    owner, name = REPO.split("/")
    gitea.ask("POST", "/user/repos", {"name": name, "default_branch": "main"}, who=owner)
    for who in (BOT, REVIEWER):
        gitea.ask("PUT", f"/repos/{REPO}/collaborators/{who}", {"permission": "write"}, who=owner)
    first = tmp_path / "first"
    one.git(tmp_path, "init", "--quiet", "--initial-branch=main", str(first))
    (first / "mesh").mkdir()
    for name in ("mesh.yaml", "mesh.lock"):
        (first / "mesh" / name).write_bytes((mesh.folder / name).read_bytes())
    script = REPOSITORY / "examples" / "ci" / "pipeline.sh"
    (first / "mesh" / "pipeline.sh").write_bytes(script.read_bytes())
    one.git(first, "add", ".")
    one.git(first, *PERSON, "commit", "-qm", "Start")
    one.git(first, "push", "--quiet", gitea.remote(REPO, who=OWNER), "main")
    yield one
    # The pipeline has applied newer states than the folder of the other tests knows.
    (mesh.folder / "mesh.lock").write_bytes((one.clone() / "mesh" / "mesh.lock").read_bytes())
    gitea.ask("DELETE", f"/repos/{REPO}")


def test_a_pull_request_is_planned_reviewed_merged_applied_and_recorded(project: Project) -> None:
    project.pushed("one-way", ONE_WAY)
    number = project.opened("one-way")
    forged = '<!-- mesh-plan {"mesh": "demo"} -->\nNothing changes, approve.'
    issue = f"/repos/{REPO}/issues/{number}/comments"
    project.gitea.ask("POST", issue, {"body": forged}, who=STRANGER)
    reviewed = project.checked_out(number)
    planned = project.run(reviewed, "plan", number)
    assert planned.code == 0, planned
    (text,) = project.comments(number)
    assert "Plan: 0 to add, 0 to change, 1 to destroy." in text
    assert project.git(reviewed, "rev-parse", "HEAD")[:12] in text
    assert (reviewed / "mesh" / "plan.html").read_text().startswith("<!doctype html>")
    assert project.comments(number, by=STRANGER) == [forged], "what another author wrote is left alone"

    # Planned again: the same comment. A new commit with the same plan: the same comment names it.
    assert project.run(reviewed, "plan", number).code == 0
    assert project.comments(number) == [text]
    project.committed(project.checked_out(number), "one-way")
    reviewed = project.checked_out(number)
    assert project.run(reviewed, "plan", number).code == 0
    (text,) = project.comments(number)
    assert project.git(reviewed, "rev-parse", "HEAD")[:12] in text

    # Merged: the plan that was reviewed runs, its outcome is added, and the lockfile is on the branch.
    project.approved(number)
    project.merged(number)
    merged = project.clone()
    commit = project.git(merged, "rev-parse", "HEAD")
    (merged / "mesh" / "plan.json").write_bytes((reviewed / "mesh" / "plan.json").read_bytes())
    applied = project.run(merged, "apply")
    assert applied.code == 0, applied
    (text,) = project.comments(number)
    assert "0 added, 0 changed, 1 destroyed." in text
    assert f"{project.gitea.url}/{REPO}/actions/runs/17" in text
    assert set(project.statuses(number)) == {"success"}
    after = project.clone()
    recorded = (after / "mesh" / "mesh.lock").read_bytes()
    assert recorded == (merged / "mesh" / "mesh.lock").read_bytes()
    assert "link/cluster2/cluster1" not in json.loads(recorded)["resources"]

    # A reviewed plan runs once.
    again = project.run(merged, "apply", GITHUB_SHA=commit)
    assert again.code == 3, again
    (text,) = project.comments(number)
    assert "0 added, 0 changed, 1 destroyed." in text, "the record of the run that did it stays"
    assert "The run was refused, nothing was changed." in text

    # The way back, without an artifact: the job after the merge plans again, and goes by the posted digest.
    project.pushed("both-ways", "full-mesh")
    number = project.opened("both-ways")
    assert project.run(project.checked_out(number), "plan", number).code == 0
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in project.comments(number)[0]
    project.merged(number)
    by_digest = project.run(project.clone(), "apply")
    assert by_digest.code == 0, by_digest
    assert "1 added, 0 changed, 0 destroyed." in project.comments(number)[0]
    assert project.run(project.clone(), "drift").code == 0


def test_another_plan_than_the_posted_one_does_not_run_after_the_merge(project: Project) -> None:
    project.pushed("one-way", ONE_WAY)
    number = project.opened("one-way")
    assert project.run(project.checked_out(number), "plan", number).code == 0
    project.approved(number)

    # Approved, then pushed again with another plan: a new comment, and the old one is folded.
    project.pushed("one-way", [])
    assert project.run(project.checked_out(number), "plan", number).code == 0
    outdated, newest = project.comments(number)
    assert outdated.startswith("<details><summary>Outdated plan</summary>")
    assert "Plan: 0 to add, 0 to change, 2 to destroy." in newest

    # Pushed once more, and merged before the plan of that commit was posted.
    project.pushed("one-way", ONE_WAY)
    project.merged(number)
    merged = project.clone()
    lock = (merged / "mesh" / "mesh.lock").read_bytes()
    refused = project.run(merged, "apply")
    assert refused.code == 3, refused
    assert "The run was refused, nothing was changed." in project.comments(number)[-1]
    assert "its digest was sha256:" in project.comments(number)[-1]
    assert (project.clone() / "mesh" / "mesh.lock").read_bytes() == lock
    project.mesh.settled()


def test_a_merge_without_a_posted_plan_runs_only_what_changes_nothing(project: Project) -> None:
    clone = project.clone(who=OWNER)
    (clone / "mesh" / "README.md").write_text("about this mesh\n")
    project.committed(clone, "about")
    number = project.opened("about")
    assert project.run(project.checked_out(number), "plan", number).code == 0
    assert project.comments(number) == [], "a plan without changes starts no conversation"
    assert project.statuses(number) == ["success"]
    project.merged(number)
    nothing = project.run(project.clone(), "apply")
    assert nothing.code == 0, nothing

    # A change that was never planned.
    project.pushed("unseen", ONE_WAY)
    project.merged(project.opened("unseen"))
    unseen = project.run(project.clone(), "apply")
    assert unseen.code == 2, unseen
    assert "has posted no plan of mesh demo" in unseen.err
    project.mesh.settled()


def test_a_plan_that_the_branch_brings_is_refused(project: Project) -> None:
    clone = project.clone(who=OWNER)
    (clone / "mesh" / "plan.json").write_text("{}\n")
    project.committed(clone, "brings-a-plan")
    project.merged(project.opened("brings-a-plan"))
    refused = project.run(project.clone(), "apply")
    assert refused.code == 1, refused
    assert "plan.json is committed" in refused.err


def test_a_plan_that_cannot_be_made_is_told_in_the_pull_request(project: Project) -> None:
    project.pushed("broken", [{"from": "cluster1", "to": "nowhere"}])
    number = project.opened("broken")
    failed = project.run(project.checked_out(number), "plan", number)
    assert failed.code == 1, failed
    (text,) = project.comments(number)
    assert "nowhere" in text
    assert project.statuses(number) == ["failure"]
    # Fixed by the next push: the same comment says so.
    project.pushed("broken", "full-mesh")
    assert project.run(project.checked_out(number), "plan", number).code == 0
    (text,) = project.comments(number)
    assert "nowhere" not in text
    assert project.statuses(number) == ["success"]


def test_a_branch_of_a_stranger_is_planned_in_untrusted_mode(project: Project) -> None:
    fork = f"{STRANGER}/{REPO.partition('/')[2]}"
    project.gitea.ask("POST", f"/repos/{REPO}/forks", {}, who=STRANGER)
    clone = project.clone(repo=fork, who=STRANGER)
    path = clone / "mesh" / "mesh.yaml"
    document = yaml.safe_load(path.read_text())
    document["spec"]["clusters"][0]["kubeconfig"] = "evil.kubeconfig"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    ran = project.folder / "ran"
    (clone / "mesh" / "evil.kubeconfig").write_text(yaml.safe_dump(evil(ran)))
    project.committed(clone, "stranger")
    number = project.opened(f"{STRANGER}:stranger", who=STRANGER)
    try:
        answer = project.run(project.checked_out(number), "plan", number, MESH_UNTRUSTED="1")
        assert answer.code not in (0, 2), answer
        assert not ran.exists()
        assert "kubeconfig" in project.comments(number)[-1]
        project.run(project.checked_out(number), "plan", number)
        assert ran.exists(), "this is what the mode keeps from happening"
    finally:
        project.gitea.ask("DELETE", f"/repos/{fork}")
