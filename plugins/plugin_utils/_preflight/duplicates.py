# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts share that each must have for itself: names, addresses, identifiers; and names that will not do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ...module_utils._host.calico_log_words import ODD_INTERFACES
from .._catalogue import commands, words
from .._evidence import plain
from . import told
from .finding import finding, seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .model import Host, Scene

# RFC 1123 subdomain: what Kubernetes takes for a node's name.
_NODENAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_NOBODYS = ("localhost", "localhost.localdomain", "localhost4", "localhost6")
# Such addresses every hypervisor or container engine gives to each of its hosts.
_MANY_MACS = ("ee:ee:ee:ee:ee:ee",)
_ANYCAST = ("lo", "dummy")
_MOVING = frozenset(("vip", "maybe_vip"))
_NODE = "calico_node"


class Kind(NamedTuple):
    """An identifier of machines: its key in the facts, its name for people, what comes of two that are the same."""

    key: str
    called: str
    severity: str
    means: str
    line: str


_KINDS = (
    Kind(
        "machine_id",
        "/etc/machine-id",
        "major",
        "systemd and DHCP clients take these hosts for one, and servers give them one address in turn.",
        "sudo rm /etc/machine-id && sudo systemd-machine-id-setup   # then reboot",
    ),
    Kind(
        "product_uuid",
        "UUID in the firmware",
        "minor",
        "kubeadm asks that it be each host's own, and programs of clouds know machines by it.",
        "sudo cat /sys/class/dmi/id/product_uuid   # give the virtual machine another one",
    ),
)


def findings(scene: Scene) -> list[dict[str, Any]]:
    """What several hosts have in common that must be each one's own, and names that will not do."""
    found: list[dict[str, Any]] = []
    for check in (_same_machine, _names, _unfit_names, _other_names, _addresses, _identifiers):
        found += check(scene)
    return found


def _same_machine(scene: Scene) -> Iterator[dict[str, Any]]:
    for other, name in scene.evidence.aliases.items():
        yield finding(
            "preflight.listed_twice",
            "minor",
            [name, other],
            f"{other} and {name} are one machine under two names of the inventory.",
            "Take one of them out of the inventory.",
            title="A machine is listed twice",
            means="What is counted, numbered or divided among hosts is wrong by one.",
            evidence=[seen(other, "boot_id", f"the same boot as {name}")],
        )


def _separate(scene: Scene) -> list[Host]:
    """The hosts that were read, machines that are listed twice once."""
    return [host for host in told.read_hosts(scene) if host.name not in scene.evidence.aliases]


def _shared(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The hosts by what several of them have."""
    groups: dict[str, list[str]] = {}
    for value, name in pairs:
        if value and name not in groups.setdefault(value, []):
            groups[value].append(name)
    return {value: names for value, names in groups.items() if len(names) > 1}


def nodename(host: Host) -> str:
    """The name by which Calico and kubelet will know the host: what calico-node was told, else its name in lower case.

    What an earlier installation left in /var/lib/calico/nodename, calico-node writes anew when it starts.
    """
    about = told.part(host, _NODE)
    override = plain.text(told.part(host, _NODE, "host", "kubelet").get("hostname_override") or "")
    kubelet = plain.text(about.get("kubelet_nodename") or "") or override
    if about.get("nodename_source") == "environment" or told.runs_calico(host):
        return plain.text(about.get("nodename"))
    return kubelet or plain.text(about.get("hostname") or "").lower()


def _names(scene: Scene) -> Iterator[dict[str, Any]]:
    for name, hosts in _shared((nodename(host), host.name) for host in _separate(scene)).items():
        yield finding(
            "preflight.nodename_duplicate",
            "critical",
            hosts,
            f"{words.listed(hosts)} would all be the node {name}.",
            "Give each host a name of its own before kubelet registers it.",
            [commands.on_node(hosts[-1], "sudo hostnamectl set-hostname NAME")],
            title="Hosts have the same name",
            means="Kubernetes and Calico know a node by its name: two hosts take turns in one Node object, and each "
            "overwrites the other's address, tunnels and blocks.",
            evidence=[seen(host, "hostname", name) for host in hosts[: told.MOST_SEEN]],
        )


def _unfit_names(scene: Scene) -> Iterator[dict[str, Any]]:
    unfit = {}
    for host in _separate(scene):
        name = nodename(host)
        if name and (name in _NOBODYS or not _NODENAME.fullmatch(name)):
            unfit[host.name] = name
    yield from told.together(
        "preflight.nodename_unfit",
        "major",
        unfit,
        "The name of {hosts} cannot be a node's: Kubernetes wants lower-case letters, digits, hyphens and dots.",
        "Give the host another name, or kubelet a --hostname-override.",
        {name: ["hostnamectl"] for name in unfit},
        "hostname",
        title="A host's name cannot be a node's",
        means="kubelet cannot register the host, and Calico has no Node for it.",
    )


def _other_names(scene: Scene) -> Iterator[dict[str, Any]]:
    """Hosts whose parts would know them by different names: kubelet's certificate, Calico, the host itself."""
    apart: dict[str, str] = {}
    mixed: dict[bool, list[str]] = {True: [], False: []}
    for host in _separate(scene):
        about = told.part(host, _NODE)
        kubelet = plain.text(about.get("kubelet_nodename") or "")
        own = plain.text(about.get("nodename") or "")
        if kubelet and own and kubelet != own and about.get("nodename_source") == "environment":
            apart[host.name] = f"kubelet is {kubelet}, calico-node was told {own}"
        hostname = plain.text(about.get("hostname") or "")
        if hostname and not kubelet:
            mixed["." in hostname].append(host.name)
    yield from told.together(
        "nodename_mismatch",
        "major",
        apart,
        "Calico and kubelet know {hosts} by different names.",
        "Have NODENAME taken from spec.nodeName, as Calico's manifests do.",
        source="names",
    )
    if mixed[True] and mixed[False]:
        few = min(mixed.values(), key=len)
        yield from told.together(
            "preflight.nodename_forms",
            "info",
            {name: plain.text(told.part(scene.hosts[name], _NODE).get("hostname")) for name in few},
            "The names of some hosts are with their domain and of others without, {hosts} among the fewer ones.",
            "Use one form everywhere: what names nodes (BGPPeers, selectors, monitoring) must use it, too.",
            source="hostname",
            title="Hosts' names have two forms",
            means="kubelet registers a host by the name that the host has for itself, with or without a domain.",
        )


def _addresses(scene: Scene) -> Iterator[dict[str, Any]]:
    hosts = _separate(scene)
    held = []
    for host in hosts:
        about = told.part(host, _NODE)
        for one in plain.mappings(about.get("addresses")):
            address, interface = plain.text(one.get("address")), plain.text(one.get("interface"))
            # Anycast and floating addresses are meant to be on several hosts, now or later.
            meant = interface.startswith(_ANYCAST) or not _MOVING.isdisjoint(plain.texts(one.get("signs")))
            odd = interface.startswith(ODD_INTERFACES) or (meant and address not in host.addresses)
            if address and not odd and one.get("scope") in (None, "global"):
                held.append((address, host.name))
    for address, names in _shared(held).items():
        everywhere = len(names) == len(hosts) > 2 or address == "10.0.2.15"
        probed = [name for name in names if address in scene.hosts[name].addresses]
        yield finding(
            "duplicate_node_ip",
            "critical" if probed else "info" if everywhere else "major",
            names,
            f"{words.listed(names)} all have the address {address}.",
            "Take it from all hosts but one, or, where a hypervisor gives it to every host (NAT), see that Calico uses "
            "another one.",
            [told.everywhere(names, "ip -brief address")],
            role="contributing" if everywhere and not probed else "cause",
            where={"address": address},
            evidence=[seen(name, "addresses", address) for name in names[: told.MOST_SEEN]],
        )


def _identifiers(scene: Scene) -> Iterator[dict[str, Any]]:
    hosts = _separate(scene)
    for kind in _KINDS:
        told_ids = ((told.part(host, _NODE, "readiness", "machine").get(kind.key), host.name) for host in hosts)
        for names in _shared((plain.text(told_id or ""), name) for told_id, name in told_ids).values():
            yield from told.together(
                "preflight.cloned_host",
                kind.severity,
                dict.fromkeys(names, f"the same {kind.called}"),
                f"{{hosts}} have the same {kind.called}: they are copies of one disk or virtual machine.",
                "Give each its own, and reboot it, before it joins a cluster.",
                {name: [kind.line] for name in names[1:]},
                kind.key,
                title="Hosts are copies of one another",
                means=kind.means,
            )
    macs = (
        (plain.text(mac), host.name)
        for host in hosts
        for mac in told.part(host, _NODE, "readiness", "machine", "macs").values()
        if mac not in _MANY_MACS
    )
    for mac, names in _shared(macs).items():
        yield from told.together(
            "preflight.mac_duplicate",
            "critical",
            dict.fromkeys(names, mac),
            f"{{hosts}} have the same MAC address, {mac}.",
            "Give the virtual machines MAC addresses of their own.",
            {name: ["ip -brief link"] for name in names},
            "interfaces",
            title="Hosts have the same MAC address",
            means="In one network switches send what is for one host to another. Calico's tunnel MACs are its own.",
        )
