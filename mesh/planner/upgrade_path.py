"""Over several minor versions of Istio: the versions to apply one after another; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mesh.istio.addresses import is_component
from mesh.istio.versions import Version
from mesh.model import Found, Key, Live
from mesh.model.spec import Mesh


def way(mesh: Mesh, found: Mapping[Key, Found]) -> tuple[str, ...]:
    """The versions to apply in this order; the last is that of the file.

    A version of `spec.istio.through` is on the way if some release of Istio is older than its minor version.
    """
    oldest = min(_installed(found), default=None)
    if oldest is None:
        return (mesh.version,)
    return (*(each for each in mesh.through if _line(each) > oldest.line), mesh.version)


def _installed(found: Mapping[Key, Found]) -> Iterable[Version]:
    for key, live in found.items():
        if is_component(key) and isinstance(live, Live):
            version = Version.parse(str(live.attrs.get("version", "")))
            if version is not None:
                yield version


def _line(text: str) -> tuple[int, int]:
    version = Version.parse(text)
    assert version is not None, "the file was read"
    return version.line
