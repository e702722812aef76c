# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab needs of this machine, checked before anything is done: each lack is said with what helps."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from .errors import UsageError

_TOOLS = {
    "nsenter": "util-linux",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}
_IMAGE_TOOLS = {"mmdebstrap": "mmdebstrap", "unshare": "util-linux"}


def check(image_exists: bool) -> None:
    """Raise UsageError naming everything that is missing for `up`."""
    missing = [
        lack for lack in (_root(), _tools(_TOOLS if image_exists else {**_TOOLS, **_IMAGE_TOOLS}), _kernel()) if lack
    ]
    if missing:
        raise UsageError("the lab cannot run here: " + "; ".join(missing))


def check_image() -> None:
    """Raise UsageError naming everything that is missing for making the image."""
    missing = [lack for lack in (_root(), _tools(_IMAGE_TOOLS)) if lack]
    if missing:
        raise UsageError("the lab's image cannot be made here: " + "; ".join(missing))


def check_root() -> None:
    """Raise UsageError unless this is root."""
    if _root():
        raise UsageError(_root())


def _root() -> str:
    return "" if os.geteuid() == 0 else "it needs root (try sudo)"


def _tools(tools: dict[str, str]) -> str:
    absent = {tool: package for tool, package in tools.items() if shutil.which(tool) is None}
    if not absent:
        return ""
    packages = " ".join(sorted(set(absent.values())))
    return f"{', '.join(absent)} not found (apt-get install {packages})"


def _kernel() -> str:
    if not _filesystem("overlay"):
        return "the kernel has no overlay file system (modprobe overlay)"
    absent = [kind for kind in ("mnt", "pid", "net", "uts", "ipc") if not Path(f"/proc/self/ns/{kind}").exists()]
    if absent:
        return f"the kernel has no {', '.join(absent)} namespaces"
    return ""


def _filesystem(name: str) -> bool:
    def known() -> bool:
        return name in Path("/proc/filesystems").read_text(encoding="ascii").split()

    if not known() and shutil.which("modprobe") is not None:
        subprocess.run(["modprobe", name], capture_output=True, check=False)
    return known()
