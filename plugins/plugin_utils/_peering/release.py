# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What confd of one Calico release does differently from another one, as read in its source from 3.22 to 3.34."""

from __future__ import annotations

import re
from dataclasses import dataclass

_VERSION = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?")
_NEWEST = (999, 0, 0)


@dataclass(frozen=True)
class Release:
    """A release of Calico; where it is not known, the newest is assumed."""

    number: tuple[int, int, int] = _NEWEST

    @property
    def known(self) -> bool:
        """The release was told."""
        return self.number != _NEWEST

    @property
    def name(self) -> str:
        """Such as "Calico 3.28.1"."""
        return "Calico " + ".".join(map(str, self.number)) if self.known else "the newest Calico"

    @property
    def global_waits(self) -> bool:
        """A Global_ protocol to a Calico node waits if the node's address is the greater string."""
        return self.number >= (3, 23, 0)

    @property
    def mesh_password(self) -> bool:
        """BGPConfiguration knows nodeMeshPassword."""
        return self.number >= (3, 23, 0)

    @property
    def reverses_own_family(self) -> bool:
        """The reverse of a BGPPeer with peerIP is made in that address's family only, before: in both."""
        return self.number >= (3, 24, 0)

    @property
    def checks_annotations(self) -> bool:
        """A cluster ID that is no IPv4 address is passed over on a Kubernetes Node, which stays in the mesh then."""
        return self.number >= (3, 24, 6) and self.number != (3, 25, 0)

    @property
    def ttl_security(self) -> bool:
        """BGPPeer knows ttlSecurity."""
        return self.number >= (3, 25, 0)

    @property
    def local_workloads(self) -> bool:
        """BGPPeer knows localWorkloadSelector."""
        return self.number >= (3, 30, 0)

    @property
    def reverse_peering(self) -> bool:
        """BGPPeer knows reversePeering."""
        return self.number >= (3, 30, 3)

    @property
    def local_as(self) -> bool:
        """BGPPeer knows localASNumber."""
        return self.number >= (3, 31, 0)

    @property
    def keepalive(self) -> bool:
        """BGPPeer knows keepaliveTime."""
        return self.number >= (3, 32, 0)

    @property
    def mesh_multihop(self) -> bool:
        """Mesh sessions between nodes of different AS need no common subnet."""
        return self.number < (3, 26, 0) or self.number >= (3, 33, 0)

    @property
    def mesh_inherits_own_as(self) -> bool:
        """A mesh peer without an AS number of its own is given the number of the rendering node, not the cluster's."""
        return self.number >= (3, 32, 0)

    @property
    def sorted_by_name(self) -> bool:
        """bird.cfg lists protocols by name; before: mesh, global peers, node peers."""
        return self.number >= (3, 32, 0)


def of(version: str) -> Release:
    """The release of "v3.28.1", or of a longer text that begins so."""
    found = _VERSION.match(version)
    if not found:
        return Release()
    major, minor, patch = (int(part or 0) for part in found.groups())
    return Release((major, minor, patch))
