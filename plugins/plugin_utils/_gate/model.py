# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the gate finds, in the order in which it looks: the machine first, Calico last."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._commonality.shared import Shared

HOST = "host_or_kubelet_down"
FLAPPING = "ready_flapping"
CNI = "cni_not_initialised"
CALICO_IS_DOWN = "calico_is_down"
DAEMONSET = "daemonset_missing"
NOT_CREATED = "pod_not_created"
NOT_SCHEDULED = "pod_not_scheduled"
INIT = "init_container_failing"
IMAGE = "image_pull"
NOT_STARTING = "container_not_starting"
CRASHING = "crash_looping"
TYPHA = "typha_not_ready"
API = "api_down"
NOT_READY = "calico_not_ready"

STEPS = (
    HOST,
    FLAPPING,
    CNI,
    CALICO_IS_DOWN,
    DAEMONSET,
    NOT_CREATED,
    NOT_SCHEDULED,
    INIT,
    IMAGE,
    NOT_STARTING,
    CRASHING,
    TYPHA,
    API,
    NOT_READY,
)
# What the kubelet and Calico say while something else is the reason.
SYMPTOMS = (CNI, CALICO_IS_DOWN, NOT_READY)


@dataclass(frozen=True)
class Wrong:
    """One thing that is wrong. kind: which form of it; says: one clause for a person, without the node's name.

    where: the object concerned, such as {"pod": "kube-system/calico-node-x", "container": "install-cni"}.
    """

    step: str
    kind: str
    says: str
    source: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Checked:
    """A node at which something is wrong, in the gate's order. node is its Kubernetes name, name the inventory's."""

    node: str
    name: str
    wrong: tuple[Wrong, ...]

    @property
    def first(self) -> Wrong:
        """The first thing that is wrong."""
        return self.wrong[0]

    @property
    def reason(self) -> Wrong:
        """The first thing that is wrong and is not merely what another one looks like from outside."""
        return next((one for one in self.wrong if one.step not in SYMPTOMS), self.wrong[0])

    def at(self, what: str) -> Wrong | None:
        """What is wrong at one step."""
        return next((one for one in self.wrong if one.step == what), None)


@dataclass(frozen=True)
class Scope:
    """The nodes at which one thing is wrong: one, few, subset or all; and therefore whom to suspect first."""

    step: str
    kind: str
    nodes: tuple[str, ...]
    of: int
    size: str
    suspects: tuple[str, ...]
    shared: tuple[Shared, ...] = ()


@dataclass(frozen=True)
class Gate:
    """The gate's result. known: API objects were at hand. nodes: those at which something is wrong, by their Kubernetes
    names; cluster: what concerns no single node; scopes: the same by what is wrong, the earliest step first."""

    known: bool
    examined: int
    nodes: Mapping[str, Checked] = field(default_factory=dict)
    cluster: tuple[Wrong, ...] = ()
    scopes: tuple[Scope, ...] = ()

    def having(self, *steps: str) -> tuple[Checked, ...]:
        """The nodes at which something is wrong at one of these steps, whatever else is."""
        return tuple(one for one in self.nodes.values() if any(found.step in steps for found in one.wrong))

    def cluster_wide(self, what: str) -> Wrong | None:
        """What is wrong with the cluster as a whole at this step."""
        return next((one for one in self.cluster if one.step == what), None)
