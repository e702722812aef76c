# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host is fit for Calico: its clock, its kernel, its settings, and who else has a hand in its network."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Any

from .._catalogue import commands, words
from .._evidence import plain
from . import told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .model import Host, Scene

SKEW_TOLD, SKEW_HURTS = 1.0, 30.0
_FORWARD = {"ipv4": "net.ipv4.ip_forward", "ipv6": "net.ipv6.conf.all.forwarding"}
_MODULES = {"ipip": "ipip", "vxlan": "vxlan", "canal": "vxlan"}
# Only these ask for parts that nobody misses who has not chosen them.
_BY_CHOICE = ("wireguard", "ip6_tables", "nf_tables", "ipip", "vxlan")
_MANAGERS = {
    "NetworkManager": (
        "printf '[keyfile]\\nunmanaged-devices=interface-name:cali*;interface-name:tunl*;interface-name:vxlan.calico;"
        "interface-name:vxlan-v6.calico;interface-name:wireguard.cali;interface-name:wg-v6.cali\\n' | "
        "sudo tee /etc/NetworkManager/conf.d/calico.conf && sudo systemctl reload NetworkManager"
    ),
    "systemd-networkd": (
        "sudo mkdir -p /etc/systemd/networkd.conf.d && printf '[Network]\\nManageForeignRoutes=no\\n"
        "ManageForeignRoutingPolicyRules=no\\n' | sudo tee /etc/systemd/networkd.conf.d/calico.conf"
    ),
}


def findings(scene: Scene) -> list[dict[str, Any]]:
    """What of the hosts themselves stands in Calico's way."""
    found: list[dict[str, Any]] = []
    for check in (_time, _skew, _kernel, _forwarding, _filters, _managers, _tracking, _without_answer):
        found += check(scene)
    return found


def _time(scene: Scene) -> Iterator[dict[str, Any]]:
    lacking, idle = {}, {}
    for host in told.read_hosts(scene):
        clock = told.part(host, "calico_chrony")
        why = plain.text(clock.get("why") or "")
        if clock.get("running") is False:
            lacking[host.name] = why or "no time service runs"
        elif clock.get("running") and clock.get("synchronised") is False:
            idle[host.name] = why or "its time service follows no source"
    yield from told.together(
        "time_sync_missing",
        "minor",
        lacking,
        "Nothing keeps the clock of {hosts} right.",
        "Have a time service installed, running, and started with the host.",
        {name: ["sudo systemctl enable --now chrony   # chronyd on RHEL and its kin"] for name in lacking},
        "time service",
    )
    yield from told.together(
        "time_sync_missing",
        "minor",
        idle,
        "The time service of {hosts} follows no time source.",
        "Give it servers that the host can reach (UDP 123).",
        {name: ["chronyc -n sources"] for name in idle},
        "time service",
    )


def _skew(scene: Scene) -> Iterator[dict[str, Any]]:
    """Clocks that differ from most others', by more than question and answer can have taken."""
    offsets = {}
    for host in told.read_hosts(scene):
        clock = told.part(host, "calico_chrony")
        ahead = clock.get("offset_to_controller_seconds")
        if isinstance(ahead, (int, float)) and not isinstance(ahead, bool) and math.isfinite(ahead):
            offsets[host.name] = (float(ahead), plain.seconds(clock.get("offset_to_controller_error_seconds")))
    if len(offsets) < 2:
        return
    usual = statistics.median_low([ahead for ahead, _error in offsets.values()])
    doubt = min(error for ahead, error in offsets.values() if ahead == usual)
    apart = {
        name: ahead - usual
        for name, (ahead, error) in offsets.items()
        if abs(ahead - usual) - error - doubt > SKEW_TOLD
    }
    for severity, hurts in (("major", True), ("minor", False)):
        some = {name: seconds for name, seconds in apart.items() if (abs(seconds) >= SKEW_HURTS) is hurts}
        yield from told.together(
            "clock_skew",
            severity,
            {
                name: f"{abs(seconds):.1f} s {'ahead of' if seconds > 0 else 'behind'} most"
                for name, seconds in some.items()
            },
            "The clock of {hosts} differs from that of the other hosts"
            + (
                ", by so much that certificates which are made at the installation are not valid there."
                if hurts
                else "."
            ),
            "Have a time service set it, before anything is installed.",
            {name: ["date -u; chronyc tracking", "sudo chronyc makestep"] for name in some},
            "clock",
        )


def _apart(seconds: float) -> str:
    return f"{abs(seconds):.1f} s {'ahead of' if seconds > 0 else 'behind'} most"


def _kernel(scene: Scene) -> Iterator[dict[str, Any]]:
    chosen = bool(scene.planned.get("flavour"))
    tunnels = {_MODULES[one] for one in scene.flavours if one in _MODULES}
    lacks: dict[str, list[str]] = {}
    tunnel_lacks: dict[str, list[str]] = {}
    for host in told.read_hosts(scene):
        missing = plain.texts(told.readiness(host).get("kernel_missing"))
        wanted = [name for name in missing if name not in _BY_CHOICE and not _replaced(name, host)]
        wanted += [name for name in missing if name == "nf_tables" and told.readiness(host).get("iptables") == "nft"]
        if wanted:
            lacks.setdefault(words.listed(wanted), []).append(host.name)
        without = sorted(tunnels & set(missing))
        if without:
            tunnel_lacks.setdefault(words.listed(without), []).append(host.name)
    for groups, severity in ((lacks, "major"), (tunnel_lacks, "major" if chosen else "minor")):
        for parts, names in groups.items():
            purpose = (
                "" if groups is lacks or chosen else f" where it is to use {'IPIP' if 'ipip' in parts else 'VXLAN'}"
            )
            yield from told.together(
                "kernel_module_missing",
                severity,
                dict.fromkeys(names, f"neither loaded, nor built in, nor to be loaded: {parts}"),
                f"The kernel of {{hosts}} has no {parts}, which Calico needs{purpose}.",
                "Install the package with the kernel's other modules (linux-modules-extra, kernel-modules-extra), or "
                "boot a kernel whose modules are there.",
                {name: ["uname -r; ls /lib/modules"] for name in names},
                "kernel modules",
            )


def _replaced(name: str, host: Host) -> bool:
    """A part that is not used on this host: iptables' own table where iptables writes to nftables."""
    return name == "ip_tables" and told.readiness(host).get("iptables") == "nft"


def _forwarding(scene: Scene) -> Iterator[dict[str, Any]]:
    families = ("ipv4", "ipv6") if scene.planned.get("autodetection_ipv6") else ("ipv4",)
    for family in families:
        key = _FORWARD[family]
        kept, off = {}, {}
        for host in told.read_hosts(scene):
            saved = plain.mapping(plain.mapping(told.readiness(host).get("saved")).get(key))
            is_off = "all" in plain.texts(told.part(host, "calico_node", "host", "forwarding_off").get(family))
            if plain.text(saved.get("value")) == "0":
                kept[host.name] = f"{plain.text(saved.get('file'))} sets {key} to 0"
            elif is_off:
                off[host.name] = f"{key} is 0, and no file sets it"
        yield from told.together(
            "ip_forward_off",
            "major",
            kept,
            f"A file on {{hosts}} keeps {key} off. Felix turns it on once, when it starts; the next `sysctl --system` "
            "turns it off again, and nobody notices but the pods.",
            f"Set {key} to 1 in that file, then `sudo sysctl --system`.",
            {name: [f"grep -n forward {commands.word(says.partition(' ')[0], 'FILE')}"] for name, says in kept.items()},
            "sysctl",
        )
        yield from told.together(
            "ip_forward_off",
            "minor",
            off,
            "{hosts} forwards no packets yet. Felix turns that on when it starts; kubeadm refuses such a host before.",
            f"Set {key} to 1 in a file of /etc/sysctl.d.",
            {name: [f"echo {key}=1 | sudo tee /etc/sysctl.d/90-calico.conf && sudo sysctl --system"] for name in off},
            "sysctl",
        )


def _filters(scene: Scene) -> Iterator[dict[str, Any]]:
    """A strict reverse path filter where there is more than one way out of the host."""
    strict = {}
    for host in told.read_hosts(scene):
        facts = told.part(host, "calico_node", "host")
        names = [one for one in plain.texts(plain.mapping(facts.get("rp_filter")).get("strict")) if one != "all"]
        own = {
            plain.text(one.get("interface"))
            for one in plain.mappings(told.part(host, "calico_node").get("addresses"))
            if ":" not in plain.text(one.get("address"))
        }
        if names and (len(own) > 1 or facts.get("rules")):
            strict[host.name] = f"strict on {words.listed(names)}, addresses on {words.listed(sorted(own))}"
    yield from told.together(
        "rp_filter_strict",
        "minor",
        strict,
        "{hosts} has several ways out and a strict reverse path filter: packets that come in by another way than "
        "answers would leave are dropped, and only a counter tells.",
        "Set rp_filter of these interfaces to 2 (loose), or see that both directions use one interface.",
        {name: ["sysctl -a 2>/dev/null | grep '[.]rp_filter'; ip rule"] for name in strict},
        "sysctl",
    )


def _managers(scene: Scene) -> Iterator[dict[str, Any]]:
    taken: dict[str, dict[str, str]] = {}
    open_to: dict[str, dict[str, str]] = {}
    for host in told.read_hosts(scene):
        for name, found in told.part(host, "calico_node", "host", "network_managers").items():
            one = plain.mapping(found)
            held = [*plain.texts(one.get("managed")), *plain.texts(one.get("files"))]
            free = plain.texts(one.get("not_excluded"))
            if held:
                taken.setdefault(name, {})[host.name] = f"it takes {words.listed(held)}"
            elif free:
                open_to.setdefault(name, {})[host.name] = f"nothing tells it to leave {words.listed(free)} alone"
            elif one.get("removes_foreign_routes"):
                open_to.setdefault(name, {})[host.name] = "it removes routes that it did not make when it starts again"
    for groups, severity, says in (
        (taken, "major", "takes interfaces of Calico's for its own"),
        (open_to, "minor", "may take Calico's interfaces or routes for its own"),
    ):
        for name, hosts in groups.items():
            yield from told.together(
                "host_network_manager_interference",
                severity,
                hosts,
                f"{name} on {{hosts}} {says}.",
                "Tell it to leave them alone before Calico is installed.",
                {host: [_MANAGERS[name]] for host in hosts if name in _MANAGERS},
                name,
            )


def _tracking(scene: Scene) -> Iterator[dict[str, Any]]:
    full = {}
    for host in told.read_hosts(scene):
        node = scene.evidence.nodes.get(host.name)
        if node is not None and node.state.tracking.full:
            full[host.name] = f"{node.state.tracking.entries} of {node.state.tracking.most} entries"
    yield from told.together(
        "conntrack_full",
        "major",
        full,
        "The connection tracking table of {hosts} is full: new connections are dropped there.",
        "Raise net.netfilter.nf_conntrack_max, and find who opens so many connections.",
        {name: ["sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max"] for name in full},
        "conntrack",
    )


def _without_answer(scene: Scene) -> Iterator[dict[str, Any]]:
    """Hosts that told too little for the checks on hosts: without Python, without root."""
    lacking = {}
    for host in told.read_hosts(scene):
        about = told.part(host, "calico_node")
        failed = [
            f"{plain.text(one.get('source'))}: {plain.text(one.get('detail'))}"
            for one in plain.mappings(about.get("sources"))
            if plain.text(one.get("source")).startswith("readiness") and one.get("status") == "failed"
        ]
        if about.get("read_without_python"):
            lacking[host.name] = "it has no usable Python"
        elif about.get("privileged") is False:
            lacking[host.name] = "it was not read as root"
        elif failed:
            lacking[host.name] = failed[0]
        elif told.readiness(host).get("kernel_unknown"):
            lacking[host.name] = "nothing there tells which modules its kernel has"
    yield from told.together(
        "preflight.not_everything_read",
        "minor",
        lacking,
        "Not everything could be looked at on {hosts}: what is not told of here may be wrong there all the same.",
        "Install Python 3.7 or later there, and run as root (--become).",
        source="node_facts",
        title="Not everything could be looked at",
        means="Silence is not health: parts of the checks were not made on these hosts.",
    )
