#!/usr/bin/env bash
# The steps of a pipeline for one mesh, the same on every forge. Run it in the folder of the mesh file:
#
#   pipeline.sh plan    plan the commit of a pull request, and post the plan as its comment
#   pipeline.sh apply   after the merge: carry out the reviewed plan, post the outcome, commit mesh.lock
#   pipeline.sh drift   print what changed outside mesh; exits with 2 if anything did
#
# Variables: MESH_NAME, the name of the mesh; KUBECONFIG, with the contexts of the mesh file; the licence key;
# the token of the forge (see `mesh comment --help`). MESH_BRANCH is the branch that holds mesh.lock.
set -euo pipefail

plan() {
  local code=0
  mesh plan --out plan.json 2>plan.err || code=$?
  cat plan.err >&2
  if [ "$code" -eq 0 ]; then
    mesh comment plan.json
    mesh show plan.json --format html >plan.html # for who wants every value: keep it beside plan.json
  else
    mesh comment --mesh "$MESH_NAME" --error plan.err
  fi
  return "$code"
}

apply() {
  local code=0 posted=0 digest reviewed=(--mesh "$MESH_NAME")
  if git ls-files --error-unmatch plan.json >/dev/null 2>&1; then
    echo "plan.json is committed: a plan comes from the run of the pull request, never from the branch" >&2
    return 1
  fi
  if [ -f plan.json ]; then
    reviewed=(plan.json)
    mesh apply plan.json --json >events.jsonl || code=$?
  else
    # The run of the pull request left no plan.json: plan again, and apply only if it is the plan that was posted.
    digest=$(mesh comment --mesh "$MESH_NAME" --print-digest)
    if [ -z "$digest" ]; then
      # A plan without changes is not posted. If there are changes now, nobody has reviewed them.
      mesh plan --detailed-exitcode
      return
    fi
    mesh apply --yes --plan-digest "$digest" --json >events.jsonl || code=$?
  fi
  mesh comment "${reviewed[@]}" --outcome events.jsonl || posted=$?
  # Also after a failure: the lockfile records what was done until then.
  if [ -e mesh.lock ]; then
    git add -- mesh.lock
  fi
  if ! git diff --cached --quiet; then
    git config user.name >/dev/null || git config user.name mesh
    git config user.email >/dev/null || git config user.email mesh@example.com
    git commit --quiet --message "Record the state of mesh $MESH_NAME [skip ci]"
    git push --quiet origin "HEAD:${MESH_BRANCH:?the branch that holds mesh.lock}"
  fi
  [ "$code" -ne 0 ] || code=$posted
  return "$code"
}

drift() {
  mesh plan --detailed-exitcode --format markdown >drift.md
}

case "${1:-}" in
  plan | apply | drift) "$1" ;;
  *)
    echo "usage: pipeline.sh plan|apply|drift" >&2
    exit 64
    ;;
esac
