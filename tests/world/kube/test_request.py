"""What a server that stumbles makes us do; the server is real, and stumbles on request."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mesh.world.kube.errors import Failed, Gone, Unauthorized, Unreachable
from mesh.world.resources import CONFIG_MAP, POD
from tests.support.stumbling import CUT, OBJECT, RESET, SILENT, Answer, Stumbling, answer, rig


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


def test_retry_after_is_honoured_up_to_a_bound(server: Stumbling, tmp_path: Path) -> None:
    server.answers = [answer(429, retry_after="7"), answer(503, retry_after="999"), answer(200)]
    one = rig(tmp_path, server.url)
    one.kube.list(POD)
    assert one.slept == [7.0, 15.0]


def test_the_attempts_and_the_time_are_bounded(server: Stumbling, tmp_path: Path) -> None:
    server.answers = [answer(503, {"kind": "Status", "message": "busy", "reason": "ServiceUnavailable"})]
    one = rig(tmp_path, server.url)
    with pytest.raises(Failed, match="503: busy"):
        one.kube.list(POD)
    assert len(server.seen) == 8
    server.seen.clear()
    server.answers = [answer(503, retry_after="50")]
    with pytest.raises(Failed):
        rig(tmp_path, server.url, total=10).kube.list(POD)
    assert len(server.seen) == 1


def test_a_silent_server_is_given_up_after_two_attempts(
    server: Stumbling, tmp_path: Path, eventually: Callable[..., Any]
) -> None:
    server.answers = [SILENT]
    with pytest.raises(Unreachable, match=r"no answer within 0\.2 seconds"):
        rig(tmp_path, server.url, read=0.2).kube.list(POD)
    # The server may read the second request only after the client has given it up.
    assert eventually(lambda: len(server.seen), until=lambda count: count >= 2) == 2


def test_a_tls_handshake_without_an_end_is_reported_with_the_time_that_was_waited(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(Unreachable, match=r"(no answer within|timeout=)\D*0\.[2-9]") as caught:
            rig(tmp_path, url, first_connect=0.2, connect=0.2, read=30.0).kube.list(POD)
        assert "30 seconds" not in caught.value.message


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
    with pytest.raises(Unreachable, match="is not valid JSON") as error:
        rig(tmp_path, server.url).kube.list(POD)
    assert "login page" in error.value.hint
    server.answers = [answer(302, b"", location="http://elsewhere.test/")]
    with pytest.raises(Failed, match="302"):
        rig(tmp_path, server.url).kube.list(POD)


def test_requests_in_flight_are_bounded(server: Stumbling, tmp_path: Path) -> None:
    kube = rig(tmp_path, server.url, parallel=2).kube
    threads = [threading.Thread(target=kube.list, args=(POD,)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.seen) == 12
    assert server.most <= 2


def test_a_token_that_fits_no_header_is_not_shown(server: Stumbling, tmp_path: Path) -> None:
    with pytest.raises(Unreachable) as error:
        rig(tmp_path, server.url, {"token": "hunter2\nx"}).kube.list(POD)
    assert "hunter2" not in str(error.value)
