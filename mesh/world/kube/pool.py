"""The connections to one API server: urllib3's pool, with the TLS and proxy settings of a context."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import urllib3

from mesh.world.bounded_http import with_bounds
from mesh.world.disk.scratch import secret_path
from mesh.world.kube.auth import Login
from mesh.world.kube.error_bodies import shown
from mesh.world.kube.errors import Call, Unreachable
from mesh.world.kube.kubeconfig import Target


def open_pool(
    call: Call, target: Target, login: Login, env: Mapping[str, str], parallel: int
) -> urllib3.PoolManager:
    """Return a pool of `parallel` connections; nothing is sent yet. Raise Unreachable for bad TLS files."""
    # One host and `parallel` connections to it: as many as the semaphore of `Wire` lets through, so every
    # request finds one that is open and none is thrown away with its TLS session.
    options: dict[str, Any] = {"num_pools": 1, "maxsize": parallel}
    if target.server.startswith("https:"):
        options["ssl_context"] = tls(call, target, login)
        if target.tls_server_name:
            options["server_hostname"] = target.tls_server_name
            options["assert_hostname"] = target.tls_server_name
    proxy = target.proxy or proxy_of(target.server, env)
    return with_bounds(_manager(call, proxy, options))


def _manager(call: Call, proxy: str, options: dict[str, Any]) -> urllib3.PoolManager:
    if not proxy:
        return urllib3.PoolManager(**options)
    if proxy.startswith("socks"):
        return _socks(call, proxy, options)
    return urllib3.ProxyManager(proxy, proxy_headers=_proxy_login(proxy), **options)


def _socks(call: Call, proxy: str, options: Mapping[str, Any]) -> urllib3.PoolManager:
    try:
        from urllib3.contrib.socks import SOCKSProxyManager
    except ImportError:
        raise Unreachable(
            call, "its proxy-url is a SOCKS proxy, which needs a missing package", hint="pip install PySocks"
        ) from None
    return SOCKSProxyManager(proxy.replace("socks5:", "socks5h:"), **options)


def tls(call: Call, target: Target, login: Login) -> ssl.SSLContext:
    """Return the TLS settings of a context."""
    # Not `create_default_context`: from Python 3.13 on it sets VERIFY_X509_STRICT, which refuses the CAs of
    # many clusters (no key identifiers). Chain, name and dates are verified all the same.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        if target.insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            urllib3.disable_warnings()  # the user has consented, and would be warned at every request
        elif target.ca:
            context.load_verify_locations(cadata=target.ca.decode("ascii", "replace"))
        else:
            context.load_default_certs()
        if login.cert:
            _load_pair(context, login)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise Unreachable(
            call,
            f"the certificates of the context cannot be used: {shown(reason(error))}",
            hint="fix certificate-authority, client-certificate or client-key in the kubeconfig",
        ) from None
    return context


def _load_pair(context: ssl.SSLContext, login: Login) -> None:
    """Load the pair from a path, since OpenSSL takes it from nowhere else."""
    with secret_path(login.cert + b"\n" + login.key) as pair:
        # An encrypted key fails instead of asking on the terminal.
        context.load_cert_chain(pair, password=lambda: "")


def proxy_of(server: str, env: Mapping[str, str]) -> str:
    """Return the proxy of the environment, by the rules of Go's client: never for a loopback address."""
    url = urlsplit(server)
    host = url.hostname or ""
    name = f"{url.scheme}_proxy"
    proxy = env.get(name.upper()) or env.get(name) or ""
    if not proxy or host in ("localhost", "::1") or host.startswith("127."):
        return ""
    direct = env.get("NO_PROXY") or env.get("no_proxy") or ""
    return "" if any(_matches(host, one.strip()) for one in direct.split(",")) else proxy


def _matches(host: str, pattern: str) -> bool:
    """Whether an entry of NO_PROXY covers a host: `*`, a network, a name or the end of a name."""
    if "/" in pattern:
        import ipaddress

        try:
            return ipaddress.ip_address(host) in ipaddress.ip_network(pattern, strict=False)
        except ValueError:
            return False
    name = pattern.partition(":")[0].removeprefix("*").lstrip(".").lower()
    return pattern == "*" or (bool(name) and (host == name or host.endswith(f".{name}")))


def _proxy_login(proxy: str) -> Mapping[str, str] | None:
    auth = urllib3.util.parse_url(proxy).auth
    return urllib3.make_headers(proxy_basic_auth=auth) if auth else None


def reason(error: BaseException) -> str:
    """Return the innermost message of an error: urllib3 wraps it in the addresses of its objects."""
    inner = getattr(error, "reason", None) or error.__cause__ or error.__context__
    while isinstance(inner, BaseException):
        error, inner = inner, getattr(inner, "reason", None) or inner.__cause__ or inner.__context__
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
