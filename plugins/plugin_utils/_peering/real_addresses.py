# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from addresses as they really are, and what a bundle with replaced addresses says of it.

Which of two addresses is the greater one as a string decides who dials; that an address is one which programs give to
every host alike makes it a poor choice. In a bundle whose addresses are replaced both are written down, and believed.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SCHEMA = "netmedic.calico.redaction/v1"
FILE = "redaction.json"
ORDER, ALIKE = "order_of_addresses", "alike_on_every_host"
# What programs give every host alike: Docker's, Podman's, libvirt's and LXC's bridges, VirtualBox' and QEMU's NAT, and
# the cache of node-local DNS.
_EVERYWHERE = re.compile(
    r"172\.(1[7-9]|2\d|3[01])\.0\.1|10\.0\.2\.15|192\.168\.122\.1|10\.0\.3\.1|10\.88\.0\.1|169\.254\.(20|25)\.10"
)


class RealAddresses:
    """The order of the real addresses by the replaced ones, and which of these stand for one that every host has."""

    def __init__(self, places: Mapping[str, int] | None = None, alike: Iterable[str] | None = None) -> None:
        self._places = dict(places or {})
        self._alike = None if alike is None else frozenset(alike)

    def greater(self, one: str, other: str) -> bool:
        """Say whether the first address is the greater string; the order of letters where nothing else is known."""
        if self._places:
            here, there = self._places.get(one), self._places.get(other)
            if here is not None and there is not None:
                return here > there
        return one > other

    def place(self, address: str) -> tuple[int, str]:
        """Return by what addresses are put in the order of the real ones."""
        return self._places.get(address, -1), address

    def is_everywhere(self, address: str) -> bool:
        """Say whether an address is one that container engines and hypervisors give to every host alike."""
        if self._alike is not None:
            return address in self._alike
        return _EVERYWHERE.fullmatch(address) is not None


UNCHANGED = RealAddresses()


def read(text: str) -> RealAddresses:
    """Return what a bundle's record tells; where there is none, or it is broken, addresses are as they are."""
    try:
        found: Any = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return UNCHANGED
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        return UNCHANGED
    told, alike = found.get(ORDER), found.get(ALIKE)
    places: dict[str, int] = {}
    for addresses in told.values() if isinstance(told, dict) else ():
        for address in _texts(addresses):
            places[address] = len(places)
    return RealAddresses(places, _texts(alike))


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
