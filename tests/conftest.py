"""Fixtures for everybody: a running lab of two clusters, and the real kubectl and helm to look at it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from mesh.lab import Lab, toolchain
from mesh.lab.istio_tools import istio_tools
from mesh.lab.record import Istio
from tests.support import gitea_server, seen


@pytest.fixture(autouse=True)
def held_to_what_it_breaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that is marked with checks has seen each of them fail, and then pass."""
    seen.SEEN.clear()
    yield
    named = [check for mark in request.node.iter_markers("breaks") for check in mark.args]
    assert seen.not_shown(named) == []


def pytest_configure() -> None:
    """Take the signals that a shell ignores for a run in the background: tests send them, and so do users."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take down what the workers of an interrupted run left up: they are ended without a word."""
    if getattr(config.option, "numprocesses", None):
        factory = config._tmp_path_factory  # type: ignore[attr-defined]  # there is no other way to it
        for one in Lab.known():
            if one.folder.is_relative_to(factory.getbasetemp()):
                one.down()


@pytest.fixture(scope="session")
def gitea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gitea_server.Gitea]:
    """A real Gitea, shared by the whole run: a test makes its own repositories."""
    with gitea_server.serving(tmp_path_factory.mktemp("gitea")) as one:
        yield one


class Tool(Protocol):
    """Runs a command-line tool against one cluster of the lab; its output, or a failed test."""

    def __call__(self, context: str, *args: str, stdin: str = "") -> str: ...


@pytest.fixture(scope="session")
def tools(request: pytest.FixtureRequest) -> Path:
    """The folder of the toolchain's binaries. Built when missing, its progress line visible."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        return toolchain().bin


@pytest.fixture(scope="session")
def real_istio(tools: Path, request: pytest.FixtureRequest) -> Path:
    """The folder of the binaries of real Istio. Built when missing, its progress line visible."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        return istio_tools()


@pytest.fixture(scope="session")
def lab(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two running clusters, `cluster1` and `cluster2`, of two nodes each, shared by the whole run.

    A test makes its own namespaces and removes what it leaves. `MESH_TEST_LAB_DIR` names a folder for a
    lab that is kept between runs: `mesh lab down --name test --dir $MESH_TEST_LAB_DIR` ends it.
    """
    kept = os.environ.get("MESH_TEST_LAB_DIR")
    one = Lab.open("test", folder=Path(kept) if kept else tmp_path_factory.mktemp("lab") / "state")
    try:
        one.up(clusters=2, nodes=2)
        yield one
    finally:
        if not kept:
            one.down()


@contextmanager
def lab_apart(
    factory: pytest.TempPathFactory, name: str, *, clusters: int, istio: Istio = "standin"
) -> Iterator[Lab]:
    """Clusters of one node for the tests of one file, taken down afterwards. The toolchains must be built."""
    one = Lab.open(name, folder=factory.mktemp(name) / "state")
    try:
        one.up(clusters=clusters, nodes=1, istio=istio)
        yield one
    finally:
        one.down()


@pytest.fixture(scope="session")
def kubectl(lab: Lab) -> Tool:
    """`kubectl("cluster1", "get", "pods")` returns what kubectl prints; `stdin` is for `-f -`."""

    def run(context: str, *args: str, stdin: str = "") -> str:
        return output(lab, ["kubectl", "--context", context, *args], stdin)

    return run


@pytest.fixture(scope="session")
def helm(lab: Lab) -> Tool:
    """`helm("cluster1", "list", "-A")` returns what helm prints."""

    def run(context: str, *args: str, stdin: str = "") -> str:
        return output(lab, ["helm", "--kube-context", context, *args], stdin)

    return run


@pytest.fixture(scope="session")
def eventually() -> Callable[..., Any]:
    """`eventually(look, until=good)`: what `look()` returns once it is `good`, or after half a minute."""

    def wait(look: Callable[[], Any], *, until: Callable[[Any], bool] = bool, seconds: float = 30) -> Any:
        end = time.monotonic() + seconds
        while not until(value := look()) and time.monotonic() < end:
            time.sleep(0.1)
        return value

    return wait


def output(lab: Lab, argv: list[str], stdin: str = "", *, timeout: float = 300) -> str:
    """What one of a lab's own programs prints, run by the lab's environment; it must succeed."""
    answer = subprocess.run(
        [str(lab.bin / argv[0]), *argv[1:]],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        env={**os.environ, **lab.environment()},
    )
    assert answer.returncode == 0, f"{' '.join(argv)} exited {answer.returncode}: {answer.stderr}"
    return answer.stdout


def granted(kubectl: Tool, context: str, account: str, verb: str, resource: str, namespace: str = "") -> None:
    """Wait until an API server knows of a right that an account of `default` was given a moment ago."""
    asked = {"verb": verb, "resource": resource, "namespace": namespace}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": f"system:serviceaccount:default:{account}", "resourceAttributes": asked},
    }
    argv = ("create", "-f", "-", "-o", "jsonpath={.status.allowed}")
    end = time.monotonic() + 100
    while kubectl(context, *argv, stdin=json.dumps(review)) != "true":
        assert time.monotonic() < end, f"{account} still may not {verb} {resource} in {context}"
        time.sleep(0.05)
