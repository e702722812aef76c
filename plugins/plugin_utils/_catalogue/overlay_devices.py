# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of a tunnel device that is not there, does not work, or is made otherwise than those of the other nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._overlay.compare import overlays
from . import agent_pod, commands, words
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.control_plane import HostLine
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node
    from .._evidence.overlay_facts import Trouble

IPIP, FLANNEL = "tunl0", "flannel"
_IN_VAIN = (
    *("Failed to set tunnel device", "Failed to set tunnel MTU", "Failed to add IPIP tunnel device"),
    *("Failed configure IPIP tunnel device", "Failed configure tunnel device", "Failed to configure tunnel device"),
    *("Failed to configure VXLAN tunnel device", "Failed configure VXLAN tunnel device"),
    "Failed to create VXLAN device",
)
_DEVICES = (("vxlan", "vxlan.calico"), ("wireguard", "wireguard.cali"))
_AGAIN = 3
_SAID = {
    "missing": "is missing",
    "down": "is down",
    "no_address": "has no address",
    "local_not_here": "sends from an address that this host does not have",
}


def devices_in_trouble(evidence: Evidence) -> Iterator[Subject]:
    """Each node with a tunnel device that is needed there and does not work, or that is made otherwise than others."""
    for node in evidence.nodes.values():
        for trouble in node.overlay.troubles:
            if trouble.problem in _SAID:
                where = {"node": node.name, "interface": trouble.name, "problem": _SAID[trouble.problem]}
                yield Subject((node.name,), (), where, node, trouble)
        told = _not_set_up(node)
        if told is not None and not node.overlay.troubles and not node.own.of_family("ipv4"):
            where = {"node": node.name, "interface": _device(told), "problem": "cannot be set up"}
            yield Subject((node.name,), (), where, node, told)
    for overlay in overlays(evidence):
        for name, how in overlay.odd.items():
            where = {"node": name, "interface": overlay.device, "problem": how}
            yield Subject((name,), (), where, evidence.nodes.get(name), how)


def _not_set_up(node: Node) -> HostLine | None:
    """What Felix says again and again of a device that it wants: it tries once in a second."""
    lines = [line for line in node.control.lines("tunnel") if any(words_ in line.text for words_ in _IN_VAIN)]
    return next((line for line in lines if line.count >= _AGAIN), None)


def _device(line: HostLine) -> str:
    return next((device for words_, device in _DEVICES if words_ in f"{line.text} {line.component}".lower()), IPIP)


def _trouble(subject: Subject) -> Trouble | None:
    return subject.about if hasattr(subject.about, "problem") else None


def felix_tries_in_vain(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Felix says again and again that it cannot set the device up, and nothing shows the device."""
    line = _not_set_up(subject.node) if subject.node and _trouble(subject) is None else None
    told = line is not None and subject.where.get("problem") == "cannot be set up"
    return [Seen(subject.nodes[0], "felix log", f"{line.text} ({line.count} times)", line.at)] if told and line else []


def device_does_not_work(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A tunnel device that this node needs is absent, down, without an address, or sends from an address that is not
    here.
    """
    trouble = _trouble(subject)
    if trouble is None:
        return []
    told = f"{trouble.name} {_SAID[trouble.problem]}"
    local = f": {trouble.local}" if trouble.local else ""
    return [Seen(subject.nodes[0], "tunnels", f"{told}{local} ({trouble.needed or 'it is there'})")]


def others_have_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The other nodes have this device, and it works."""
    name = str(subject.where["interface"])
    fine = [
        node.name
        for node in evidence.nodes.values()
        if node.name not in subject.nodes
        and name in node.overlay.devices
        and not any(one.name == name and one.problem in _SAID for one in node.overlay.troubles)
    ]
    return [Seen(fine[0], "tunnels", f"{name} works on {words.listed(fine)}")] if fine else []


def device_is_made_otherwise(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The VXLAN device has another network identifier or UDP port than the other nodes' devices: they do not
    understand each other.
    """
    return [Seen(subject.nodes[0], "tunnels", subject.about)] if isinstance(subject.about, str) else []


def echoes_are_lost(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Echoes to or from this node by way of the overlay get no answer."""
    name = subject.nodes[0]
    lost = [
        silence
        for overlay in overlays(evidence)
        if overlay.device == subject.where["interface"]
        for silence in overlay.silent
        if name in (silence.at, silence.to)
    ]
    return [Seen(one.at, "echo", f"to {one.to} by way of the overlay: no answer") for one in lost[:3]]


def echoes_pass(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Echoes that this node sends through the device are answered."""
    device = str(subject.where["interface"])
    if subject.node is None:
        return []
    answered = [one for one, result in subject.node.overlay.echoes.get(device, {}).items() if result == "answered"]
    return [Seen(subject.nodes[0], "echo", f"{words.listed(answered)} answered through {device}")] if answered else []


def _summary(evidence: Evidence, subject: Subject) -> str:
    name, device = subject.nodes[0], subject.where["interface"]
    if isinstance(subject.about, str):
        return f"The tunnel of {name} is made otherwise than the others': {subject.about}."
    if device == IPIP:
        follows = "pods' packets leave without encapsulation, and the network between the nodes may not carry them"
    else:
        follows = "its pods and those of other nodes do not reach each other"
    return f"{device} {subject.where['problem']} on {name}: {follows}."


def _commands(evidence: Evidence, subject: Subject) -> list[str]:
    name, device = subject.nodes[0], commands.word(subject.where["interface"], "DEVICE")
    lines = [commands.on_node(name, f"ip -d address show dev {device}")]
    if subject.where.get("problem") == _SAID["down"]:
        lines.append(commands.on_node(name, f"sudo ip link set {device} up"))
    kind = "ipip" if device == IPIP else "wireguard" if device.startswith(("wireguard", "wg-")) else "vxlan"
    lines.append(commands.on_node(name, f"sudo modprobe {kind}"))
    container = agent_pod.FLANNEL if device.startswith(FLANNEL) else agent_pod.AGENT
    return [
        *lines,
        f"{agent_pod.logs(evidence, name, '--tail=50', container)}   # why it could not make the device",
        f"{agent_pod.delete(evidence, name, container)}   # it makes the device anew when it starts",
    ]


TUNNEL_DEVICE_MISSING = Fault(
    id="tunnel_device_missing",
    family="encapsulation",
    title="A tunnel device is missing or does not work",
    severity="critical",
    role="cause",
    means=(
        "Packets between pods of different nodes travel through a tunnel device (tunl0, vxlan.calico, flannel.1, "
        "wireguard.cali). Without it, or if it is down, has no address or is not made as the other nodes' is, they are "
        "lost, whatever BGP and routes say."
    ),
    subjects=devices_in_trouble,
    signals=(
        Signal(device_does_not_work, DECISIVE, required=True),
        Signal(device_is_made_otherwise, STRONG, required=True),
        Signal(felix_tries_in_vain, STRONG, required=True),
        Signal(others_have_it, MODERATE),
        Signal(echoes_are_lost, STRONG),
        Signal(echoes_pass, -STRONG - WEAK),
    ),
    summary=_summary,
    fix=Fix(
        action="restore_tunnel_device",
        text=(
            "Find out who took the device away (another network plugin with the same VNI, a network manager, a kernel "
            "without the module), then restart calico-node, or flannel, on this node: it makes the device anew."
        ),
        risk="medium",
        disrupts="traffic between this node's pods and others', which is broken already",
        commands=_commands,
    ),
    verify="The device is up with its address, and an echo to another node's tunnel address is answered.",
    lookalikes=(
        Lookalike("routes_missing", "the device works, and routes or forwarding entries are missing"),
        Lookalike("vxlan_udp_blocked", "the device works, and its packets are dropped on their way"),
        Lookalike("kernel_module_missing", "the kernel cannot make such a device at all"),
    ),
    explains=("routes_missing", "vxlan_udp_blocked"),
)

FAULTS = (TUNNEL_DEVICE_MISSING,)
