# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changes between releases of Calico, so that a step over one of them is told of what it brings.

Each line was found in the sources or manifests of the releases on both sides of the change.
"""

from __future__ import annotations

from typing import NamedTuple

Release = tuple[int, int, int]


class Change(NamedTuple):
    """What is otherwise from a release on."""

    since: Release
    says: str


CHANGES = (
    Change((3, 25, 0), "first-found leaves out interfaces podman* and br-*"),
    Change((3, 27, 1), "only interfaces that are up count when Calico finds the MTU"),
    Change((3, 31, 0), "readiness messages begin with other words, birdcl moved to /bin in the image"),
    Change((3, 32, 0), "nftablesMode is Auto: Felix writes to nftables where kube-proxy does"),
    Change((3, 32, 0), "a point-to-point address counts as /32; images come from quay.io, if they did not before"),
    Change((3, 33, 0), "the image has one program, calico: probes that run /bin/calico-node fail"),
    Change(
        (3, 33, 0), "Felix, no longer BIRD, programs the routes of IPIP, unless programClusterRoutes says otherwise"
    ),
)
# The operator's minor releases by Calico's that they install.
OPERATORS = {(3, 29): (36,), (3, 30): (38,), (3, 31): (40,), (3, 32): (42,), (3, 33): (43, 44)}
ONE_PROGRAM: Release = (3, 33, 0)


def between(running: Release, target: Release) -> list[str]:
    """What a step from one release to a later one brings, the earliest change first."""
    return [f"from v{one.since[0]}.{one.since[1]} on {one.says}" for one in CHANGES if running < one.since <= target]


def skipped(running: Release, target: Release) -> list[str]:
    """The minor releases that a step passes over."""
    if running[0] != target[0]:
        return []
    return [f"v{target[0]}.{minor}" for minor in range(running[1] + 1, target[1])]
