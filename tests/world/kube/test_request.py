"""What a server that stumbles makes us do; the server is real, and stumbles on request."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mesh.world.kube.client import ApiServer, Patience, connect
from mesh.world.kube.errors import Failed, Gone, Unauthorized, Unreachable
from mesh.world.resources import CONFIG_MAP, POD

OBJECT = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm", "namespace": "ns"}}
EMPTY = {"items": []}

RESET, CUT, SILENT = "reset", "cut", "silent"
Answer = str | tuple[int, object, dict[str, str]]


def answer(status: int, body: object = EMPTY, **headers: str) -> Answer:
    return status, body, headers


@dataclass
class Stumbling:
    """A server that gives the answers it was told, in order, and the last one for ever."""

    url: str
    stop: Callable[[], None]
    answers: list[Answer] = field(default_factory=lambda: [answer(200)])
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    together: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, method: str, path: str, who: str) -> Answer:
        with self.lock:
            self.seen.append((method, path, who))
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def methods(self) -> list[str]:
        return [method for method, _, _ in self.seen]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Stumbling

    def handle_one(self) -> None:
        state = self.state
        with state.lock:
            state.together += 1
            state.most = max(state.most, state.together)
        try:
            self.rfile.read(int(self.headers.get("content-length", "0")))
            self.give(state.next(self.command, self.path, self.headers.get("authorization", "")))
        finally:
            with state.lock:
                state.together -= 1

    do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = handle_one  # noqa: N815  # http.server's names

    def give(self, what: Answer) -> None:
        if isinstance(what, str):
            self.close_connection = True
            if what == RESET:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            if what == SILENT:
                time.sleep(0.6)
            return
        status, body, headers = what
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A connection that we have reset is no news."""


@pytest.fixture
def server() -> Iterator[Stumbling]:
    handler = type("Bound", (Handler,), {})
    httpd = Quiet(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
    thread.start()

    def stop() -> None:
        httpd.shutdown()
        thread.join()
        httpd.server_close()

    handler.state = Stumbling(f"http://127.0.0.1:{httpd.server_address[1]}", stop)
    yield handler.state
    stop()


@dataclass
class Rig:
    kube: ApiServer
    slept: list[float]


def rig(folder: Path, url: str, user: dict[str, str] | None = None, **patience: float) -> Rig:
    config = {
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "c", "user": user or {}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
    }
    (folder / "config").write_text(json.dumps(config))
    slept: list[float] = []
    patient = Patience(**patience)  # type: ignore[arg-type]  # whole numbers are numbers
    kubes = connect([("east", "c", str(folder / "config"))], {}, patience=patient, sleep=slept.append)
    return Rig(kubes["east"], slept)


@pytest.mark.parametrize("stumble", [answer(503), answer(429), answer(504), answer(500, b"oops"), RESET, CUT])
def test_what_may_pass_is_tried_again(server: Stumbling, tmp_path: Path, stumble: Answer) -> None:
    server.answers = [stumble, stumble, answer(200)]
    one = rig(tmp_path, server.url)
    assert one.kube.list(POD) == []
    assert len(server.seen) == 3
    assert len(one.slept) == 2
    assert one.kube.requests == {("list", "pods"): 1}


def test_an_apply_is_tried_again_because_it_may_run_twice(server: Stumbling, tmp_path: Path) -> None:
    server.answers = [RESET, answer(503), answer(200, OBJECT)]
    assert rig(tmp_path, server.url).kube.apply(OBJECT, manager="m") == OBJECT
    assert server.methods == ["PATCH"] * 3


@pytest.mark.parametrize(
    ("stumble", "error"), [(RESET, Unreachable), (CUT, Unreachable), (answer(503), Failed)]
)
def test_a_creation_that_may_have_worked_is_not_sent_again(
    server: Stumbling, tmp_path: Path, stumble: Answer, error: type[Exception]
) -> None:
    server.answers = [stumble, answer(200, OBJECT)]
    with pytest.raises(error) as raised:
        rig(tmp_path, server.url).kube.create(OBJECT, manager="m")
    assert server.methods == ["POST"]
    assert getattr(raised.value, "sent", True)


def test_a_creation_that_was_turned_away_is_sent_again(server: Stumbling, tmp_path: Path) -> None:
    server.answers = [answer(429), answer(201, OBJECT)]
    assert rig(tmp_path, server.url).kube.create(OBJECT, manager="m") == OBJECT


def test_retry_after_is_honoured_up_to_a_minute(server: Stumbling, tmp_path: Path) -> None:
    server.answers = [answer(429, retry_after="7"), answer(503, retry_after="999"), answer(200)]
    one = rig(tmp_path, server.url)
    one.kube.list(POD)
    assert one.slept == [7.0, 60.0]


def test_the_attempts_and_the_time_are_bounded(server: Stumbling, tmp_path: Path) -> None:
    server.answers = [answer(503, {"kind": "Status", "message": "busy", "reason": "ServiceUnavailable"})]
    one = rig(tmp_path, server.url)
    with pytest.raises(Failed, match="503: busy"):
        one.kube.list(POD)
    assert len(server.seen) == 8
    server.seen.clear()
    server.answers = [answer(503, retry_after="50")]
    with pytest.raises(Failed):
        rig(tmp_path, server.url, budget=30).kube.list(POD)
    assert len(server.seen) == 1


def test_a_500_about_the_object_is_not_tried_again(server: Stumbling, tmp_path: Path) -> None:
    server.answers = [answer(500, {"kind": "Status", "message": "failed to create typed patch object"})]
    with pytest.raises(Exception, match="typed patch"):
        rig(tmp_path, server.url).kube.apply(OBJECT, manager="m")
    assert len(server.seen) == 1


def test_a_silent_server_is_given_up_after_two_attempts(server: Stumbling, tmp_path: Path) -> None:
    server.answers = [SILENT]
    with pytest.raises(Unreachable, match=r"no answer within 0\.2 seconds"):
        rig(tmp_path, server.url, read=0.2).kube.list(POD)
    assert len(server.seen) == 2


def test_a_server_that_is_down_is_noticed_at_once_and_remembered(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        one = rig(tmp_path, url)
        with pytest.raises(Unreachable, match=r"cluster east \(context c\): .*cannot be reached: .*refused"):
            one.kube.list(POD)
        assert len(one.slept) == 2
        assert sum(one.slept) <= 2
        with pytest.raises(Unreachable, match=r"^cluster east \(context c\): http"):
            one.kube.get(CONFIG_MAP, "a", "b")
        assert len(one.slept) == 2


def test_a_server_that_was_there_is_given_more_time(server: Stumbling, tmp_path: Path) -> None:
    one = rig(tmp_path, server.url)
    one.kube.list(POD)
    server.answers = [CUT]
    server.stop()
    with pytest.raises(Unreachable):
        one.kube.list(POD)
    assert len(one.slept) == 7


def test_a_401_reads_the_token_again_once(server: Stumbling, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old")
    one = rig(tmp_path, server.url, {"tokenFile": str(token)})
    one.kube.list(POD)
    token.write_text("new")
    server.answers = [answer(401), answer(200)]
    one.kube.list(POD)
    assert [who for _, _, who in server.seen] == ["Bearer old", "Bearer old", "Bearer new"]
    server.answers = [answer(401)]
    with pytest.raises(Unauthorized):
        one.kube.list(POD)
    assert len(server.seen) == 4


def test_a_list_whose_position_is_too_old_starts_again(server: Stumbling, tmp_path: Path) -> None:
    first = answer(200, {"items": [{"metadata": {"name": "a"}}], "metadata": {"continue": "x"}})
    last = answer(200, {"items": [{"metadata": {"name": "b"}}]})
    server.answers = [first, answer(410), first, last]
    found = rig(tmp_path, server.url).kube.list(POD)
    assert [item["metadata"]["name"] for item in found] == ["a", "b"]
    server.answers = [answer(410)]
    with pytest.raises(Gone):
        rig(tmp_path, server.url).kube.list(POD)


def test_a_login_page_is_no_api_server(server: Stumbling, tmp_path: Path) -> None:
    server.answers = [answer(200, b"<html>please log in</html>")]
    with pytest.raises(Unreachable, match="no JSON") as error:
        rig(tmp_path, server.url).kube.list(POD)
    assert "login page" in error.value.hint
    server.answers = [answer(302, b"", location="http://elsewhere.test/")]
    with pytest.raises(Failed, match="302"):
        rig(tmp_path, server.url).kube.list(POD)


def test_foreign_words_are_cut_and_cleaned(server: Stumbling, tmp_path: Path) -> None:
    server.answers = [answer(400, b"\x1b[31mred\n" + b"x" * 5000)]
    with pytest.raises(Exception, match=r"\[31mred x") as error:
        rig(tmp_path, server.url).kube.list(POD)
    assert "\x1b" not in str(error.value)
    assert len(str(error.value)) < 1200


def test_requests_in_flight_are_bounded(server: Stumbling, tmp_path: Path) -> None:
    kube = rig(tmp_path, server.url, parallel=2).kube
    threads = [threading.Thread(target=kube.list, args=(POD,)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.seen) == 12
    assert server.most <= 2


def test_a_proxy_of_the_kubeconfig_is_used(server: Stumbling, tmp_path: Path) -> None:
    one = rig(tmp_path, "http://not-there.test:8080")
    config = json.loads((tmp_path / "config").read_text())
    config["clusters"][0]["cluster"]["proxy-url"] = server.url
    (tmp_path / "config").write_text(json.dumps(config))
    one.kube = connect([("east", "c", str(tmp_path / "config"))], {})["east"]
    assert one.kube.list(POD) == []
    assert server.seen[0][1].startswith("http://not-there.test:8080/api/v1/pods")
    env = {"HTTP_PROXY": server.url}
    config["clusters"][0]["cluster"].pop("proxy-url")
    (tmp_path / "config").write_text(json.dumps(config))
    assert connect([("east", "c", str(tmp_path / "config"))], env)["east"].list(POD) == []
    direct = connect(
        [("east", "c", str(tmp_path / "config"))], {**env, "NO_PROXY": ".test"}, sleep=lambda _: None
    )
    with pytest.raises(Unreachable):
        direct["east"].list(POD)


def test_a_token_that_fits_no_header_is_not_shown(server: Stumbling, tmp_path: Path) -> None:
    with pytest.raises(Unreachable) as error:
        rig(tmp_path, server.url, {"token": "hunter2\nx"}).kube.list(POD)
    assert "hunter2" not in str(error.value)
