"""A server that answers like a forge: comments, approvals and statuses of one pull request."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ME, OTHER, TOKEN = "mesh-bot", "mallory", "t0ken"
BASE = {"github": "", "gitlab": "/api/v4", "gitea": "/api/v1", "bitbucket": "/2.0", "azure": "/org"}
REPO = dict.fromkeys(BASE, "o/r") | {"gitlab": "7"}
HEAD = "abc123"


@dataclass
class Post:
    id: int
    author: str
    body: str
    hidden: bool = False


@dataclass(frozen=True)
class Sent:
    """One request and its answer."""

    method: str
    path: str
    query: str
    body: Any
    answer: Any


@dataclass
class ForgeServer:
    """The pull request 5; `faults` are answers that come before the right ones."""

    dialect: str
    posts: list[Post] = field(default_factory=list)
    is_approved: bool = False
    statuses: list[dict[str, Any]] = field(default_factory=list)
    faults: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    page: int = 100
    port: int = 0

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port}{BASE[self.dialect]}"

    def say(self, author: str, body: str) -> Post:
        self.posts.append(Post(len(self.posts) + 1, author, body))
        return self.posts[-1]

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        """Return status, data and headers; 404 for what the forge does not have."""
        if path.endswith("/graphql"):
            return 200, self._graphql(body), {}
        path, _, query = path.removeprefix(BASE[self.dialect]).partition("?")
        for verb, pattern, answer in ROUTES[self.dialect]:
            match = re.fullmatch(pattern, path)
            if match and verb == method:
                return 200, answer(self, body, *match.groups()), self._link(path, query, verb)
        return 404, {"message": "Not Found"}, {}

    def _graphql(self, body: Any) -> Any:
        if "viewer" in body["query"]:
            return {"data": {"viewer": {"login": ME}}}
        self.posts[int(body["variables"]["id"].removeprefix("node-")) - 1].hidden = True
        return {"data": {"minimizeComment": {"clientMutationId": None}}}

    def _link(self, path: str, query: str, verb: str) -> dict[str, str]:
        number = int(dict(part.split("=") for part in query.split("&") if part).get("page", 1))
        if verb != "GET" or number * self.page >= len(self.posts):
            return {}
        self.number = number
        return {"Link": f'<{self.api}{path}?page={number + 1}>; rel="next"'}

    def edited(self, number: str, body: str) -> dict[str, Any]:
        self.posts[int(number) - 1].body = body
        return {}

    def status(self, body: Any) -> dict[str, Any]:
        self.statuses.append(body)
        return {}


Route = tuple[str, str, Callable[..., Any]]


def _users(name: str) -> Callable[[ForgeServer, Post], dict[str, Any]]:
    shapes: dict[str, Callable[[Post], dict[str, Any]]] = {
        "github": lambda post: {
            "user": {"login": post.author},
            "node_id": f"node-{post.id}",
            "body": post.body,
        },
        "gitea": lambda post: {"user": {"login": post.author}, "body": post.body},
        "gitlab": lambda post: {"author": {"id": _number(post.author)}, "body": post.body, "system": False},
        "bitbucket": lambda post: {
            "user": {"uuid": post.author},
            "content": {"raw": post.body},
            "deleted": False,
        },
    }
    return lambda _server, post: {"id": post.id, **shapes[name](post)}


def _number(author: str) -> int:
    return {ME: 1, OTHER: 2}[author]


def _routes(name: str, comments: str, one: str, edit: str, me: str, statuses: str) -> list[Route]:
    """Return the routes that forges have in common; `one` is the path of one comment."""
    shape = _users(name)

    def listed(server: ForgeServer, _body: Any) -> Any:
        rows = [shape(server, post) for post in server.posts if not (name == "bitbucket" and post.hidden)]
        start = (getattr(server, "number", 1) - 1) * server.page
        return rows if name != "bitbucket" else {"values": rows[start:]}

    def text(body: Any) -> str:
        return str(body["content"]["raw"] if name == "bitbucket" else body["body"])

    return [
        ("GET", comments, listed),
        ("POST", comments, lambda server, body: shape(server, server.say(ME, text(body)))),
        (edit, one, lambda server, body, number: server.edited(number, text(body))),
        ("GET", me, lambda _server, _body: {"uuid": ME} if name == "bitbucket" else {"login": ME, "id": 1}),
        ("POST", statuses, lambda server, body: server.status(body)),
    ]


def _approval(value: Callable[[bool], Any]) -> Callable[[ForgeServer, Any], Any]:
    return lambda server, _body: value(server.is_approved)


def _hide(server: ForgeServer, _body: Any, number: str) -> Any:
    server.posts[int(number) - 1].hidden = True


def _threads(server: ForgeServer, _body: Any) -> Any:
    return {
        "value": [
            {"id": post.id, "comments": [{"id": 1, "author": {"id": post.author}, "content": post.body}]}
            for post in server.posts
        ]
    }


PR = "/repos/o/r/pulls/5"
ISSUE = "/repos/o/r/issues"
MR = "/projects/7/merge_requests/5"
BB = "/repositories/o/r/pullrequests/5"
AZ = "/o/_apis/git/repositories/r/pullRequests/5"
ROUTES: dict[str, list[Route]] = {
    "github": [
        *_routes(
            "github",
            f"{ISSUE}/5/comments",
            rf"{ISSUE}/comments/(\d+)",
            "PATCH",
            "/user",
            f"/repos/o/r/statuses/{HEAD}",
        ),
        (
            "GET",
            f"{PR}/reviews",
            _approval(lambda yes: [{"user": {"login": "x"}, "state": "APPROVED"}] * yes),
        ),
        ("GET", f"/repos/o/r/commits/{HEAD}/pulls", lambda _server, _body: [{"number": 5}]),
    ],
    "gitea": [
        *_routes(
            "gitea",
            f"{ISSUE}/5/comments",
            rf"{ISSUE}/comments/(\d+)",
            "PATCH",
            "/user",
            f"/repos/o/r/statuses/{HEAD}",
        ),
        ("GET", f"{PR}/reviews", _approval(lambda yes: [{"state": "APPROVED", "dismissed": False}] * yes)),
        ("GET", f"/repos/o/r/commits/{HEAD}/pull", lambda _server, _body: {"number": 5}),
    ],
    "gitlab": [
        *_routes(
            "gitlab", f"{MR}/notes", rf"{MR}/notes/(\d+)", "PUT", "/user", f"/projects/7/statuses/{HEAD}"
        ),
        ("GET", f"{MR}/approvals", _approval(lambda yes: {"approved_by": [{"user": {}}] * yes})),
        (
            "GET",
            f"/projects/7/repository/commits/{HEAD}/merge_requests",
            lambda _server, _body: [{"iid": 5}],
        ),
    ],
    "bitbucket": [
        *_routes(
            "bitbucket",
            f"{BB}/comments",
            rf"{BB}/comments/(\d+)",
            "PUT",
            "/user",
            f"/repositories/o/r/commit/{HEAD}/statuses/build",
        ),
        ("GET", BB, _approval(lambda yes: {"participants": [{"approved": yes}]})),
        ("DELETE", rf"{BB}/comments/(\d+)", _hide),
        (
            "GET",
            f"/repositories/o/r/commit/{HEAD}/pullrequests",
            lambda _server, _body: {"values": [{"id": 5}]},
        ),
    ],
    "azure": [
        ("GET", f"{AZ}/threads", _threads),
        ("POST", f"{AZ}/threads", lambda server, body: vars(server.say(ME, body["comments"][0]["content"]))),
        (
            "PATCH",
            rf"{AZ}/threads/(\d+)/comments/1",
            lambda server, body, number: server.edited(number, body["content"]),
        ),
        ("GET", "/_apis/connectionData", lambda _server, _body: {"authenticatedUser": {"id": ME}}),
        ("GET", f"{AZ}/reviewers", _approval(lambda yes: {"value": [{"vote": 10 if yes else 0}]})),
        ("POST", f"{AZ}/statuses", lambda server, body: server.status(body)),
        (
            "POST",
            "/o/_apis/git/repositories/r/pullrequestquery",
            lambda _server, _body: {"results": [{HEAD: [{"pullRequestId": 5}]}]},
        ),
    ],
}


@contextmanager
def serving(dialect: str) -> Iterator[ForgeServer]:
    """A server on a loopback port, as long as the block runs."""
    server = ForgeServer(dialect)

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            server.asked.append((self.command, self.path.partition("?")[0]))
            given = self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN") or ""
            server.tokens.append(given.rpartition(" ")[2])
            if server.faults:
                code, headers = server.faults.pop(0)
                data: Any = {"message": "no"}
            else:
                code, data, headers = server.answer(self.command, self.path, body)
            path, _, query = self.path.partition("?")
            server.sent.append(Sent(self.command, path, query, body, data))
            content = json.dumps(data).encode()
            self.send_response(code)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _any  # noqa: N815  # the names of the base class

        def log_message(self, *_args: object) -> None:
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        server.port = listener.server_address[1]
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()
