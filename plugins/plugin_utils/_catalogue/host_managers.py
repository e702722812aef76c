# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of a host's network manager that takes Calico's interfaces and routes for its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import commands, host_words, words
from .model import MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Missing, Remedy, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

NETWORK_MANAGER, NETWORKD, OTHER = "NetworkManager", "systemd-networkd", "another program"
CLOUD_SETUP = "nm-cloud-setup"
# As many hosts are set up, without harm for years: hardly a sign.
HINT = 0.2
_NM_FILE = "/etc/NetworkManager/conf.d/calico.conf"
_UNMANAGED = (
    "[keyfile]\\nunmanaged-devices=interface-name:cali*;interface-name:tunl*;interface-name:vxlan.calico;"
    "interface-name:vxlan-v6.calico;interface-name:wireguard.cali;interface-name:wg-v6.cali\\n"
)
_NETWORKD_UNIT = "/etc/systemd/network/00-calico.network"


def managed_hosts(evidence: Evidence) -> Iterator[Subject]:
    """Nodes with a network manager that has, or may take, Calico's interfaces or routes."""
    for node in evidence.nodes.values():
        lines = node.control.lines("interface_managed", "interface_seen", "interface_taken_down")
        if node.state.managers or lines or node.packets.own_tables:
            where: dict[str, object] = {"node": node.name, "program": _program(node)}
            held = _interfaces(node)
            if held:
                where["interfaces"] = held
            yield Subject((node.name,), (), where, node)


def _program(node: Node) -> str:
    """The manager at work: who has interfaces, else who could."""
    if node.packets.own_tables:
        return CLOUD_SETUP
    managers = node.state.managers
    named = [name for name, one in managers.items() if one.managed or one.files] or list(managers)
    told = [line.component for line in node.control.lines("interface_managed", "interface_seen")]
    return next(iter([*named, *told]), "another program")


def _interfaces(node: Node) -> list[str]:
    return sorted({name for one in node.state.managers.values() for name in one.managed})


def interfaces_are_in_its_hands(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A network manager manages interfaces of Calico's: it may configure them, take them down, empty them."""
    managers = subject.node.state.managers if subject.node else {}
    return [Seen(subject.nodes[0], name, words.listed(one.managed)) for name, one in managers.items() if one.managed]


def a_file_takes_them(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A .network file of systemd-networkd's takes every interface, or Calico's by name."""
    managers = subject.node.state.managers if subject.node else {}
    return [Seen(subject.nodes[0], name, words.listed(one.files)) for name, one in managers.items() if one.files]


def its_log_says_so(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The manager's log tells of it configuring an interface of Calico's."""
    return host_words.told(subject, "interface_managed")


def interfaces_go_down_at_once(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Pods' interfaces are set down in the moment they come up, and not by Felix, which only notes it."""
    return host_words.told(subject, "interface_taken_down")


def own_packets_pass_the_pods_by(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The tool nm-cloud-setup leads what the host sends with its own address past the main table, where the routes to
    pods are: what goes from this host to its own pods leaves by its gateway."""
    rows = subject.node.packets.own_tables if subject.node else ()
    return [Seen(subject.nodes[0], "ip rule", row) for row in rows[:4]]


def manager_watches_them(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A network manager's log tells of interfaces of Calico's coming and going."""
    return host_words.told(subject, "interface_seen")


def nothing_tells_it_not_to(evidence: Evidence, subject: Subject) -> list[Seen]:
    """NetworkManager runs, and nothing tells it to leave Calico's interfaces alone."""
    managers = subject.node.state.managers if subject.node else {}
    return [
        Seen(subject.nodes[0], name, words.listed(one.not_excluded))
        for name, one in managers.items()
        if one.not_excluded
    ]


def it_removes_foreign_routes(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The program systemd-networkd runs and removes routes that it did not make (ManageForeignRoutes is not no)."""
    managers = subject.node.state.managers if subject.node else {}
    return [Seen(subject.nodes[0], name) for name, one in managers.items() if one.removes_foreign_routes]


def routes_are_gone(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Routes that BIRD gave to the kernel are no longer there."""
    tables = subject.node.host.routes if subject.node else {}
    return [
        Seen(subject.nodes[0], "routes", f"{table.in_kernel or 0} of {table.exported} {family} routes")
        for family, table in tables.items()
        if table.exported and (table.in_kernel or 0) < table.exported
    ]


def _summary(evidence: Evidence, subject: Subject) -> str:
    if subject.where["program"] == CLOUD_SETUP:
        return (
            f"{CLOUD_SETUP} on {subject.nodes[0]} leads what the host itself sends past the routes to its pods: host "
            "and pods there do not reach each other."
        )
    held = subject.where.get("interfaces")
    what = words.listed(held) if isinstance(held, list) else "Calico's interfaces or routes"
    return f"{subject.where['program']} on {subject.nodes[0]} manages {what}."


def _leave_alone(evidence: Evidence, subject: Subject) -> list[str]:
    name = subject.nodes[0]
    if subject.where["program"] == CLOUD_SETUP:
        stop = f"sudo systemctl disable --now {CLOUD_SETUP}.service {CLOUD_SETUP}.timer"
        return [
            commands.on_node(name, f"{stop}   # then reboot: the rules stay until then"),
            commands.on_node(name, "ip rule; ip route show table 30400"),
        ]
    if subject.where["program"] == OTHER:
        who = "ps -eo pid,args | grep -E 'dhcpcd|dhclient|connmand|avahi-autoipd|wicked|netplan'"
        return [commands.on_node(name, f"ip -4 -brief address | grep cali; {who}")]
    if subject.where["program"] == NETWORKD:
        unit = "[Match]\\nName=cali* tunl0 vxlan.calico vxlan-v6.calico wireguard.cali\\n\\n[Link]\\nUnmanaged=yes\\n"
        keep = "[Network]\\nManageForeignRoutes=no\\nManageForeignRoutingPolicyRules=no\\n"
        return [
            commands.on_node(name, f"printf '{unit}' | sudo tee {_NETWORKD_UNIT}"),
            commands.on_node(
                name,
                "sudo mkdir -p /etc/systemd/networkd.conf.d && "
                f"printf '{keep}' | sudo tee /etc/systemd/networkd.conf.d/calico.conf",
            ),
            commands.on_node(name, "sudo networkctl reload; networkctl list"),
        ]
    return [
        commands.on_node(name, f"printf '{_UNMANAGED}' | sudo tee {_NM_FILE}"),
        commands.on_node(name, "sudo nmcli general reload; nmcli device"),
    ]


def _remedy(evidence: Evidence, subject: Subject) -> Remedy | None:
    """Files that say so, where a manager is known to run."""
    known = subject.node is not None and bool({NETWORK_MANAGER, NETWORKD} & set(subject.node.state.managers))
    known = known and subject.where["program"] != CLOUD_SETUP
    return host_words.remedy(evidence, subject, "network_managers") if known else None


HOST_NETWORK_MANAGER_INTERFERENCE = Fault(
    id="host_network_manager_interference",
    family="host_felix",
    title="A network manager handles Calico's interfaces or routes",
    severity="major",
    role="cause",
    means=(
        "NetworkManager and systemd-networkd configure every interface that they are not told to leave alone. They "
        "ask for addresses on pods' interfaces, set them down, and remove routes that are not theirs, when they "
        "start, when a link changes, or minutes later. Pods lose their network one by one, and it comes back when "
        "Felix looks again. On machines in clouds nm-cloud-setup makes rules of routing for the host's own "
        "addresses, which lead past the routes to pods."
    ),
    subjects=managed_hosts,
    signals=(
        Signal(interfaces_are_in_its_hands, STRONG + WEAK, required=True),
        Signal(a_file_takes_them, STRONG, required=True),
        Signal(its_log_says_so, STRONG, required=True),
        Signal(interfaces_go_down_at_once, MODERATE, required=True),
        Signal(own_packets_pass_the_pods_by, STRONG, required=True),
        Signal(routes_are_gone, MODERATE),
        Signal(manager_watches_them, WEAK),
        Signal(nothing_tells_it_not_to, HINT),
        Signal(it_removes_foreign_routes, HINT),
    ),
    summary=_summary,
    fix=Fix(
        action="unmanage_interfaces",
        text=(
            "Tell the manager to leave cali*, tunl0, vxlan.calico and wireguard.cali alone (NetworkManager: "
            "unmanaged-devices; networkd: a .network file that sorts first, with Unmanaged=yes), and networkd to "
            "keep routes that are not its own (ManageForeignRoutes=no). Give its other files a [Match] that names "
            "the host's NICs. Switch nm-cloud-setup (service and timer) off and reboot."
        ),
        risk="low",
        disrupts="nothing; Felix puts back what is missing within 90 s",
        commands=_leave_alone,
        remedy=_remedy,
    ),
    verify="Calico's interfaces are listed as unmanaged, and routes and addresses stay when the manager restarts.",
    lookalikes=(
        Lookalike("route_owner_conflict", "routes change between BIRD's and Felix', and no manager is at work"),
        Lookalike("tunnel_device_missing", "the device was never made"),
        Lookalike("routes_missing", "the routes never came into the kernel"),
    ),
    explains=("tunnel_device_missing", "routes_missing"),
    missing=lambda evidence, subject: [
        Missing(
            subject.nodes[0],
            "network managers",
            "networkctl list; nmcli device; journalctl -u systemd-networkd -u NetworkManager | grep cali",
            "who sets Calico's interfaces up and down",
        )
    ],
)

FAULTS = (HOST_NETWORK_MANAGER_INTERFERENCE,)
