# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of an MTU that somebody set and that cannot be, or cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .._cluster import effective
from . import agent_pod, api, commands, packet_signals, path_sizes, words
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Remedy, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.control_plane import HostLine
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

# IPv4 must be able to carry 576 bytes (RFC 791), IPv6 1280 (RFC 8200); nothing carries more than 65535.
LEAST, LEAST_IPV6, MOST = 576, 1280, 65535
# Network cards go up to about 9,216 bytes; larger values only occur on loopback.
JUMBO = 9216
# Fields of FelixConfiguration with what the device adds to a packet.
_FIELDS = {"ipipMTU": 20, "vxlanMTU": 50, "vxlanMTUV6": 70, "wireguardMTU": 60, "wireguardMTUV6": 80}
_DEVICES = {"tunl0": 20, "vxlan.calico": 50, "vxlan-v6.calico": 70, "wireguard.cali": 60, "wg-v6.cali": 80}
_MAPS = ("calico-config", "canal-config", "rke2-canal-config")
# Felix' and the CNI plugin's words (felix/dataplane/linux/int_dataplane.go, route_mgr.go, cni-plugin/pkg/plugin).
_LARGER = "Configured MTU is larger than detected"
_REFUSED = ("set tunnel device MTU", "failed to set MTU", "Failed to set MTU", "read MTU file")
_ODD = ("invalid argument", "numerical result out of range", "umerical result out of range")


class Value(NamedTuple):
    """A value that somebody set: what it is for, where it stands, the text of it, what an encapsulation adds."""

    what: str
    place: str
    text: str
    overhead: int = 0
    node: str = ""

    @property
    def number(self) -> int | None:
        """It as a number; None if it is none."""
        digits = self.text.strip()
        return int(digits) if digits.isascii() and digits.lstrip("-").isdigit() and len(digits) < 10 else None


def of_objects(evidence: Evidence) -> Iterator[Value]:
    """What is set for all nodes."""
    cluster = evidence.cluster
    if cluster is None:
        return
    for field, overhead in _FIELDS.items():
        told = effective.felix(cluster, field)
        # What comes from there is looked at itself.
        if told.value and not told.place.startswith("ConfigMap "):
            yield Value(f"spec.{field}", told.place, told.value, overhead)
    for name in _MAPS:
        found = effective.config_map(cluster, name, "")
        if found is not None and found.data.get("veth_mtu"):
            yield Value("veth_mtu", f"ConfigMap {found.name}", str(found.data["veth_mtu"]))
    installed = effective.installed(cluster, "calicoNetwork", "mtu")
    if installed is not None:
        yield Value("spec.calicoNetwork.mtu", "Installation default", str(installed))


def of_node(node: Node) -> Iterator[Value]:
    """What is set on one node."""
    for device, mtu in node.sizes.given.items():
        yield Value(device, "environment of calico-node", str(mtu), _DEVICES.get(device, 0), node.name)
    if node.sizes.cni:
        yield Value(
            "mtu", node.sizes.cni_path or "CNI configuration", str(node.sizes.cni), node.sizes.overhead, node.name
        )


def by_hand(evidence: Evidence, *, nodes: bool = True) -> Iterator[Value]:
    """What somebody has set for all nodes, and on single ones; 0 leaves the choice to Felix and counts as nothing."""
    yield from (one for one in of_objects(evidence) if one.number != 0)
    for node in evidence.nodes.values() if nodes else ():
        yield from (one for one in of_node(node) if one.number != 0)


def _carries(evidence: Evidence, name: str = "") -> int | None:
    """What the node's interface carries, without a name the least of all nodes' interfaces; None if it is not known."""
    nodes = [evidence.nodes[name]] if name else list(evidence.nodes.values())
    return min((node.sizes.host for node in nodes if node.sizes.host), default=None)


def _trouble(evidence: Evidence, value: Value) -> str:
    """Why a value cannot be, or cannot be used; '' where it can. 0 leaves the choice to Felix."""
    number = value.number
    if number is None:
        return "is no number"
    if number == 0:
        return ""
    if number < 0 or number > MOST:
        return "is impossible"
    if number < LEAST:
        return f"is less than the {LEAST} bytes that IPv4 needs"
    if number < LEAST_IPV6 and ("V6" in value.what or "v6" in value.what or _pods_have_ipv6(evidence)):
        return f"is less than the {LEAST_IPV6} bytes that IPv6 needs"
    room = _carries(evidence, value.node)
    if room is not None and number > room:
        return f"is more than the {room} bytes that the interface carries"
    if room is not None and number + value.overhead > room:
        return f"and {value.overhead} bytes of encapsulation are more than the {room} bytes that the interface carries"
    return "is more than any network card carries" if number > JUMBO else ""


def _pods_have_ipv6(evidence: Evidence) -> bool:
    return evidence.cluster is not None and any(":" in pool.cidr for pool in evidence.cluster.pools)


def odd_values(evidence: Evidence) -> Iterator[Subject]:
    """Values of MTUs that cannot be or cannot be used, each where it was set; and nodes whose logs tell of one."""
    told = False
    for value in of_objects(evidence):
        if _trouble(evidence, value):
            told = True
            names = packet_signals.names_of(evidence)
            yield Subject(names, (), api.where(value.place, value.what, value=value.text), None, value)
    for node in evidence.nodes.values():
        found = [value for value in of_node(node) if _trouble(evidence, value)]
        for value in found:
            told = True
            where = {"node": node.name, "file": value.place, "field": value.what, "value": value.text}
            yield Subject((node.name,), (), where, node, value)
        if not told and (_lines(node, _LARGER) or _refused(node) or _larger_pods(node)):
            yield Subject((node.name,), (), {"node": node.name}, node, None)


def _lines(node: Node, *wanted: str) -> list[HostLine]:
    return [line for line in node.control.log if any(word in line.text for word in wanted)]


def _refused(node: Node) -> list[HostLine]:
    """Lines in which the kernel refuses a size, or the plugin finds none."""
    said = [line for line in node.control.log if "mtu" in line.text.lower() and any(odd in line.text for odd in _ODD)]
    return said + _lines(node, *_REFUSED)


def _larger_pods(node: Node) -> list[Seen]:
    """Pods' interfaces with a larger MTU than the node's own has; where paths were measured, that says more."""
    room = node.sizes.host
    if not room or (node.mtu is not None and node.mtu.paths):
        return []
    return [
        Seen(
            node.name, "interfaces", f"{words.plural(number, 'pod')} with {size}, and {node.sizes.interface} has {room}"
        )
        for size, number in node.sizes.workloads.items()
        if size > room
    ]


def value_cannot_be(evidence: Evidence, subject: Subject) -> list[Seen]:
    """An MTU was set that is impossible."""
    return _seen(evidence, subject, ("is no number", "is impossible", "is less"))


def value_is_too_large(evidence: Evidence, subject: Subject) -> list[Seen]:
    """An MTU was set that is larger than what the underlay carries, or leaves no room for the encapsulation."""
    return _seen(evidence, subject, ("is more", "and "))


def _seen(evidence: Evidence, subject: Subject, beginnings: tuple[str, ...]) -> list[Seen]:
    value = subject.about
    trouble = _trouble(evidence, value) if value is not None else ""
    if not trouble.startswith(beginnings):
        return []
    return [Seen(value.node, api.spot(value.place), f"{value.what} {value.text} {trouble}", value.what)]


def felix_warns(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Felix warns that the MTU which was set is larger than the host's interfaces."""
    nodes = (evidence.nodes[name] for name in subject.nodes if name in evidence.nodes)
    return [
        Seen(node.name, f"log of {line.component or 'felix'}", line.text, line.at)
        for node in nodes
        for line in _lines(node, _LARGER)
    ][:2]


def kernel_refuses_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kernel refuses the MTU, or the CNI plugin finds none that it could use."""
    nodes = (evidence.nodes[name] for name in subject.nodes if name in evidence.nodes)
    return [
        Seen(node.name, f"log of {line.component or 'felix'}", line.text, line.at)
        for node in nodes
        for line in _refused(node)
    ][:2]


def pods_exceed_the_interface(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Pods' interfaces have a larger MTU than the interface by which the node reaches others."""
    nodes = (evidence.nodes[name] for name in subject.nodes if name in evidence.nodes)
    return [seen for node in nodes for seen in _larger_pods(node)] if subject.about is None else []


def pods_have_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Pods' interfaces have an MTU that does not fit the underlay."""
    nodes = [evidence.nodes[name] for name in subject.nodes if name in evidence.nodes]
    return [
        Seen(node.name, "interfaces", f"{words.plural(number, 'pod')} with {size}")
        for node in nodes
        for size, number in node.sizes.workloads.items()
        if node.sizes.host and size + node.sizes.overhead > node.sizes.host
    ][:4]


def paths_carry_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The paths to other nodes were measured, and carry as much."""
    value = subject.about
    number = value.number if value is not None else None
    if not number:
        return []
    found = [path for node in evidence.nodes.values() if node.mtu for path in node.mtu.paths if path.carries]
    least = min((path.carries for path in found if path.carries), default=0)
    return [Seen("", "path MTU probe", f"{least} bytes")] if least >= number + value.overhead else []


def _summary(evidence: Evidence, subject: Subject) -> str:
    value = subject.about
    larger = pods_exceed_the_interface(evidence, subject)
    if larger:
        return f"On {larger[0].node} pods' interfaces have an MTU that cannot be used: {larger[0].detail}."
    if value is None:
        return f"An MTU that was set on {words.listed(subject.nodes)} cannot be used, as the logs tell."
    on = f" on {value.node}" if value.node else ""
    return f"{value.place}{on} sets {value.what} to {value.text}, which {_trouble(evidence, value)}."


def _commands(evidence: Evidence, subject: Subject) -> list[str]:
    value = subject.about
    if value is not None and not value.node and value.place.startswith("FelixConfiguration "):
        field = value.what.partition(".")[2]
        plain = [api.patch(evidence, "FelixConfiguration", value.place.partition(" ")[2], {field: 0})]
        return api.at_owner(evidence, f"felix/{field}", plain, {"calicoNetwork": {"mtu": None}}, "0")
    if value is not None and value.place.startswith("ConfigMap "):
        return [*_auto_mtu(evidence, value.place.partition(" ")[2])]
    if value is not None and value.place.startswith("Installation "):
        return api.at_owner(evidence, "mtu", [], {"calicoNetwork": {"mtu": None}}, "0")
    name = subject.nodes[0] if subject.nodes else "NODE"
    look = packet_signals.on(name, ["ip -br link; cat /var/lib/calico/mtu; grep -r mtu /etc/cni/net.d"])
    auto = api.at_owner(
        evidence, "mtu", _auto_mtu(evidence, "calico-config"), {"calicoNetwork": {"mtu": None}}, "0 (Felix finds it)"
    )
    return [*look, *auto, f"{agent_pod.delete(evidence, name)}   # it writes CNI's file anew; then make the pods anew"]


def _auto_mtu(evidence: Evidence, name: str) -> list[str]:
    """Have the manifest's ConfigMap leave the MTU to Felix."""
    found = effective.config_map(evidence.cluster, name, "") if evidence.cluster else None
    namespace = commands.word(found.namespace if found else "", "kube-system")
    patch = '{"data": {"veth_mtu": "0"}}'
    return [f"kubectl patch configmap -n {namespace} {commands.word(name, 'NAME')} --type merge -p '{patch}'"]


def _remedy(evidence: Evidence, subject: Subject) -> Remedy | None:
    """The role that sets what fits; None for what single nodes have, and where nobody knows what the ways carry."""
    value = subject.about
    if value is None or value.node or evidence.missing or path_sizes.carried(evidence).size is None:
        return None
    return Remedy("mtu")


MTU_MISCONFIGURED_VALUE = Fault(
    id="mtu_misconfigured_value",
    family="encapsulation",
    title="An MTU was set that cannot be used",
    severity="major",
    role="cause",
    means=(
        "Somebody set an MTU for pods or tunnels that is impossible, or larger than what the interfaces between "
        "the nodes "
        "carry less the encapsulation's overhead. Felix only warns of it. Small packets pass; large ones are "
        "lost or cut "
        "into pieces, and pods whose interface cannot be made so do not start."
    ),
    subjects=odd_values,
    signals=(
        Signal(value_cannot_be, DECISIVE, required=True),
        Signal(value_is_too_large, STRONG + MODERATE, required=True),
        Signal(felix_warns, STRONG, required=True),
        Signal(kernel_refuses_it, STRONG, required=True),
        Signal(pods_exceed_the_interface, MODERATE, required=True),
        Signal(pods_have_it, WEAK),
        Signal(paths_carry_it, -DECISIVE),
    ),
    summary=_summary,
    fix=Fix(
        action="unset_mtu",
        text=(
            "Take the value away, or set it to 0: Felix then takes the smallest interface's MTU less the "
            "encapsulation's "
            "overhead. Change it where it is kept (ConfigMap, FelixConfiguration, Installation, the installer's "
            "values); "
            "pods get a new MTU only when they are made anew."
        ),
        risk="medium",
        disrupts=(
            "calico-node is restarted node by node; tunnels change at once; pods keep their old MTU until they are "
            "recreated"
        ),
        commands=_commands,
        remedy=_remedy,
    ),
    verify=(
        "Calico's file /var/lib/calico/mtu, the tunnels and new pods have the MTU of the interface less the overhead."
    ),
    lookalikes=(
        Lookalike("mtu_mismatch", "the values are right for the interfaces, and a path between them carries less"),
        Lookalike("kernel_module_missing", "the tunnel device cannot be made at all"),
    ),
    explains=("mtu_mismatch",),
)

FAULTS = (MTU_MISCONFIGURED_VALUE,)
