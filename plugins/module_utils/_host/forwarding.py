# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Forwarding and reverse path filtering of every interface, asked of the kernel in one question per family.

Felix turns forwarding on when it starts and never looks again, so a later `sysctl --system` goes unnoticed by it
(felix/dataplane/linux/int_dataplane.go, "Making sure IPv4 forwarding is enabled."). Layouts: <linux/netconf.h>.
"""

from __future__ import annotations

import socket
import struct

from .._numbers import is_whole
from .._record import NamedTuple
from . import netlink
from .processes import names_in, read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Dict

ALL = "all"
_DEFAULT = "default"
_RTM_NEWNETCONF, _RTM_GETNETCONF = 80, 82
_IFINDEX, _FORWARDING, _RP_FILTER = 1, 2, 3
_EVERY = {0xFFFFFFFF: ALL, 0xFFFFFFFE: _DEFAULT}
_FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
_LONGEST_KEY = 4


class Setting(NamedTuple):
    """What is set for one interface, or for "all". `rp_filter` is 0 (off), 1 (strict) or 2 (loose), None if nothing
    tells it; IPv6 has none."""

    forwarding: bool
    rp_filter: int | None = None


if TYPE_CHECKING:
    Settings = Dict[str, Dict[str, Setting]]


def read(connection: netlink.Netlink | None, interfaces: Mapping[int, str], proc_root: str = "/proc") -> Settings:
    """Return {"ipv4": {"all": Setting, "eth0": …}, "ipv6": …}; a family that the kernel does not have is left out.

    `interfaces` are names by number. A kernel that cannot be asked is read from /proc/sys.
    """
    found: Settings = {}
    for family, number in _FAMILIES.items():
        try:
            settings = _ask(connection, number, interfaces) if connection is not None else {}
        except OSError:
            settings = {}
        if ALL not in settings:
            folder = f"{proc_root}/sys/net/{family}/conf"
            settings = {name: _file(f"{folder}/{name}") for name in names_in(folder) if name != _DEFAULT}
        if settings:
            found[family] = settings
    return found


def from_sysctl(values: Mapping[str, str]) -> Settings:
    """Return the same from the output of `sysctl -a`, as a mapping of its names ("net.ipv4.conf.eth0.rp_filter").

    An interface's own dots stand in such a name as slashes.
    """
    found: Settings = {}
    for name, value in values.items():
        words = name.split(".")
        if words[0] != "net" or len(words) <= _LONGEST_KEY or words[1] not in _FAMILIES or words[2] != "conf":
            continue
        key, interface = words[-1], ".".join(words[3:-1]).replace("/", ".")
        if key not in ("forwarding", "rp_filter") or interface == _DEFAULT or not is_whole(value.strip()):
            continue
        family = found.setdefault(words[1], {})
        before = family.get(interface, Setting(False))
        number = int(value.strip())
        family[interface] = (
            before._replace(forwarding=number != 0) if key == "forwarding" else before._replace(rp_filter=number)
        )
    return found


def not_forwarding(settings: Mapping[str, Setting], interfaces: Iterable[str]) -> list[str]:
    """Return "all" if forwarding is off altogether, and those of the interfaces that do not forward."""
    wanted = [ALL, *interfaces]
    return [name for name in wanted if name in settings and not settings[name].forwarding]


def filtering(settings: Mapping[str, Setting], interfaces: Iterable[str]) -> dict[str, list[str]]:
    """Return {"strict": [interface…], "loose": […]} by the value in effect, which is the greater of the interface's and
    that of "all" (Documentation/networking/ip-sysctl.rst)."""
    everywhere = settings.get(ALL, Setting(False)).rp_filter or 0
    found: dict[str, list[str]] = {}
    for name in interfaces:
        if name in settings:
            effective = max(everywhere, settings[name].rp_filter or 0)
            if effective:
                found.setdefault("strict" if effective == 1 else "loose", []).append(name)
    return found


def _ask(connection: netlink.Netlink, family: int, interfaces: Mapping[int, str]) -> dict[str, Setting]:
    found = {}
    for kind, body in connection.dump(_RTM_GETNETCONF, struct.pack("=Bxxx", family)):
        attributes = netlink.attributes(body, 4)
        number = netlink.number(attributes.get(_IFINDEX))
        name = interfaces.get(number) or _EVERY.get(number, "")
        if kind == _RTM_NEWNETCONF and name and name != _DEFAULT:
            forwarding = netlink.number(attributes.get(_FORWARDING)) != 0
            found[name] = Setting(forwarding, netlink.number(attributes.get(_RP_FILTER)))
    return found


def _file(folder: str) -> Setting:
    forwarding = read_text(folder + "/forwarding", 16).strip()
    rp_filter = read_text(folder + "/rp_filter", 16).strip()
    return Setting(forwarding not in ("", "0"), int(rp_filter) if is_whole(rp_filter) else None)
