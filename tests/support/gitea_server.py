"""A real Gitea on a loopback port, built from its Go module, with a database and users of its own."""

from __future__ import annotations

import base64
import getpass
import json
import os
import secrets
import shutil
import stat
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesh.lab.addresses import FIRST_PORT, can_listen
from mesh.lab.golang import find_go
from mesh.lab.paths import cache_dir
from mesh.lab.progress import Line
from tests.support.built_once import built_once, go_installed

SOURCE = Path(__file__).parent / "gitea"
MODULE = "code.gitea.io/gitea"
STATIC = ("templates", "options")
"""What a server reads beside its binary: from the folder of the module, as its package manager left it."""

ADMIN = "owner"
BOT = "mesh-bot"
PEOPLE = ("alice", "bob", "mallory")
SCOPES = ("read:user", "write:issue", "write:repository")
"""What docs/how-to/pull-requests.md asks for."""

READY_SECONDS = 60
ATTEMPTS = 100


def built() -> Path:
    """Return the folder with `gitea` and the files that it reads; built once, about ten minutes."""
    return built_once(SOURCE, "go.sum", _build, patience=3000)


def _build(folder: Path) -> None:
    assert shutil.which("gcc"), "a C compiler is needed: the SQLite of Gitea is in C"
    progress = Line("building Gitea (once, about ten minutes)")
    go = find_go(cache_dir(), progress)
    tags = ("-tags", "sqlite sqlite_unlock_notify")
    go_installed(folder, go, *tags, "-buildvcs=false", "-ldflags", "-s -w", cgo=True)
    found = json.loads(_done([str(go), "list", "-m", "-json", MODULE], cwd=folder))
    for name in STATIC:
        shutil.copytree(Path(found["Dir"]) / name, folder / name)
    # Files of the module cache may not be written, and so not be removed either.
    for path in (each for name in STATIC for each in (folder / name, *(folder / name).rglob("*"))):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)
    progress.done(f"ready in {folder.parent}")


def _done(command: list[str], **more: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr[-2000:]}"
    return done.stdout


class RefusedError(AssertionError):
    """Gitea answered with an error; `status` says which."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


@dataclass(frozen=True)
class Gitea:
    """A running server; `passwords` are those of its users."""

    url: str
    passwords: Mapping[str, str]

    @property
    def api(self) -> str:
        return f"{self.url}/api/v1"

    def ask(self, method: str, path: str, body: object = None, *, who: str = ADMIN) -> Any:
        """Send a request as one of the users, and return the data of its answer."""
        login = base64.b64encode(f"{who}:{self.passwords[who]}".encode()).decode()
        request = urllib.request.Request(
            f"{self.api}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Basic {login}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            raise RefusedError(error.code, error.read().decode()) from None
        return json.loads(content) if content else None

    def token(self, who: str, *scopes: str) -> str:
        """Return a new token of a user that may do this and nothing else."""
        wish = {"name": secrets.token_hex(4), "scopes": list(scopes)}
        return str(self.ask("POST", f"/users/{who}/tokens", wish, who=who)["sha1"])

    def ask_again(self, again: int, method: str, path: str, body: object, *, who: str = ADMIN) -> Any:
        """Send a request until its answer is not this status: Gitea takes up what was pushed a bit later."""
        for _ in range(ATTEMPTS):
            try:
                return self.ask(method, path, body, who=who)
            except RefusedError as error:
                if error.status != again:
                    raise
                time.sleep(0.2)
        raise AssertionError(f"{method} {path}: {again} again and again")

    def open(self, repo: str, head: str, *, who: str = ADMIN) -> Any:
        """Open a pull request of a branch into main, and return what Gitea says of it."""
        wish = {"head": head, "base": "main", "title": "Change the mesh"}
        return self.ask_again(404, "POST", f"/repos/{repo}/pulls", wish, who=who)

    def merge(self, repo: str, number: str, style: str = "merge", *, who: str = ADMIN) -> None:
        """Merge a pull request."""
        self.ask_again(405, "POST", f"/repos/{repo}/pulls/{number}/merge", {"Do": style}, who=who)

    def remote(self, repo: str, *, who: str) -> str:
        """Return the address of a repository for git, with the login of a user."""
        return f"{self.url.replace('://', f'://{who}:{self.passwords[who]}@')}/{repo}.git"


@contextmanager
def serving(folder: Path) -> Iterator[Gitea]:
    """A new server in a folder, as long as the block runs."""
    program = built()
    settings = folder / "app.ini"
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    settings.write_text(_settings(folder, program, port))
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("GITEA_", "GIT_"))}
    env = {**kept, "HOME": str(folder), "GITEA_I_AM_BEING_UNSAFE_RUNNING_AS_ROOT": "true"}
    command = [str(program / "gitea"), "--config", str(settings), "--work-path", str(folder)]
    _done([*command, "migrate"], env=env)
    passwords = {name: secrets.token_hex(12) for name in (ADMIN, BOT, *PEOPLE)}
    user = ("admin", "user", "create", "--must-change-password=false")
    named = ("--username", ADMIN, "--password", passwords[ADMIN], "--email", f"{ADMIN}@example.com")
    _done([*command, *user, *named, "--admin"], env=env)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [*command, "web"], env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        one = Gitea(f"http://127.0.0.1:{port}", passwords)
        _eventually(lambda: one.ask("GET", "/version"), server, folder / "log")
        for name in (BOT, *PEOPLE):
            wish = {"username": name, "email": f"{name}@example.com", "password": passwords[name]}
            one.ask("POST", "/admin/users", {**wish, "must_change_password": False})
        yield one
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _free_port() -> int:
    """A port that is free now; below those of the labs, and of what the system gives to clients."""
    ports = (secrets.choice(range(10_000, FIRST_PORT)) for _ in range(ATTEMPTS))
    return next(port for port in ports if can_listen(port))


def _eventually(ask: Callable[[], object], server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server answers."""
    end = time.monotonic() + READY_SECONDS
    while True:
        try:
            ask()
        except (OSError, RefusedError):
            told = log.read_text(errors="replace")[-2000:]
            assert server.poll() is None, f"Gitea ended: {told}"
            assert time.monotonic() < end, f"Gitea does not answer: {told}"
            time.sleep(0.1)
        else:
            return


def _settings(folder: Path, program: Path, port: int) -> str:
    sections: dict[str, dict[str, object]] = {
        "server": {
            "HTTP_ADDR": "127.0.0.1",
            "HTTP_PORT": port,
            "ROOT_URL": f"http://127.0.0.1:{port}/",
            "DISABLE_SSH": "true",
            "OFFLINE_MODE": "true",
            "STATIC_ROOT_PATH": program,
        },
        "database": {"DB_TYPE": "sqlite3", "PATH": folder / "gitea.db"},
        "repository": {"ROOT": folder / "repositories", "DEFAULT_BRANCH": "main"},
        "security": {
            "INSTALL_LOCK": "true",
            "SECRET_KEY": secrets.token_hex(32),
            "INTERNAL_TOKEN": secrets.token_hex(32),
            # The default takes half a second of a core for each request with a password.
            "PASSWORD_HASH_ALGO": "pbkdf2$1000$50",
            "PASSWORD_COMPLEXITY": "off",
        },
        "indexer": {"ISSUE_INDEXER_TYPE": "db"},
        "log": {"LEVEL": "warn", "MODE": "console"},
    }
    lines = [f"RUN_USER = {getpass.getuser()}", "RUN_MODE = prod"]
    for name, pairs in sections.items():
        lines += ["", f"[{name}]", *(f"{key} = {value}" for key, value in pairs.items())]
    return "\n".join(lines) + "\n"
