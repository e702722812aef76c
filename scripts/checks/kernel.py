# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that make namespaces and run the real programs, inside a throw-away copy of a lab node's root file system.

So BIRD, the firewalls and chronyd need not be installed on this machine, and nothing on it is touched: the tests have
their own network, mount, pid, UTS and IPC namespaces, and what they write goes to a tmpfs that ends with them. The
project is seen at its usual path; Python is the image's own, pytest comes from the virtual environment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab import image
from scripts import lab_setup
from scripts.checks.outcome import Outcome, skipped
from scripts.checks.units import pytest
from scripts.environment import collection_tree
from scripts.paths import BUILD, ROOT, VENV

if TYPE_CHECKING:
    from collections.abc import Sequence

TESTS = "tests/kernel"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NAMESPACES = ["unshare", "--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child"]

# The shell stays as the namespace's first process, because somebody must reap what daemons leave behind.
# $1 the image, $2 an empty folder to mount on, $3 the project, $4 PYTHONPATH, $5 PATH; then the command.
ENTER = """
set -e
image=$1 work=$2 project=$3 pythonpath=$4 path=$5
shift 5
mount -t tmpfs -o mode=0755 tmpfs "$work"
mkdir "$work/upper" "$work/work" "$work/root"
mount -t overlay -o "lowerdir=$image,upperdir=$work/upper,workdir=$work/work" overlay "$work/root"
root=$work/root
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=0755 tmpfs "$root/run"
mkdir -p "$root$project"
mount --bind "$project" "$root$project"
chroot "$root" ip link set lo up
chroot "$root" env -i PATH="$path" HOME=/root LC_ALL=C.UTF-8 PYTHONPATH="$pythonpath" PYTHONDONTWRITEBYTECODE=1 \
  sh -c 'cd "$1" && shift && exec "$@"' sh "$project" "$@"
"""


def kernel(paths: Sequence[str]) -> Outcome:
    """Run the tests under tests/kernel, or those given, in a copy of a node."""
    if not (ROOT / TESTS).is_dir() and not paths:
        return skipped("kernel", "there are no such tests")
    problem = lab_setup.why_not()
    if problem:
        return skipped("kernel tests", problem)
    arguments = ["-p", "no:cacheprovider", *(paths or [TESTS])]
    return pytest("kernel", "/usr/bin/python3", arguments, prefix=inside_a_node())


def inside_a_node() -> list[str]:
    """The words to put before a command so that it runs inside a throw-away copy of a node."""
    site_packages = next((VENV / "lib").glob("python3.*/site-packages"))
    mount_point = BUILD / "mnt"
    mount_point.mkdir(parents=True, exist_ok=True)
    values = [image.directory(), mount_point, ROOT, f"{collection_tree()}:{site_packages}", PATH]
    return [*NAMESPACES, "sh", "-c", ENTER, "sh", *map(str, values)]
