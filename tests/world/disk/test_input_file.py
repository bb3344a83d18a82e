"""Input files: regular files only, opened once, of bounded size."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from mesh.world.disk.input_file import leads_out, outside, read_input


def test_a_file_of_the_largest_size_is_read_and_a_larger_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 64)
    assert read_input(path, limit=64) == b"x" * 64
    with pytest.raises(OSError, match="is larger than 63 bytes"):
        read_input(path, limit=63)


@pytest.mark.parametrize(("name", "why"), [("/dev/zero", "is a device"), ("/dev/null", "is a device")])
def test_a_device_is_refused_also_behind_a_link(tmp_path: Path, name: str, why: str) -> None:
    link = tmp_path / "link"
    link.symlink_to(name)
    for each in (Path(name), link):
        with pytest.raises(OSError, match=why):
            read_input(each)


def test_a_fifo_a_socket_and_a_folder_are_refused_without_a_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError, match="is a FIFO"):
        read_input(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "sock"))
        with pytest.raises(OSError, match="is a socket"):
            read_input(tmp_path / "sock")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        read_input(tmp_path)


def test_a_file_that_does_not_exist_is_reported_as_such(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_input(tmp_path / "none")


def test_a_file_of_the_kernel_that_has_no_size_is_bounded_too() -> None:
    with pytest.raises(OSError, match="is larger than 16 bytes"):
        read_input(Path("/proc/self/status"), limit=16)


def test_links_are_resolved_before_a_path_is_compared_with_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "out").symlink_to("/etc")
    (folder / "in").symlink_to("sub")
    (folder / "round").symlink_to("round")
    assert not outside(folder / "sub" / "new", folder)
    assert not outside(folder / "in" / "new", folder)
    assert outside(folder / "out" / "passwd", folder)
    assert outside(folder / "sub" / ".." / ".." / "x", folder)
    assert outside(folder / "round", folder)
    assert leads_out(folder / "out")
    assert not leads_out(folder / "in")
