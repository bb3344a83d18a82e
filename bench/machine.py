"""Describe the machine of the measurements, without names and paths."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

GIB = 1 << 30


def machine() -> str:
    """Return CPU, cores, memory, operating system and Python version in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    cores = f"{os.cpu_count()} cores"
    return f"{_processor()}, {cores}, {memory:.0f} GiB, {_system()}, Python {platform.python_version()}"


def _processor() -> str:
    if sys.platform == "darwin":
        argv = ("/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string")
        return subprocess.run(argv, capture_output=True, check=True, text=True).stdout.strip()
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _system() -> str:
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}"
    return f"{platform.freedesktop_os_release()['PRETTY_NAME']}, Linux {platform.release().partition('-')[0]}"
