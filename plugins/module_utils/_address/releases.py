# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Calico's releases do differently when they look for a node's address or a host's MTU.

Found by comparing the sources of all releases from 3.20 to 3.32 (node/pkg/lifecycle/startup/autodetection and
felix/dataplane/linux/int_dataplane.go).
"""

from __future__ import annotations

from .._record import NamedTuple

_OLD = ("docker", "cbr", "dummy", "virbr", "lxcbr", "veth", "lo", "cali", "tunl", "flannel", "kube-ipvs", "cni")
_TUNNELS = ("vxlan.calico", "vxlan-v6.calico", "wireguard.cali", "wg-v6.cali")
_DNS = ("nodelocaldns",)
_BRIDGES = ("podman", "br-")
NEWEST = (3, 32, 0)
# One release of each kind older than the newest one.
DIFFERENT = ((3, 31, 0), (3, 24, 6), (3, 24, 4), (3, 24, 3), (3, 24, 0), (3, 20, 0))


class Rules(NamedTuple):
    """One release's ways.

    `excluded` are the beginnings of interface names that first-found leaves out, or, if not `anchored`, what may stand
    anywhere in them. `keeps_far_prefix`: an address with a far end (point-to-point) has the far end's prefix length,
    not 32 or 128. `masks_internal_ip`: kubernetes-internal-ip stores the subnet's address instead of the node's.
    `mtu_letters`: the kinds of predictable names (enp3s0: p) that count as hardware for the MTU; `mtu_needs_up`: only
    interfaces that run count there.
    """

    excluded: tuple[str, ...]
    anchored: bool
    keeps_far_prefix: bool
    masks_internal_ip: bool
    mtu_letters: str
    mtu_needs_up: bool

    def excludes(self, name: str) -> bool:
        """Say whether first-found leaves out an interface of this name."""
        if self.anchored:
            return name.startswith(self.excluded)
        return any(part in name for part in self.excluded)


def parse_version(text: str) -> tuple[int, int, int] | None:
    """Return (3, 28, 1) from 'v3.28.1', 'v3.28.1-eks-1' or '3.28'; None if it is no version."""
    parts = text.strip().lstrip("v").split(".")
    numbers = []
    for part in parts[:3]:
        digits = part[: len(part) - len(part.lstrip("0123456789"))][:6]
        if not digits:
            break
        numbers.append(int(digits))
    if len(numbers) < 2:
        return None
    return numbers[0], numbers[1], numbers[2] if len(numbers) > 2 else 0


def rules(version: tuple[int, int, int] | None) -> Rules:
    """Return the ways of one release; those of the newest known one for None."""
    release = version or NEWEST
    minor = release[:2]
    return Rules(
        excluded=_excluded(release),
        anchored=release >= (3, 25, 0) or (3, 23, 4) <= release < (3, 24, 0) or (3, 24, 3) <= release < (3, 25, 0),
        keeps_far_prefix=release < (3, 32, 0),
        masks_internal_ip=not ((3, 22, 4) <= release < (3, 23, 0) or release >= (3, 23, 2)),
        mtu_letters="opsx" if minor < (3, 25) else {25: "copsx", 26: "Pcopsx"}.get(minor[1], "Pcopsvx"),
        mtu_needs_up=release >= (3, 27, 1),
    )


def _excluded(release: tuple[int, int, int]) -> tuple[str, ...]:
    names: tuple[str, ...] = _OLD
    if release >= (3, 24, 4) or (3, 23, 5) <= release < (3, 24, 0):
        names += _TUNNELS
    if release >= (3, 24, 6):
        names += _DNS
    if release >= (3, 25, 0):
        names += _BRIDGES
    return names
