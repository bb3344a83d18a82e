"""The environment of child processes: what they need, and nothing of mesh's own secrets.

Helm, istioctl, git, credential plugins and signing commands get no licence and no passphrase. See
docs/reference/environment.md, which has this list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fnmatch import translate
from functools import cache

EXTRA = "MESH_CHILD_ENV"

NEEDED = """
PATH HOME USER LOGNAME SHELL TMPDIR TMP TEMP TZ LANG LANGUAGE LC_* TERM COLORTERM NO_COLOR
KUBECONFIG XDG_CONFIG_HOME XDG_CACHE_HOME XDG_DATA_HOME XDG_STATE_HOME XDG_RUNTIME_DIR
SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE LD_LIBRARY_PATH DYLD_LIBRARY_PATH
HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy
"""
"""What every program needs: where files are, how to talk, which certificates to trust."""

LOGIN = """
AWS_* AMAZON_* ECS_* GOOGLE_* CLOUDSDK_* GCE_* GKE_* USE_GKE_* AZURE_* AAD_* ARM_* MSI_* IDENTITY_*
KUBELOGIN_* OCI_* ALIBABA_* ALICLOUD_* DIGITALOCEAN_* LINODE_* IBMCLOUD_* OS_* HCLOUD_* TSH_* TELEPORT_*
VAULT_* STEP* ACTIONS_ID_TOKEN_REQUEST_* DOCKER_CONFIG REGISTRY_AUTH_FILE
BROWSER DISPLAY WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS SSH_AUTH_SOCK GPG_TTY
"""
"""What logs in to clouds and registries: for credential plugins, which helm and istioctl run too."""


def child_env(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a child process; MESH_CHILD_ENV names further ones, with `*` for any text."""
    passed = _passed(env.get(EXTRA, ""))
    return {name: value for name, value in env.items() if passed(name)}


@cache
def _passed(extra: str) -> Callable[[str], object]:
    """Return what tells whether a variable is passed on."""
    wanted = f"{NEEDED} {LOGIN} {extra.replace(',', ' ')}".split()
    return re.compile("|".join(map(translate, wanted))).match
