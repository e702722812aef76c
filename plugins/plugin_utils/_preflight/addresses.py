# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""By which addresses hosts are to reach each other: those given, else what host and inventory tell."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from .._evidence import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LOCAL = ("lo", "docker", "cali", "tunl", "vxlan", "flannel", "cni", "veth", "kube-", "nodelocaldns", "virbr")


def of_host(name: str, variables: Mapping[str, Any], facts: Mapping[str, Any], given: Any) -> tuple[str, ...]:
    """The addresses of a host, of each family at most one. given: the variable preflight_addresses.

    Without it the one by which Calico knows the host already, or that the inventory has, if it is on the host; else the
    first global one. ValueError, with a sentence, for addresses that cannot be.
    """
    wanted = _given(name, given)
    if wanted:
        return wanted
    about = plain.mapping(facts.get("calico_node"))
    held = [one for one in plain.mappings(about.get("addresses")) if plain.text(one.get("address"))]
    on_host = {plain.text(one["address"]) for one in held}
    known = tuple(filter(None, map(plain.text, plain.mapping(about.get("bgp_addresses")).values())))
    if known:
        return one_of_each(known)
    of_inventory = canonical(plain.text(variables.get("ansible_host")) or name)
    if of_inventory in on_host:
        return (of_inventory,)
    return one_of_each(plain.text(one["address"]) for one in held if _is_usual(one))[:1] or _alone(of_inventory, held)


def canonical(text: str) -> str:
    """The address as everything else writes it, '' for what is none."""
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        return ""


def one_of_each(addresses: Iterable[str]) -> tuple[str, ...]:
    """The first address of each family, IPv4 first."""
    found: dict[bool, str] = {}
    for address in filter(None, map(canonical, addresses)):
        found.setdefault(":" in address, address)
    return tuple(found[six] for six in (False, True) if six in found)


def _given(name: str, given: Any) -> tuple[str, ...]:
    of_host = plain.mapping(given).get(name)
    if of_host is None:
        return ()
    listed = plain.listed(of_host)
    texts = [plain.text(one) for one in listed] if isinstance(listed, (list, tuple)) else [""]
    wrong = [text for text in texts if not canonical(text)]
    if wrong or not texts:
        raise ValueError(f"preflight_addresses has {wrong[0] if wrong else of_host!r} for {name}, which is no address")
    return one_of_each(texts)


def _is_usual(held: Mapping[str, Any]) -> bool:
    """An IPv4 address that other hosts may know this one by."""
    address = canonical(plain.text(held.get("address")))
    if not address or ":" in address or plain.text(held.get("interface")).startswith(_LOCAL):
        return False
    return held.get("up") is not False and plain.text(held.get("scope") or "global") == "global"


def _alone(of_inventory: str, held: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The inventory's address of a host that has not told its own ones, or that has none of IPv4."""
    if of_inventory and not list(held):
        return (of_inventory,)
    six = [canonical(plain.text(one.get("address"))) for one in held if one.get("scope") in (None, "global")]
    return one_of_each(six)[:1]
