"""Files from a URL or path, pinned by a digest."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from threading import Lock

from mesh.errors import MeshError, RefusedError
from mesh.model.bounded_text import Unfit
from mesh.world import trace
from mesh.world.bounded_http import body_of, bounded, with_bounds
from mesh.world.disk.input_file import read_input

LIMIT = 16 * 1024 * 1024
"""Far more than any bundle of CRDs; a larger answer is not one."""

SECONDS = 60.0


def fetch(source: str, folder: Path, *, sha256: str) -> bytes:
    """Return the bytes of a URL, a file, or the YAML files of a folder joined in name order.

    A path is relative to `folder`. Raises RefusedError if the digest is not `sha256` ("" for a
    path: any), MeshError if it cannot be read.
    """
    data = _download(source) if source.startswith(("https://", "http://")) else _read(folder / source)
    digest = hashlib.sha256(data).hexdigest()
    if sha256 and digest != sha256.removeprefix("sha256:"):
        raise RefusedError(
            f"{source} has sha256 {digest}, the configuration pins {sha256}",
            hint="if you trust the new content, set its digest in spec.gatewayAPI.sha256",
        )
    return data


def _read(path: Path) -> bytes:
    try:
        if not path.is_dir():
            return read_input(path)
        files = sorted(each for each in path.iterdir() if each.suffix in {".yaml", ".yml"})
        return b"\n---\n".join(read_input(each) for each in files if each.name != "kustomization.yaml")
    except OSError as error:
        raise MeshError(
            f"{path} cannot be read: {error.strerror or error}", hint="check spec.gatewayAPI.source"
        ) from None


def _download(url: str) -> bytes:
    import urllib3

    began = time.monotonic()
    pools = urllib3.PoolManager(retries=urllib3.Retry(3, backoff_factor=0.5), timeout=SECONDS)
    with with_bounds(pools) as pool, bounded(LIMIT, began + SECONDS):
        try:
            answer = pool.request("GET", url, preload_content=False)
            data = body_of(answer, LIMIT, Lock())
        except Unfit as error:
            raise MeshError(f"{url} cannot be used: {error}", hint="check spec.gatewayAPI.source") from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise MeshError(
                f"{url} cannot be fetched: {type(error).__name__}",
                hint="for a machine without internet set spec.gatewayAPI.source to a file or folder",
            ) from None
    trace.event(
        trace.EXEC,
        "download",
        url=url,
        status=answer.status,
        ms=trace.milliseconds(began),
        bytes=len(data),
    )
    if answer.status != 200:
        raise MeshError(f"{url} answers {answer.status}", hint="check spec.gatewayAPI.version and source")
    return data
