# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's image: a Debian root file system made by mmdebstrap, kept in the user's cache and shared by all machines.

Its directory's name carries a hash of the recipe, so a changed recipe makes a new image and an old one is never half
right.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .progress import Say

SUITE = "bookworm"
PACKAGES = (
    "bird",
    "chrony",
    "ethtool",
    "iproute2",
    "ipset",
    "iptables",
    "iputils-ping",
    "kmod",
    "libfaketime",
    "netcat-openbsd",
    "nftables",
    "openssh-server",
    "procps",
    "python3",
    "runit",
    "sudo",
    "systemd",
    "tcpdump",
    "ufw",
)
# Run in the finished tree ($1). Services are the lab's to start; host keys and machine-id belong to a machine.
_FINISH = (
    'rm -rf "$1"/etc/service "$1"/etc/ssh/ssh_host_* "$1"/etc/bird/bird*.conf',
    'mkdir -p "$1"/etc/service/enabled "$1"/etc/calico "$1"/var/log/calico "$1"/root/.ssh',
    'chmod 700 "$1"/root/.ssh && rm -f "$1"/etc/machine-id "$1"/etc/resolv.conf "$1"/etc/hostname',
)
_WITHOUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
_LATEST_WORDS = 4


def cache_directory() -> Path:
    """${XDG_CACHE_HOME:-~/.cache}/netmedic-calico"""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base, "netmedic-calico")


def directory() -> Path:
    """Where the image of the present recipe is or will be."""
    recipe = "\n".join((SUITE, *PACKAGES, *_FINISH, *_WITHOUT))
    return cache_directory() / f"image-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def ensure(say: Say) -> Path:
    """The image's directory; makes it if it is not there (about 20 s, from the Debian mirror)."""
    target = directory()
    if target.is_dir():
        return target
    with _one_builder(say):
        if not target.is_dir():
            _build(target, say)
    return target


def _build(target: Path, say: Say) -> None:
    temporary = target.with_name(f".{target.name}.building")
    _discard(temporary)
    mirror = os.environ.get("NETMEDIC_LAB_MIRROR", "")
    say(f"making the lab's image with mmdebstrap from {mirror or 'the Debian mirror'}, once, about half a minute")
    argv = ["mmdebstrap", "--mode=root", "--variant=minbase", f"--include={','.join(PACKAGES)}"]
    argv += [f"--dpkgopt=path-exclude={pattern}" for pattern in _WITHOUT]
    argv += [f"--customize-hook={line}" for line in _FINISH]
    argv += [SUITE, str(temporary)] + ([mirror] if mirror else [])
    # In namespaces of its own: an aborted build leaves neither mounts nor processes.
    wrapped = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", *argv]
    words: list[str] = []
    with subprocess.Popen(
        wrapped, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as builder:
        for line in builder.stdout or ():
            words = [*words, line.strip()][-_LATEST_WORDS:]
            if line.startswith("I: ") and not line.startswith("I: running --"):
                say(f"  {line[3:].strip()}")
    if builder.returncode:
        _discard(temporary)
        raise LabError("mmdebstrap could not make the lab's image: " + " | ".join(word for word in words if word))
    temporary.rename(target)
    say(f"the image is ready: {target}")


@contextmanager
def _one_builder(say: Say) -> Iterator[None]:
    cache = cache_directory()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        lock = os.open(cache / "image.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LabError(f"the image's directory {cache} cannot be written: {error.strerror}") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is making the image; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _discard(tree: Path) -> None:
    """Remove a half-made tree, never across a mount."""
    if tree.exists():
        subprocess.run(["rm", "-rf", "--one-file-system", str(tree)], check=False)
    if tree.exists():
        raise LabError(f"the left-over of an aborted image build cannot be removed: {tree}")
