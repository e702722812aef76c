# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether calico-node's pods run as their DaemonSet says by now."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .._catalogue import words
from .._cluster import effective, objects
from .._evidence import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._cluster.model import Cluster, Workload
    from .model import Given

ON_DELETE = "OnDelete"
_LEAST, _SPARE, _FOR_A_POD = 300, 60, 60
_LONGEST = 6


def seen(given: Given) -> Cluster | None:
    """What the API told since the change, by the option `seen`; None if there is no such option."""
    told: Any = given.options.get("seen")
    return None if told is None else objects.read(plain.mapping(told))


def after(cluster: Cluster, *, by_operator: bool) -> int:
    """The least generation that the DaemonSet has when a change has come to it, 0 if it is made there itself."""
    agent = effective.agent(cluster)
    return (agent.generation or 0) + 1 if by_operator and agent is not None else 0


def waits(now: Cluster, before: Cluster | None, generation: int = 0) -> Iterator[str]:
    """What is still to come, in sentences; nothing where every pod is new, and no fewer are ready than before.

    generation: the least one that the DaemonSet must have, see after().
    """
    agent = effective.agent(now)
    if not now.reached or agent is None:
        yield f"the API does not tell of calico-node: {now.why or 'no DaemonSet'}"
        return
    wanted, updated, ready = agent.desired or 0, agent.updated or 0, agent.ready or 0
    if agent.strategy == ON_DELETE:
        return
    if (agent.generation or 0) < generation:
        yield f"the operator has not changed DaemonSet {agent.name} yet"
    elif (agent.observed_generation or 0) < (agent.generation or 0):
        yield f"DaemonSet {agent.name} was not looked at by its controller yet"
    elif updated < wanted:
        yield f"DaemonSet {agent.name} has {words.plural(wanted - updated, 'pod')} still to make anew"
    earlier = effective.agent(before) if before is not None else None
    least = min(wanted, earlier.ready or 0) if earlier is not None else wanted
    if ready < least:
        yield f"DaemonSet {agent.name} has {ready} ready pods, and had {least} before"


def seconds(cluster: Cluster | None) -> int:
    """How long a DaemonSet may take to make all pods of calico-node anew, as many at a time as it says."""
    agent = effective.agent(cluster) if cluster is not None else None
    if agent is None:
        return _LEAST
    return max(_LEAST, _SPARE + _FOR_A_POD * math.ceil((agent.desired or 0) / _at_once(agent)))


def _at_once(agent: Workload) -> int:
    """How many pods may be missing at a time."""
    digits = agent.max_unavailable.removesuffix("%")
    if not digits.isascii() or not digits.isdigit() or len(digits) > _LONGEST:
        return 1
    share = agent.max_unavailable != digits
    return max(1, math.ceil((agent.desired or 0) * int(digits) / 100) if share else int(digits))
