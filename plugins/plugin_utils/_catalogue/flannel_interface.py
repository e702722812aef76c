# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What flannel says where none of the host's interfaces is one that it may use (main.go, pkg/ipmatch/match.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import commands
from .model import Seen, Subject

if TYPE_CHECKING:
    from .._evidence.control_plane import HostLine
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

_KIND, _FLANNEL = "interface", "flannel"


def lines_of(node: Node) -> list[HostLine]:
    """Return the lines in which a node's flannel says so; it ends then."""
    return [line for line in node.control.lines(_KIND) if line.component == _FLANNEL]


def flannel_finds_none(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Flannel finds no interface that fits what it is told to look for, or none with an address."""
    lines = lines_of(subject.node) if subject.node else []
    return [Seen(subject.nodes[0], "kube-flannel log", line.text, line.at) for line in lines[:2]]


def it_is_over(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Flannel's log goes on for minutes without saying so again, and each of its starts would."""
    lines = lines_of(subject.node) if subject.node else []
    if not all(line.quiet for line in lines):
        return []
    return [Seen(subject.nodes[0], "kube-flannel log", f"{line.quiet // 60} min", line.at) for line in lines[:1]]


def commands_for(subject: Subject) -> list[str]:
    """Commands that show what flannel is told, and what there is."""
    told = "kubectl -n kube-system get configmap canal-config -o jsonpath='{.data.canal_iface}'"
    return [
        f"{commands.on_node(subject.nodes[0], 'ip -brief address')}   # which interface has the node's address?",
        f"{told}   # in RKE2 rke2-canal-config; flannel alone: --iface in its DaemonSet",
    ]
