# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packet filters of hosts, as Calico will find them, and as they will be after the next boot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._catalogue import words
from .._evidence import plain
from . import told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .model import Host, Scene

_BACKENDS = {"iptables_legacy": "legacy", "iptables_nft": "nft"}
_PROXY = "kube-proxy"
_BLOCKING = ("drop", "reject")
# What a flow is for, with which flavours it is needed, and the fault that its loss is.
_FLOWS = {
    "ipip": ("IPIP (IP protocol 4)", ("ipip",), "ipip_blocked"),
    "udp4789": ("VXLAN (UDP 4789)", ("vxlan",), "vxlan_udp_blocked"),
    "udp8472": ("flannel's VXLAN (UDP 8472)", ("canal",), "vxlan_udp_blocked"),
    "tcp5473": ("Typha (TCP 5473)", (), "typha_port_blocked"),
}
_BGP = ("ipip", "bgp")


def findings(scene: Scene) -> list[dict[str, Any]]:
    """What of packet filters will be in the way later, or is in two places now."""
    return [*_two_backends(scene), *_tools_differ(scene), *_bgp_after_boot(scene), *_flows_after_boot(scene)]


def _two_backends(scene: Scene) -> Iterator[dict[str, Any]]:
    """Hosts with rules in both backends of iptables."""
    both: dict[str, str] = {}
    proxy: dict[str, str] = {}
    for host in told.read_hosts(scene):
        if told.runs_calico(host):
            continue  # The diagnosis tells of it better: then it is known where Calico writes to.
        backends = told.part(host, "calico_firewall", "backends")
        owners = {
            called: plain.texts(plain.mapping(backends.get(name)).get("owners"))
            for name, called in _BACKENDS.items()
            if plain.count(plain.mapping(backends.get(name)).get("rules"))
        }
        if len(owners) < 2:
            continue
        says = "; ".join(f"{called}: {words.listed(whose)}" for called, whose in owners.items())
        tool = told.readiness(host).get("iptables")
        apart = tool in owners and _PROXY not in owners[str(tool)] and any(_PROXY in one for one in owners.values())
        (proxy if apart else both)[host.name] = says
    fix = (
        "Have all programs use the backend of kube-proxy and of the host's iptables, and reboot to clear the other one."
    )
    lines = ("sudo iptables-legacy-save | grep -c '^-A'; sudo iptables-nft-save | grep -c '^-A'; iptables --version",)
    yield from told.together(
        "iptables_backend_mismatch",
        "major",
        proxy,
        "On {hosts} kube-proxy writes its rules to another backend of iptables than the host's iptables, and rules "
        "stand in both.",
        fix,
        dict.fromkeys(proxy, lines),
        "iptables",
    )
    yield from told.together(
        "iptables_backend_mismatch",
        "minor",
        both,
        "Both backends of iptables have rules on {hosts}: Felix takes the one with more of them for its own, and what "
        "the other one drops stays dropped.",
        fix,
        dict.fromkeys(both, lines),
        "iptables",
    )


def _tools_differ(scene: Scene) -> Iterator[dict[str, Any]]:
    tools: dict[str, list[str]] = {}
    for host in told.read_hosts(scene):
        tool = plain.text(told.readiness(host).get("iptables") or "")
        if tool:
            tools.setdefault(tool, []).append(host.name)
    if len(tools) > 1:
        few = min(tools.values(), key=len)
        here = next((tool for tool, names in tools.items() if names is few), "")
        yield from told.together(
            "iptables_backend_mismatch",
            "info",
            dict.fromkeys(few, f"iptables writes to {here}"),
            f"The iptables of {{hosts}} writes to the backend {here}, that of the other hosts does not.",
            "Nothing, if FelixConfiguration's iptablesBackend is Auto; a fixed one is wrong on some hosts.",
            source="iptables",
        )


def _persistence(host: Host) -> dict[str, Any]:
    return told.part(host, "calico_firewall", "persistence")


def _loaded(host: Host) -> str:
    loaded = plain.mapping(_persistence(host).get("loaded_at_boot"))
    shown = words.listed(f"{name} ({', '.join(plain.texts(files))})" for name, files in loaded.items())
    return f"loaded at boot: {shown}" if loaded else "nothing loads rules at boot"


def _bgp_after_boot(scene: Scene) -> Iterator[dict[str, Any]]:
    if not any(one in scene.flavours for one in _BGP):
        return
    lost: dict[str, str] = {}
    for host in told.read_hosts(scene):
        for entry in plain.mappings(_persistence(host).get("tcp179")):
            if plain.text(entry.get("after_reboot")) in _BLOCKING:
                rule = plain.text(plain.mapping(entry.get("rule")).get("text"))
                lost[host.name] = f"{rule or 'a rule'}; {_loaded(host)}"
    yield from told.together(
        "tcp179_blocked_host_firewall",
        "major",
        lost,
        "After the next boot the packet filters of {hosts} block BGP (TCP 179), which they let pass now.",
        "Save the rules of now, or put BGP's into the files that are loaded at boot.",
        dict.fromkeys(
            lost, ("sudo ls -l /etc/iptables /etc/nftables.conf /etc/sysconfig/iptables /etc/ufw 2>/dev/null",)
        ),
        "files of the packet filters",
        role="latent",
    )


def _flows_after_boot(scene: Scene) -> Iterator[dict[str, Any]]:
    for name, (called, flavours, fault) in _FLOWS.items():
        if flavours and not any(one in scene.flavours for one in flavours):
            continue
        lost = {
            host.name: _loaded(host)
            for host in told.read_hosts(scene)
            if name in plain.texts(_persistence(host).get("flows_lost"))
        }
        yield from told.together(
            fault,
            "major",
            lost,
            f"After the next boot the packet filters of {{hosts}} block {called}, which they let pass now.",
            "Save the rules of now, or put this flow's into the files that are loaded at boot.",
            source="files of the packet filters",
            role="latent",
        )
