# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who makes the routes to a pool's pods: BIRD, whose routes go with its sessions, or Felix, which needs none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._cluster import flavour
from .model import Carrier

if TYPE_CHECKING:
    from .._evidence.evidence import Evidence


def carriers(evidence: Evidence) -> tuple[Carrier, ...]:
    """Every pool with who makes its routes; without the API nothing is known of pools, and () is returned.

    Where it cannot be told who does (the release is not known), BIRD is assumed: so it was up to 3.32.
    """
    cluster = evidence.cluster
    if cluster is None:
        return ()
    found = evidence.flavour
    encrypted = found.wireguard is True
    carriers_of = []
    for pool in cluster.pools:
        encapsulation = flavour.encapsulation(pool)
        kind = "wireguard" if encrypted and ":" not in pool.cidr else encapsulation
        owner = found.programs_routes.get(kind.partition("-")[0], flavour.UNKNOWN)
        assumed = owner == flavour.UNKNOWN
        carriers_of.append(Carrier(pool.name, pool.cidr, kind, flavour.BIRD if assumed else owner, assumed))
    return tuple(carriers_of)
