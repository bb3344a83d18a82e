"""A helm that does not always do what it says: `MESH_HELM` names a script that runs this.

`CHAOS_HELM` is the real helm, `CHAOS_HOW` what an upgrade does: fails, fails-after, dies-after, hangs, noise.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

HANG = 20.0


def main() -> int:
    """Run helm, and spoil it."""
    how, helm = os.environ["CHAOS_HOW"], os.environ["CHAOS_HELM"]
    if "upgrade" not in sys.argv[1:2]:
        os.execv(helm, [helm, *sys.argv[1:]])
    if how == "fails":
        sys.stderr.write("Error: it does not work today\n")
        return 1
    if how == "hangs":
        time.sleep(HANG)
    done = subprocess.run([helm, *sys.argv[1:]], check=False, stdout=subprocess.PIPE)
    if how == "dies-after":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "noise":
        sys.stdout.buffer.write(b"\xff\xfe not JSON")
    elif how != "fails-after":
        sys.stdout.buffer.write(done.stdout)
    return 1 if how == "fails-after" else done.returncode


if __name__ == "__main__":
    sys.exit(main())
