# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether NetworkManager or systemd-networkd have Calico's interfaces and routes in their hands.

Calico's documentation wants NetworkManager told to leave cali*, tunl*, vxlan.calico, vxlan-v6.calico, wireguard.cali
and wg-v6.cali alone (docs.tigera.io, "Configure NetworkManager"). systemd-networkd removes routes of others when it
starts or a link is set up again, unless ManageForeignRoutes=no (networkd.conf(5), since release 246).
Imported only where one of the two runs.
"""

from __future__ import annotations

import fnmatch

from .processes import names_in, read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from .links import Address

NETWORK_MANAGER, NETWORKD = "NetworkManager", "systemd-networkd"
# Who it is that gives pods' interfaces addresses (dhcpcd, connman, avahi-autoipd …) is not told.
OTHER = "another program"
_PODS = "cali"
# The beginnings of the names of interfaces that are Calico's or flannel's, and one such name of each to try a pattern.
OURS = ("cali", "tunl", "vxlan.calico", "vxlan-v6.calico", "flannel", "wireguard.cali", "wg-v6.cali")
_SAMPLES = ("cali0123456789a", "tunl0", "vxlan.calico")
NM_FOLDERS = ("/usr/lib/NetworkManager/conf.d", "/run/NetworkManager/conf.d", "/etc/NetworkManager/conf.d")
NM_FILE = "/etc/NetworkManager/NetworkManager.conf"
NM_STATES = "/run/NetworkManager/devices"
NETWORKD_FOLDERS = ("/usr/lib/systemd", "/usr/local/lib/systemd", "/run/systemd", "/etc/systemd")
NETWORKD_STATES = "/run/systemd/netif/links"
# Conditions of [Match] that no interface of Calico's meets: it has no such hardware, and networks of its own.
_NEVER_OURS = ("MACAddress", "PermanentMACAddress", "Path", "Driver", "Property", "WLANInterfaceType", "SSID", "BSSID")
_YES = ("yes", "true", "on", "1")
_LIMIT = 1 << 16
_MOST_FILES = 64
_MOST_NAMED = 8


def look(running: Iterable[str], interfaces: Mapping[int, str], root: str = "") -> dict[str, Any]:
    """Return calico_node.host.network_managers for those of the two that run. `interfaces` are names by number."""
    facts: dict[str, Any] = {}
    ours = {number: name for number, name in interfaces.items() if name.startswith(OURS)}
    if NETWORK_MANAGER in running:
        facts[NETWORK_MANAGER] = _network_manager(ours, root)
    if NETWORKD in running:
        facts[NETWORKD] = _networkd(ours, root)
    return facts


def with_addresses(addresses: Iterable[Address]) -> dict[str, Any]:
    """Return, in the same form, the hosts' ends of pods' interfaces that have an IPv4 address: neither the CNI plugin
    nor Felix gives them any, so another program takes them for interfaces of the host's own."""
    named = {entry.interface for entry in addresses if entry.family == "ipv4"}
    facts: dict[str, Any] = {}
    _add(facts, "managed", sorted(name for name in named if name.startswith(_PODS)))
    return {OTHER: facts} if facts else {}


def parse_ini(text: str) -> dict[tuple[str, str], list[str]]:
    """Return the values by (section, key), in their order; lines that are neither are passed over."""
    found: dict[tuple[str, str], list[str]] = {}
    section = ""
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip()
        elif line and line[0] not in "#;":
            key, equals, value = line.partition("=")
            if equals:
                found.setdefault((section, key.strip()), []).append(value.strip())
    return found


def excluded(specification: str, name: str) -> bool:
    """Say whether NetworkManager's `unmanaged-devices` names this interface (NetworkManager.conf(5)).

    Parts are separated by ';' or ','; interface-name: takes patterns with * and ?, "=" before it none; "except:"
    takes back. What is told by MAC address, type or driver is not decided here.
    """
    matched = False
    for given in specification.replace(",", ";").split(";"):
        exception = given.strip().startswith("except:")
        part = given.strip()[len("except:") if exception else 0 :]
        kind, colon, value = part.partition(":")
        if part == "*":
            hit = True
        elif kind == "interface-name" and colon:
            hit = value[1:] == name if value.startswith("=") else fnmatch.fnmatchcase(name, value.lstrip("~"))
        else:
            hit = False
        if hit and exception:
            return False
        matched = matched or hit
    return matched


def _network_manager(ours: Mapping[int, str], root: str) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    managed = []
    for number, name in ours.items():
        state = parse_ini(read_text(f"{root}{NM_STATES}/{number}", _LIMIT))
        if state.get(("device", "managed"), [""])[-1] in ("true", "1", "yes"):
            managed.append(name)
    _add(facts, "managed", managed)
    specification = _unmanaged_devices(root)
    left = [sample for sample in _SAMPLES if not excluded(specification, sample)]
    if left:
        facts["not_excluded"] = ["cali*" if name.startswith("cali") else name for name in left]
    return facts


def _unmanaged_devices(root: str) -> str:
    """Return what is in force: files are read by name, one in /etc hides that of the same name elsewhere, a later
    value replaces an earlier one, and "+=" adds to it."""
    value = ""
    for text in [read_text(root + NM_FILE, _LIMIT), *_in_order(NM_FOLDERS, root, ".conf")]:
        settings = parse_ini(text)
        for key in ("unmanaged-devices", "unmanaged-devices+"):
            for given in settings.get(("keyfile", key), []):
                value = f"{value};{given}" if key.endswith("+") else given
    return value


def _networkd(ours: Mapping[int, str], root: str) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    managed = []
    for number, name in ours.items():
        state = parse_ini(read_text(f"{root}{NETWORKD_STATES}/{number}", _LIMIT))
        if state.get(("", "ADMIN_STATE"), ["unmanaged"])[-1] not in ("unmanaged", "linger"):
            managed.append(name)
    _add(facts, "managed", managed)
    keeps = False
    files = [read_text(f"{root}{folder}/networkd.conf", _LIMIT) for folder in NETWORKD_FOLDERS[::-1]]
    main = next((text for text in files if text), "")
    folders = [folder + "/networkd.conf.d" for folder in NETWORKD_FOLDERS]
    for text in [main, *_in_order(folders, root, ".conf")]:
        for given in parse_ini(text).get(("Network", "ManageForeignRoutes"), []):
            keeps = given.lower() in ("no", "false", "off", "0", "n", "f")
    if not keeps:
        facts["removes_foreign_routes"] = True
    folders = [folder + "/network" for folder in NETWORKD_FOLDERS]
    _add(facts, "files", _taking(_named(folders, root, ".network")))
    return facts


def _taking(named: Iterable[tuple[str, str]]) -> list[str]:
    """Return those of the files that take an interface of ours which no earlier one leaves alone: of all that match,
    the first one counts (systemd.network(5))."""
    found, left = [], list(_SAMPLES)
    for name, text in named:
        settings = parse_ini(text)
        names = " ".join(settings.get(("Match", "Name"), [])).split()
        if settings.get(("Link", "Unmanaged"), ["no"])[-1].lower() in _YES and names:
            left = [one for one in left if not _matches(names, (one,))]
        elif takes_ours(text, left):
            found.append(name)
    return found


def takes_ours(text: str, samples: Sequence[str] = _SAMPLES) -> bool:
    """Say whether a .network file's [Match] takes one of these interfaces of Calico's, and does not leave it alone.

    One without any condition on the interface takes every one, whatever it says about the host (systemd.network(5));
    one that is empty takes none. To networkd the host's end of a pod's link is of type ether and of kind veth.
    """
    settings = parse_ini(text)
    if settings.get(("Link", "Unmanaged"), ["no"])[-1].lower() in _YES or not samples:
        return False
    conditions = {key: " ".join(values).split() for (part, key), values in settings.items() if part == "Match"}
    if not any(conditions.values()) or any(key in conditions for key in _NEVER_OURS):
        return False
    traits = (("Name", samples), ("OriginalName", samples), ("Type", ("ether",)), ("Kind", ("veth",)))
    return all(_matches(conditions[key], ours) for key, ours in traits if conditions.get(key))


def _matches(patterns: list[str], ours: Iterable[str]) -> bool:
    inverted = patterns[0].startswith("!")
    plain = [pattern.lstrip("!") for pattern in patterns]
    return any(any(fnmatch.fnmatchcase(one, pattern) for pattern in plain) != inverted for one in ours)


def _in_order(folders: Iterable[str], root: str, ending: str) -> list[str]:
    return [text for _name, text in _named(folders, root, ending)]


def _named(folders: Iterable[str], root: str, ending: str) -> list[tuple[str, str]]:
    """Return name and text of the files, by name; the same name in a later folder replaces that of an earlier one."""
    places = {name: f"{root}{folder}/{name}" for folder in folders for name in names_in(root + folder)}
    names = sorted(name for name in places if name.endswith(ending))[:_MOST_FILES]
    return [(name, read_text(places[name], _LIMIT)) for name in names]


def _add(facts: dict[str, Any], key: str, names: list[str]) -> None:
    if names:
        facts[key] = sorted(names)[:_MOST_NAMED]
    if len(names) > _MOST_NAMED:
        facts[key + "_count"] = len(names)
