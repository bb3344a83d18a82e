"""No two clusters of a machine share an address block or a port."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from mesh.errors import LabError
from mesh.lab import addresses


def folder(tmp_path: Path, name: str) -> Path:
    path = tmp_path / name
    path.mkdir()
    return path


def test_two_labs_get_different_blocks(tmp_path: Path) -> None:
    one, other = folder(tmp_path, "one"), folder(tmp_path, "other")
    assert addresses.claim(tmp_path, one, 2) == (0, 1)
    assert addresses.claim(tmp_path, other, 2) == (2, 3)


def test_a_released_block_is_given_again(tmp_path: Path) -> None:
    one, other = folder(tmp_path, "one"), folder(tmp_path, "other")
    addresses.claim(tmp_path, one, 1)
    addresses.claim(tmp_path, other, 1)
    addresses.release(tmp_path, one)
    assert addresses.claim(tmp_path, other, 1) == (0,)


def test_a_lab_whose_folder_is_gone_holds_nothing(tmp_path: Path) -> None:
    gone = folder(tmp_path, "gone")
    addresses.claim(tmp_path, gone, 3)
    gone.rmdir()
    assert addresses.claim(tmp_path, folder(tmp_path, "one"), 1) == (0,)


def test_when_all_blocks_are_taken_nothing_is_claimed(tmp_path: Path) -> None:
    one = folder(tmp_path, "one")
    addresses.claim(tmp_path, one, 63)
    with pytest.raises(LabError, match="2 clusters do not fit: only 1 of 64"):
        addresses.claim(tmp_path, one, 2)
    assert addresses.claim(tmp_path, one, 1) == (63,)


def test_a_port_in_use_is_not_chosen() -> None:
    block = 63
    first = addresses.FIRST_PORT + block * addresses.PORTS
    with socket.create_server(("127.0.0.1", 0)):
        others = range(first + 1, first + addresses.PORTS)
        assert addresses.free_port(block, taken=others) == first
    with socket.create_server(("127.0.0.1", first)), pytest.raises(LabError, match="no free port"):
        addresses.free_port(block, taken=others)


def test_the_ranges_of_all_blocks_are_disjoint() -> None:
    services = {addresses.service_cidr(block) for block in range(addresses.BLOCKS)}
    pods = {addresses.pod_cidr(block, 1) for block in range(addresses.BLOCKS)}
    nodes = {addresses.node_ip(block, 1) for block in range(addresses.BLOCKS)}
    assert len(services | pods | nodes) == 3 * addresses.BLOCKS
