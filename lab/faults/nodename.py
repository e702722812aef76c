# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""calico-node on a node goes by another name than that of its Node, and ends over it.

Nobody tells it its name any more: the DaemonSet has lost NODENAME. Only the node's own pod is made anew.
"""

from __future__ import annotations

from ..controller.hosts import NODENAME
from . import autodetection, cluster, pairs
from .model import Case, Fault, Variant, listener

_HOSTNAME, _CLONED = "hostname", "cloned"


def longer_name(name: str) -> str:
    """What the host calls itself, where Kubernetes knows it by its short name."""
    return f"{name}.rack-7.example.net"


def _model(case: Case) -> str:
    """The node of whose disk the target's was made."""
    return case.peers[-1].name


def _rename(case: Case) -> None:
    cluster.set_variables(case, NODENAME="")
    if case.variant == _HOSTNAME:
        case.run(["hostname", longer_name(case.target)])
        case.run(["rm", "-f", NODENAME])
    else:
        case.machine.file(NODENAME).write_text(_model(case), encoding="utf-8")
    cluster.restart_pod(case)


def _name_back(case: Case) -> None:
    case.try_run(["hostname", case.target])
    if case.machine.running:
        case.machine.file(NODENAME).write_text(case.target, encoding="utf-8")
    cluster.undo(case)
    cluster.restart_pod(case)


def _not_apart(case: Case) -> str:
    return autodetection.not_crashed(case) or pairs.not_down(case, pairs.between(case.node, case.peers))


MISMATCH = Fault(
    id="nodename_mismatch",
    description="calico-node is not told its node's name, takes another one and ends",
    inject=_rename,
    heal=_name_back,
    missing=_not_apart,
    default=listener,
    variants=(
        Variant(_HOSTNAME, "it takes the host's own name, of which there is no Node"),
        Variant(_CLONED, "it takes the name in /var/lib/calico/nodename, which came with another node's disk"),
    ),
)
