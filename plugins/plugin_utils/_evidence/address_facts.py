# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node tells of its own addresses and names: who put them there, which of them Calico would choose, and why.

The shapes are those of RV(ansible_facts.calico_node) of M(netmedic.calico.node_facts). Everything here says "not told"
by being empty or None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FAMILIES = ("ipv4", "ipv6")
VIP, MAYBE_VIP = "vip", "maybe_vip"


@dataclass(frozen=True)
class Held:
    """An address of the host. position: its interface's place in the kernel's list. signs: what is peculiar about it.

    own: one by which other nodes might know this one; others are those of bridges, tunnels and pods.
    """

    address: str
    prefix: int | None
    interface: str
    position: int = 0
    scope: str = ""
    up: bool | None = None
    signs: frozenset[str] = frozenset()
    own: bool = True

    @property
    def with_length(self) -> str:
        """The address with its prefix length, as Calico stores it."""
        return f"{self.address}/{self.prefix}" if self.prefix is not None else self.address


@dataclass(frozen=True)
class Detection:
    """How Calico finds the node's address of one family, and what it would find now.

    told: autodetect, unset, none, address (then given is that), unknown, or '' if nothing is said of it. picks is '' if
    nothing would be picked; decided False: that cannot be said for certain.
    """

    told: str = ""
    given: str = ""
    method: str = ""
    picks: str = ""
    interface: str = ""
    decided: bool = True
    why: str = ""
    first_found: str = ""
    first_found_interface: str = ""
    outward: str = ""

    @property
    def detects(self) -> bool:
        """Calico looks for the address by itself, and would find none or one now."""
        return self.told in ("autodetect", "unset")


@dataclass(frozen=True)
class AddressFacts:
    """Everything that a node tells of its addresses and names.

    vip_holders: programs that run there and move addresses from host to host. other_sources: the peers to whom the
    kernel would send from another address than BGP does, by that address. complete: no address was left out.
    """

    held: tuple[Held, ...] = ()
    complete: bool = False
    vip_holders: tuple[str, ...] = ()
    detection: Mapping[str, Detection] = field(default_factory=dict)
    other_sources: Mapping[str, frozenset[str]] = field(default_factory=dict)
    nodename_source: str = ""
    nodename_file: str = ""
    node_ref: str = ""
    kubelet_nodename: str = ""
    hostname_override: str = ""
    kubelet_node_ip: str = ""

    def of(self, address: str) -> Held | None:
        """The host's own address of this value, '' counts as none."""
        return next((one for one in self.held if one.address == address), None) if address else None

    def of_family(self, family: str) -> tuple[Held, ...]:
        """The addresses of one family by which others might know the node."""
        return tuple(one for one in self.held if one.own and (":" in one.address) == (family == "ipv6"))


def read(facts: Mapping[str, Any]) -> AddressFacts:
    """Read one node's facts. What is absent or of a wrong type is as if it had not been told."""
    about = plain.mapping(facts.get("calico_node"))
    host = plain.mapping(about.get("host"))
    kubelet = plain.mapping(host.get("kubelet"))
    return AddressFacts(
        held=(*_held(about, "addresses", own=True), *_held(about, "other_addresses", own=False)),
        complete=bool(about.get("addresses"))
        and not about.get("addresses_left_out")
        and not about.get("other_addresses_left_out"),
        vip_holders=plain.texts(about.get("vip_holders")),
        detection=dict(_detections(plain.mapping(about.get("autodetection")))),
        other_sources={
            address: frozenset(plain.unpacked(peers))
            for address, peers in plain.mapping(host.get("other_sources")).items()
        },
        nodename_source=plain.text(about.get("nodename_source")),
        nodename_file=plain.text(about.get("nodename_file")),
        node_ref=plain.text(about.get("node_ref")),
        kubelet_nodename=plain.text(about.get("kubelet_nodename")),
        hostname_override=plain.text(kubelet.get("hostname_override")),
        kubelet_node_ip=plain.text(kubelet.get("node_ip")),
    )


def _held(about: Mapping[str, Any], key: str, *, own: bool) -> Iterator[Held]:
    for item in plain.mappings(about.get(key)):
        address = plain.text(item.get("address"))
        if address:
            yield Held(
                address=address,
                prefix=plain.integer(item.get("prefix")),
                interface=plain.text(item.get("interface")),
                position=plain.count(item.get("position")),
                scope=plain.text(item.get("scope")),
                up=plain.flag(item.get("up")),
                signs=frozenset(plain.texts(item.get("signs"))),
                own=own,
            )


def _detections(told: Mapping[str, Any]) -> Iterator[tuple[str, Detection]]:
    for family in FAMILIES:
        item = plain.mapping(told.get(family))
        if item:
            yield (
                family,
                Detection(
                    told=plain.text(item.get("set")) or "autodetect",
                    given=plain.text(item.get("given")),
                    method=plain.text(item.get("method")),
                    picks=plain.text(item.get("picks")),
                    interface=plain.text(item.get("interface")),
                    decided=item.get("undecided") is not True,
                    why=plain.text(item.get("why")),
                    first_found=plain.text(item.get("first_found")),
                    first_found_interface=plain.text(item.get("first_found_interface")),
                    outward=plain.text(item.get("outward")),
                ),
            )
