"""What child processes get of the environment."""

from __future__ import annotations

from mesh.world.child_env import child_env


def test_a_child_gets_what_it_needs_and_no_secret_of_mesh() -> None:
    needed = {
        "PATH": "/bin",
        "HOME": "/home/me",
        "LC_ALL": "C",
        "KUBECONFIG": "/kube",
        "https_proxy": "http://p:1",
        "NO_PROXY": "a",
        "AWS_PROFILE": "prod",
        "GOOGLE_APPLICATION_CREDENTIALS": "/gcp.json",
        "AZURE_CLIENT_ID": "id",
    }
    others = {
        "GLOO_MESH_LICENSE_KEY": "licence",
        "MESH_CA_PASSPHRASE": "passphrase",
        "MESH_LOG": "debug",
        "GITHUB_TOKEN": "token",
        "DATABASE_URL": "postgres://a:b@c",
    }
    assert child_env({**needed, **others}) == needed


def test_a_user_names_what_a_program_needs_too() -> None:
    env = {"MESH_CHILD_ENV": "CORP_*, TOKEN", "CORP_A": "1", "TOKEN": "2", "TOKENS": "3"}
    assert child_env(env) == {"CORP_A": "1", "TOKEN": "2"}
