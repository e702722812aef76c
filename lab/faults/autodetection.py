# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's autodetection takes a wrong address when calico-node starts, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import birdc, waiting
from ..bird_config import mesh_name
from . import cluster, pairs
from .model import Case, Fault, Variant, listener

if TYPE_CHECKING:
    from ..machine import Machine

_SECOND, _BRIDGE = "second-nic", "bridge"
_NIC, _LXD = "eth1", "lxdbr0"
_VMAC = "vrrp.51"
_VIP_HOST = 240
_HERE, _MOVED = "here", "moved"
_HOLDER = "/run/keepalived"
_METHOD = "interface=^ens.*"


def _storage(case: Case) -> str:
    return f"192.168.77.{case.node.number + 8}"


def _vip(case: Case) -> str:
    return case.node.subnet.host(_VIP_HOST)


def _other_interface(case: Case) -> None:
    """An interface that is younger than eth0: first-found looks at it first."""
    if case.variant == _BRIDGE:
        case.run(["ip", "link", "add", _LXD, "type", "bridge"])
        case.run(["ip", "address", "add", "10.163.204.1/24", "dev", _LXD])
        case.run(["ip", "link", "set", _LXD, "up"])
    else:
        case.run(["ip", "link", "add", _NIC, "link", "eth0", "type", "macvlan", "mode", "bridge"])
        case.run(["ip", "address", "add", f"{_storage(case)}/24", "brd", "+", "dev", _NIC])
        case.run(["ip", "link", "set", _NIC, "up"])
    cluster.restart_pod(case)


def _chosen(case: Case) -> str:
    return "10.163.204.1" if case.variant == _BRIDGE else _storage(case)


def _no_other_interface(case: Case) -> None:
    case.try_run(["ip", "link", "del", _LXD if case.variant == _BRIDGE else _NIC])
    cluster.restart_pod(case)


def _not_chosen(case: Case, address: str) -> str:
    stored = registered(case)
    if stored.partition("/")[0] != address:
        return f"{case.target} is registered with {stored}"
    for peer in case.peers:
        try:
            if mesh_name(address) not in birdc.sessions(case.lab.machine(peer.name)):
                return f"{peer.name} does not know of {address} yet"
        except birdc.BirdError as error:
            return f"{peer.name}: {error}"
    return cluster.pod_missing(case)


def registered(case: Case) -> str:
    """The address with prefix length that Calico has on record for the target, "" for none."""
    annotations = case.lab.api().get(cluster.node(case.target))["metadata"].get("annotations") or {}
    return str(annotations.get("projectcalico.org/IPv4Address", ""))


def _not_wrong(case: Case) -> str:
    return _not_chosen(case, _chosen(case)) or pairs.not_down(case, pairs.between(case.node, case.peers))


def _float(case: Case) -> None:
    """As keepalived does it with use_vmac: an interface of its own, which is younger than eth0.

    The process is a stand-in that only has keepalived's name; nothing but the injection moves the address.
    """
    for machine in _holders(case):
        case.run(["sh", "-c", f"cp /usr/bin/sleep {_HOLDER} && setsid {_HOLDER} infinity >/dev/null 2>&1 &"], machine)
    _hold(case, case.machine)
    cluster.restart_pod(case)
    if case.variant == _MOVED:
        waiting.until(lambda: _not_chosen(case, _vip(case)), f"{case.target} to be registered with it", 30)
        case.run(["ip", "link", "del", _VMAC])
        _hold(case, _holders(case)[1])
        pairs.forget_neighbour(case.lab, _vip(case))
        pairs.nudge(case.lab)


def _holders(case: Case) -> list[Machine]:
    """The machines between which the address moves."""
    same = [peer for peer in case.peers if peer.subnet == case.node.subnet]
    return [case.machine, case.lab.machine(same[0].name)]


def _hold(case: Case, machine: Machine) -> None:
    case.run(["ip", "link", "add", _VMAC, "link", "eth0", "type", "macvlan", "mode", "bridge"], machine)
    case.run(["ip", "address", "add", f"{_vip(case)}/32", "dev", _VMAC], machine)
    case.run(["ip", "link", "set", _VMAC, "up"], machine)


def _sink(case: Case) -> None:
    for machine in _holders(case):
        case.try_run(["sh", "-c", f"kill $(pidof {_HOLDER}); rm -f {_HOLDER}"], machine)
        case.try_run(["ip", "link", "del", _VMAC], machine)
    pairs.forget_neighbour(case.lab, _vip(case))
    cluster.restart_pod(case)


def _not_floating(case: Case) -> str:
    words = _not_chosen(case, _vip(case))
    if words or case.variant == _HERE:
        return words
    return pairs.not_down(case, pairs.between(case.node, case.peers))


def _ask_for_another(case: Case) -> None:
    cluster.set_variables(case, IP_AUTODETECTION_METHOD=_METHOD)
    cluster.restart_pod(case)


def _ask_as_before(case: Case) -> None:
    cluster.undo(case)
    cluster.restart_pod(case)


def not_crashed(case: Case) -> str:
    """Words while calico-node has not ended over it."""
    pod = cluster.calico_pods(case.lab).get(case.target)
    states = ((pod or {}).get("status") or {}).get("containerStatuses") or [{}]
    reason = ((states[0].get("state") or {}).get("waiting") or {}).get("reason", "")
    return "" if reason == "CrashLoopBackOff" else f"calico-node on {case.target} has not ended"


def _drop_ipv4(case: Case) -> None:
    own = f"{case.node.address}/{case.node.subnet.prefix_length}"
    case.run(["ip", "-6", "address", "replace", f"fd00:77::{case.node.number}/64", "dev", "eth0", "nodad"])
    case.run(["ip", "address", "del", own, "dev", "eth0"])
    cluster.annotate(case, case.target, IPv4Address=None)
    cluster.restart_pod(case)


def _give_ipv4(case: Case) -> None:
    own = f"{case.node.address}/{case.node.subnet.prefix_length}"
    case.try_run(["ip", "-6", "address", "del", f"fd00:77::{case.node.number}/64", "dev", "eth0"])
    case.try_run(["ip", "address", "replace", own, "brd", "+", "dev", "eth0"])
    case.try_run(["ip", "route", "replace", "default", "via", case.node.subnet.gateway, "dev", "eth0"])
    cluster.undo(case)
    cluster.restart_pod(case)


WRONG = Fault(
    id="wrong_ip_autodetection",
    description="calico-node starts on a node that has got another interface, and takes that one's address",
    inject=_other_interface,
    heal=_no_other_interface,
    missing=_not_wrong,
    default=listener,
    variants=(
        Variant(_SECOND, "a second network card, to the storage"),
        Variant(_BRIDGE, "a bridge of LXD"),
    ),
)

VIP = Fault(
    id="vip_chosen_as_node_ip",
    description="calico-node starts on the node that holds keepalived's address, and takes that",
    inject=_float,
    heal=_sink,
    missing=_not_floating,
    default=listener,
    variants=(
        Variant(_HERE, "a /32 on an interface of its own"),
        Variant(_MOVED, "the address has moved to another host since"),
    ),
    least_nodes=3,
)

FOUND_NOTHING = Fault(
    id="autodetection_found_nothing",
    description="calico-node starts on a node where no interface fits its method of autodetection, and ends",
    inject=_ask_for_another,
    heal=_ask_as_before,
    missing=not_crashed,
    default=listener,
    variants=(Variant("interface", f"the method is {_METHOD}"),),
)

NO_IPV4 = Fault(
    id="ipv4_missing_on_host",
    description="the host has lost its IPv4 address and keeps one of IPv6; calico-node starts and ends",
    inject=_drop_ipv4,
    heal=_give_ipv4,
    missing=not_crashed,
    default=listener,
    variants=(Variant("ipv6-only", "eth0 has IPv6 only"),),
)
