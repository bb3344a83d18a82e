"""Secrets planted in the values of a chart, each in a place of another shape, and their encodings."""

from __future__ import annotations

import base64
import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import yaml

BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw"
LISTED = ("canary.listed.text", "canary.listed.map", "canary.listed.list")
"""What the mesh file calls sensitive."""

ODD = "/+&='\"<ü \\%"
"""Characters that the encodings write otherwise."""


@dataclass
class Planted:
    """The values, and every secret in them."""

    values: dict[str, Any] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)

    def new(self, odd: bool = False) -> str:
        """Return a secret that is nowhere else; one in three has odd characters."""
        number = len(self.secrets)
        text = f"canary{number:03d}Zq{number * 7919 % 9973:04d}x" + (ODD if odd or number % 3 == 0 else "")
        self.secrets.append(text)
        return text

    def token(self, prefix: str, length: int = 30) -> str:
        """Return a secret that only its shape gives away."""
        number = len(self.secrets)
        text = prefix + (f"{number:03d}" + "Zq7x9Kd2" * 8)[:length]
        self.secrets.append(text)
        return text


def planted() -> Planted:
    """Return the values of a chart with more than seventy secrets in them."""
    found = Planted()
    new = found.new
    named = [
        *("password", "adminPassword", "passwd", "DB_PASSWORD", "passphrase", "pwd", "DB_PASS", "pass"),
        *("token", "X_TOKEN", "apiToken", "refresh_token", "secret", "clientSecret", "CLIENT_SECRET"),
        *("credential", "creds", "dsn", "DATABASE_DSN", "connectionString", "Authorization", "apiKey"),
        *(
            "api-key",
            "key",
            "tls.key",
            "privateKey",
            "private_key",
            "signingKey",
            "secretAccessKey",
            "sessionSecret",
            "cookie",
        ),
        *("htpasswd", "publicToken", "publicPassword", "licenseKey", "kubeconfig", ".dockerconfigjson"),
    ]
    flat = {name: new() for name in named}
    deep = {
        "tokens": [new(), new()],
        "secrets": {"db": new(), "cache": {"one": [new()]}},
        "token": {"value": new(), "audience": "istio-ca"},
        "credentials": {"user": new(), "server": {"login": new()}},
        "keys": {"current": new(), "former": [new()]},
        "passwords": {"one": new(), "two": {"three": new()}},
        "auths": {"registry.example": {"auth": new()}},
        "headers": {"Authorization": [new()]},
        "publicApi": {"password": new()},
        "public": {"secrets": [new()]},
    }
    lists = {
        "env": [
            {"name": "X_TOKEN", "value": new()},
            {"value": new(), "name": "DB_PASS"},
            {"value": new()},
            {"name": "LOG_LEVEL", "value": "debug"},
        ],
        "vars": [{"key": "clientSecret", "value": new()}],
        "args": ["--token", new(), f"--db-password={new()}", "--verbose"],
        "servers": [{"host": "db.example", "password": new()}],
    }
    return _with_texts(found, {"flat": flat, "deep": deep, "lists": lists})


def _with_texts(found: Planted, values: dict[str, Any]) -> Planted:
    new, token = found.new, found.token
    plain = f"canary{len(found.secrets):03d}Plain0"
    found.secrets += [plain, f"{plain}1", f"{plain}2", f"{plain}3", f"{plain}4"]
    pem = f"{BODY}{len(found.secrets):03d}Zq"
    found.secrets.append(pem)
    texts = {
        "json": json.dumps({"db": {"password": new(), "host": "db.example"}}),
        "jsonList": json.dumps([{"name": "DB_PASS", "value": new()}]),
        "yaml": f"user: bob\npassword: {plain}\n",
        "url": f"https://bob:{plain}1@db.example/x",
        "dsnLike": f"bob:{plain}2@tcp(db.example:3306)/x",
        "header": f"Authorization: Bearer {plain}3",
        "pem": f"-----BEGIN PRIVATE KEY-----\n{pem}\n{pem}\n-----END PRIVATE KEY-----\n",
        "publicKey": f"-----BEGIN EC PRIVATE KEY-----\n{pem}\n-----END EC PRIVATE KEY-----\n",
        "option": f"-Dpassword={plain}4",
        "github": token("gh" + "p_"),
        "gitlab": token("gl" + "pat-"),
        "slack": token("xo" + "xb-"),
        "aws": token("AK" + "IA").upper()[:20],
        "stripe": token("sk" + "_live_"),
        "google": token("AI" + "za", 35),
        "npm": token("np" + "m_", 36),
        "vault": token("hv" + "s.", 24),
        "jwt": token("ey" + "JhbGciOiJIUzI1NiJ9.ey" + "Jz.", 30),
    }
    found.secrets = [texts["aws"] if each.startswith("AKIA") else each for each in found.secrets]
    listed = {
        "text": new(),
        "map": {"harmless": new(), "other": {"one": new()}},
        "list": [new(), {"name": new()}],
    }
    readable = {"secretName": "readable-one", "tokenTTL": "readable-two", "publicKey": "readable-three"}
    found.values = {"canary": {**values, "texts": texts, "listed": listed, "readable": readable}}
    return found


def spelled(text: str) -> dict[str, str]:
    """Return a text in ten encodings and more, as another program may print it."""
    data = text.encode()
    inside = base64.b64encode(b"u:" + data + b":e").decode()
    return {
        "raw": text,
        "json": json.dumps(text),
        "json-in-json": json.dumps(json.dumps({"x": text})),
        "yaml": yaml.dump({"x": text}, width=30),
        "yaml-quoted": yaml.dump({"x": text}, default_style='"', width=30),
        "url": quote(text, safe=""),
        "hex": data.hex(),
        "HEX": data.hex().upper(),
        "base64": base64.b64encode(data).decode(),
        "base64url": base64.urlsafe_b64encode(data).decode().rstrip("="),
        "base64-one": base64.b64encode(b"x" + data).decode(),
        "base64-two": base64.b64encode(b"xy" + data + b"z").decode(),
        "wrapped": "\n".join(textwrap.wrap(inside, 20)),
    }


def hits(text: str, secrets: list[str]) -> Iterator[str]:
    """Yield which secrets a text shows, in which encoding; written apart from the filter that it tests."""
    joined = re.sub(r"(?:\\{1,2}[nr]|\s)+[+~|#-]?\s*", "", text)
    for secret in secrets:
        data, core = secret.encode(), secret.split("/")[0].encode()
        for name, needle in {
            "raw": core.decode(),
            "hex": core.hex(),
            "HEX": core.hex().upper(),
            **{f"base64+{shift}": _core(core, shift) for shift in range(3)},
            "json": json.dumps(secret)[1:-1],
            "url": quote(secret, safe=""),
            "base64": base64.b64encode(data).decode().rstrip("="),
        }.items():
            if needle in text or needle in joined:
                yield f"{secret}: {name}"


def _core(data: bytes, shift: int) -> str:
    text = base64.urlsafe_b64encode(bytes(shift) + data).decode().rstrip("=")
    return text[(0, 2, 3)[shift] : len(text) - 1]
