# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel and network managers wrote into the system's log that concerns Calico.

The kernel: "nf_conntrack: table full, dropping packet" (net/netfilter/nf_conntrack_core.c; older ones say
"nf_conntrack: nf_conntrack:" and "ip_conntrack:"). systemd-networkd tells of every interface that it "Gained carrier",
but only of one that it manages that it is "Configuring with" a file, asks for an address by DHCP, and so on
(src/network/networkd-link.c). NetworkManager writes of one that it manages
"device (cali…): state change: unmanaged -> unavailable" (src/core/devices/nm-device.c); before 1.0 it was
"(cali…): device state change: …" (src/devices/nm-device.c). A receiver whose UDP packets carry wrong checksums says
"UDP: bad checksum. From 172.16.9.99:27503 to 172.16.80.252:8472 ulen 75" (net/ipv4/udp.c); a module that was not made
for the kernel that runs "ip_set_hash_net: disagrees about version of symbol …" (kernel/module/main.c), or a symbol is
unknown to it.
"""

from __future__ import annotations

import re

from . import calico_log
from .log_lines import shown
from .network_managers import NETWORK_MANAGER, NETWORKD, OURS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator

    from .calico_log import Line

KERNEL = "kernel"
FULL = "table full, dropping packet"
# Kinds: the table is full; an interface of Calico's is in a manager's hands; a manager only says that it saw one.
CONNTRACK_FULL, MANAGED, SEEN = "conntrack_full", "interface_managed", "interface_seen"
# A tunnel's packets come in with wrong checksums; a part of the kernel that Calico needs cannot be loaded.
BAD_CHECKSUM, LACKS = "bad_checksum", "kernel_lacks"
# The ports of VXLAN: the registered one, which Calico uses, and Linux' own old one, which is flannel's.
_CHECKSUM = r"UDP: bad checksum\. From \S+ to \S+:(?:4789|8472)\b"
_OUR_MODULE = r"(?:ip_set|ip6?_?tables?|ip6?t_|xt_|nft?_|vxlan|ipip|tunnel4|ip_tunnel|wireguard)\w*"
_SYMBOL = rf"\b{_OUR_MODULE}: (?:Unknown symbol|disagrees about version of symbol) "
_OURS = "(?:" + "|".join(map(re.escape, OURS)) + r")[\w.-]*"
_NETWORKD = rf"systemd-networkd(?:\[\d+\])?: ({_OURS}): (\S.*)"
_NM = rf"NetworkManager(?:\[\d+\])?: .{{0,200}}?\(({_OURS})\): (?:device )?state change: [\w-]+ -> ([\w-]+)"
_IN_ITS_HANDS = ("Configur", "DHCP", "Could not", "Failed to", "Removing", "Setting", "Reconfigur", "IPv4LL")


def parse(text: str, now: float, ahead: int | None = None) -> list[Line]:
    """Return the telling lines of the system's log or a part of it; `now` and `ahead` as in calico_log."""
    return [line for raw in text.splitlines() for line in _read(raw, now, ahead)]


def _read(raw: str, now: float, ahead: int | None) -> Iterator[Line]:
    if FULL in raw and "conntrack" in raw:
        yield _line(raw, KERNEL, CONNTRACK_FULL, raw[raw.index("conntrack") - 3 :], now, ahead)
    elif "bad checksum" in raw or "symbol" in raw:
        kind = BAD_CHECKSUM if "bad checksum" in raw else LACKS
        match = re.search(_CHECKSUM if kind == BAD_CHECKSUM else _SYMBOL, raw)
        if match is not None:
            yield _line(raw, KERNEL, kind, raw[match.start() :], now, ahead)
    elif "networkd" in raw:
        match = re.search(_NETWORKD, raw)
        if match is not None:
            kind = MANAGED if match.group(2).startswith(_IN_ITS_HANDS) else SEEN
            yield _line(raw, NETWORKD, kind, raw[match.start(1) :], now, ahead)
    elif "state change: " in raw and NETWORK_MANAGER in raw:
        match = re.search(_NM, raw)
        if match is not None and match.group(2) != "unmanaged":
            yield _line(raw, NETWORK_MANAGER, MANAGED, raw[match.start(1) - 1 :], now, ahead)


def _line(raw: str, component: str, kind: str, message: str, now: float, ahead: int | None) -> Line:
    return calico_log.Line(calico_log.time_of(raw, now, ahead), component, kind, shown(message))
