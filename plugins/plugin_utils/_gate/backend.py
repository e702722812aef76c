# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which networking backend the cluster is told to use, by its objects: bird, vxlan, none, or '' where nothing tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .._cluster import effective, flavour

if TYPE_CHECKING:
    from .._cluster.model import Cluster, Workload

WITHOUT_BIRD = ("vxlan", "none")


class Told(NamedTuple):
    """The backend, and what tells it."""

    backend: str
    why: str


def told(cluster: Cluster) -> Told:
    """The backend by the cluster's objects as a whole."""
    backend, place = flavour.told_backend(cluster)
    return Told("", "") if backend == flavour.UNKNOWN else Told(backend, f"the backend is {backend} ({place})")


def of_agent(cluster: Cluster, agent: Workload) -> Told:
    """The backend that one DaemonSet tells its pods. Any word but vxlan and none means BIRD, as does none at all."""
    found = effective.variable(cluster, agent, flavour.VARIABLE)
    container = effective.container(agent)
    if not found.known or container is None or not (found.value or container.env):
        return Told("", "")
    backend = found.value if found.value in WITHOUT_BIRD else "bird"
    says = f"{flavour.VARIABLE}: {found.value}" if found.value else f"no {flavour.VARIABLE}, so it is bird"
    return Told(backend, f"{found.place} says {says}")
