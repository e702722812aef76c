# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds the ports that Calico and its tunnels need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .._evidence import plain
from . import told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .model import Host, Scene

METALLB = ("speaker", "metallb-speaker", "kube-vip")
# Calico's own programs, and its tunnels' devices.
_OWN = ("bird", "bird6", "calico-node", "calico-felix", "calico-typha", "calico")
_OWN_DEVICES = ("vxlan.calico", "vxlan-v6.calico")
_FLANNELS = ("flannel",)


class Use(NamedTuple):
    """What a port is for, with which flavours, and how bad it is to miss it."""

    purpose: str
    flavours: tuple[str, ...]
    severity: str
    instead: str


_USES = {
    ("tcp", 179): Use("BGP", ("ipip", "bgp"), "major", "end it, or plan another listenPort in BGPConfiguration"),
    ("tcp", 5473): Use("Typha", (), "minor", "end it, or keep Typha from this host"),
    ("tcp", 9099): Use("Felix' health", (), "major", "end it, or plan another healthPort in FelixConfiguration"),
    ("tcp", 9098): Use("Typha's health", (), "minor", "end it, or keep Typha from this host"),
    ("udp", 4789): Use("VXLAN", ("vxlan",), "major", "end it, or plan another vxlanPort in FelixConfiguration"),
    ("udp", 8472): Use("flannel's VXLAN", ("canal",), "major", "end it, or plan another Port in canal-config"),
}


def findings(scene: Scene) -> list[dict[str, Any]]:
    """Ports that somebody else holds already, one finding for each port and program."""
    held: dict[tuple[str, int, str], dict[str, str]] = {}
    for host in told.read_hosts(scene):
        known = _told_by_listener(host)
        for entry in plain.mappings(told.readiness(host).get("ports")):
            place = plain.text(entry.get("protocol")), plain.count(entry.get("port"))
            if place in _USES and place not in known and not _is_calicos(entry, host):
                held.setdefault((*place, _who(entry)), {})[host.name] = _says(entry)
    return [item for key, hosts in held.items() for item in _taken(scene, key, hosts)]


def _told_by_listener(host: Host) -> set[tuple[str, int]]:
    """Ports of which the listener that could not have them tells itself."""
    return {
        (plain.text(one.get("protocol")), plain.count(one.get("port")))
        for one in plain.mappings(host.listened.get("ports"))
        if one.get("process") or one.get("pid")
    }


def _is_calicos(entry: Mapping[str, Any], host: Host) -> bool:
    if plain.text(entry.get("device") or "") in _OWN_DEVICES:
        return True
    return plain.text(entry.get("process") or "") in _OWN and told.runs_calico(host)


def _who(entry: Mapping[str, Any]) -> str:
    return plain.text(entry.get("process") or entry.get("device") or "") or "a program that may not be seen"


def _says(entry: Mapping[str, Any]) -> str:
    pid = f" (process {entry['pid']})" if entry.get("pid") else ""
    inside = f" in container {plain.text(entry['container'])}" if entry.get("container") else ""
    return f"{_who(entry)}{pid}{inside} has {plain.text(entry.get('address'))}"


def _taken(scene: Scene, key: tuple[str, int, str], hosts: dict[str, str]) -> Iterator[dict[str, Any]]:
    protocol, port, who = key
    use = _USES[protocol, port]
    needed = not use.flavours or any(one in scene.flavours for one in use.flavours)
    if not needed or (who.startswith(_FLANNELS) and "canal" in scene.flavours and port == 8472):
        return
    # A flavour that nobody has chosen is only one of those that may come.
    sure = not use.flavours or bool(scene.planned.get("flavour")) or port == 179
    # VXLAN devices of several programs share a port of the kernel's as long as they are set up alike.
    shares = protocol == "udp" and all(says.startswith(f"{who} has") for says in hosts.values())
    severity = "minor" if shares or not sure else use.severity
    yield from told.together(
        _fault(port, who),
        severity,
        hosts,
        f"{who} on {{hosts}} holds {protocol.upper()} {port}, which Calico needs for {use.purpose}.",
        f"Find what it is for, then {use.instead}.",
        {name: [f"sudo ss -{'t' if protocol == 'tcp' else 'u'}lnp 'sport = :{port}'"] for name in hosts},
        "sockets",
        **({} if _fault(port, who) in ("port179_conflict", "metallb_conflict") else _WORDS),
    )


_WORDS = {
    "title": "A port that Calico needs is taken",
    "means": "Calico's program cannot open the port, says so in its log, and does without what it is for.",
}


def _fault(port: int, who: str) -> str:
    if port != 179:
        return "preflight.port_taken"
    return "metallb_conflict" if who in METALLB else "port179_conflict"
