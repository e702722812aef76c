# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the addresses that Calico would register are the right ones: there, each host's own, and in reach."""

from __future__ import annotations

import functools
import ipaddress
from typing import TYPE_CHECKING, Any

from ...module_utils._host.calico_log_words import ODD_INTERFACES
from .._catalogue import api, words
from .._evidence import plain
from .._lint import context as lint
from . import forecast, intent, told
from .finding import finding, seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from .forecast import Forecast
    from .intent import Intent
    from .model import Scene

    Advice = Callable[[], tuple[str, list[str]]]

_SPOKEN = {"ipv4": "IPv4", "ipv6": "IPv6"}
_VARIABLE = {"ipv4": "IP", "ipv6": "IP6"}
_SOURCE = "autodetection"
_VIP, _MAYBE = "vip", "maybe_vip"


def findings(scene: Scene) -> list[dict[str, Any]]:
    """What is wrong with the addresses that Calico would take on these hosts."""
    plan = intent.read(scene.planned)
    found: list[dict[str, Any]] = []
    for family in intent.FAMILIES:
        ahead = forecast.forecasts(scene, plan, family)
        if ahead:
            found += _of_family(scene, plan, family, ahead)
    return found


def _of_family(scene: Scene, plan: Intent, family: str, ahead: Sequence[Forecast]) -> Iterator[dict[str, Any]]:
    @functools.cache
    def advice() -> tuple[str, list[str]]:
        return _advice(ahead, family)  # only where something is wrong: it tries all methods on all hosts

    shared = forecast.holders(ahead)
    yield from _nothing(ahead, family, advice)
    yield from _undecided(ahead)
    yield from _shared(shared, ahead, advice)
    left = [one for one in ahead if one.address and one.pick.decided and one.address not in shared]
    wrong = {one.host: why for one in left if (why := _why_wrong(one, ahead, plan))}
    yield from _wrong(left, wrong, advice)
    yield from _moving(scene, [one for one in left if one.host not in wrong], advice)
    yield from _masks([one for one in left if one.host not in wrong])
    yield from _not_probed([one for one in left if one.host not in wrong])
    yield from _changing(ahead)


def _advice(ahead: Sequence[Forecast], family: str) -> tuple[str, list[str]]:
    """How to have the right addresses picked: a sentence, and lines to type or to write."""
    method = forecast.better(ahead)
    variable = api.DETECTION_VARIABLE[family]
    if not method:
        return f"Choose a method ({variable}) that finds an address of the nodes' network on every host.", []
    if method == ahead[0].method:
        return "", []
    field = {key: value for key, value in api.detection_field(method).items() if value is not None}
    text = (
        f"Plan {variable}={method} (in an Installation: {api.DETECTION[family]}: {field}); it takes the right address "
        "on all of these hosts. Then check again."
    )
    option = "preflight_autodetection" + ("_ipv6" if family == "ipv6" else "")
    return text, [f"ansible-playbook netmedic.calico.preflight -i INVENTORY -e '{option}={method}'"]


def _nothing(ahead: Sequence[Forecast], family: str, advice: Advice) -> Iterator[dict[str, Any]]:
    lacking = [one for one in ahead if not one.address and one.pick.decided]
    if not lacking:
        return
    bare = {one.host: one.pick.why for one in lacking if not any(i.addresses for i in one.node.interfaces)}
    some = {one.host: one.pick.why for one in lacking if one.host not in bare}
    summary = f"Calico would find no {_SPOKEN[family]} address on {{hosts}}, without which calico-node does not start"
    fault = "ipv4_missing_on_host" if family == "ipv4" else "autodetection_found_nothing"
    fix = f"Give the hosts an address of this family, or plan a cluster without ({_VARIABLE[family]}=none)."
    yield from told.together(fault, "critical", bare, f"{summary}: they have none at all.", fix, source=_SOURCE)
    yield from told.together(
        "autodetection_found_nothing",
        "critical",
        some,
        f"{summary}: {lacking[0].method} matches nothing there.",
        advice()[0] or "Put the hosts' addresses in order; the method is right elsewhere.",
        source=_SOURCE,
        typed=advice()[1],
    )


def _undecided(ahead: Sequence[Forecast]) -> Iterator[dict[str, Any]]:
    yield from told.together(
        "preflight.autodetection",
        "minor",
        {one.host: one.pick.why for one in ahead if not one.pick.decided},
        "Which address Calico would take on {hosts} cannot be said.",
        "Choose a method that depends on the host alone (cidr=, interface=), or look at each host by hand.",
        {one.host: ["ip -brief address; ip route get 198.51.100.1"] for one in ahead if not one.pick.decided},
        source=_SOURCE,
        title="The forecast of a host's address is not certain",
        means="calico-node registers what it finds when it starts. A wrong address there breaks BGP and every tunnel.",
    )


def _shared(shared: Mapping[str, Sequence[str]], ahead: Sequence[Forecast], advice: Advice) -> Iterator[dict[str, Any]]:
    by_host = {one.host: one for one in ahead}
    for address, names in shared.items():
        first = by_host[names[0]]
        everywhere = len(names) == len(ahead) or all(by_host[name].node.truth not in ("", address) for name in names)
        yield finding(
            "wrong_ip_autodetection" if everywhere else "duplicate_node_ip",
            "critical",
            names,
            f"Calico would register {address} ({first.pick.interface}) for each of {words.listed(names)}, by "
            f"{first.method}.",
            advice()[0] or f"Give each host an address of its own; find who has {address} by mistake.",
            advice()[1] or [told.everywhere(names, "ip -brief address")],
            evidence=[seen(name, _SOURCE, by_host[name].pick.why) for name in names[: told.MOST_SEEN]],
            where={"address": address, "interface": first.pick.interface},
        )


def _why_wrong(one: Forecast, ahead: Sequence[Forecast], plan: Intent) -> str:
    """Why an address cannot be right, '' where nothing says so."""
    taken = f"{one.address} ({one.pick.interface})"
    networks = [network for network in plan.nodes if (network.version == 6) == (one.family == "ipv6")]
    if networks and not any(_inside(one.address, network) for network in networks):
        return f"{taken} is in none of the nodes' networks, {words.listed(map(str, networks))}"
    if one.pick.interface.startswith(ODD_INTERFACES):
        return f"{taken} is of containers, pods or a tunnel"
    if one.address == one.node.truth or not one.node.truth:
        return ""
    own = one.network
    home = lint.network(f"{one.node.truth}/{one.node.prefix_of(one.node.truth)}")
    alone = own is None or not any(forecast.neighbours(own, ahead, one.host))
    if alone and home is not None and any(forecast.neighbours(home, ahead, one.host)):
        return f"nobody else is in the subnet of {taken}; the others are near {one.node.truth} ({one.node.truth_why})"
    return ""


def _inside(address: str, network: intent.Network) -> bool:
    return ipaddress.ip_address(address) in network


def _wrong(left: Sequence[Forecast], wrong: Mapping[str, str], advice: Advice) -> Iterator[dict[str, Any]]:
    if not wrong:
        return
    yield from told.together(
        "wrong_ip_autodetection",
        "critical",
        wrong,
        f"By {left[0].method} Calico would register a wrong address for {{hosts}}.",
        advice()[0]
        or "Correct the hosts' addresses or the inventory; the method itself takes the right one elsewhere.",
        source=_SOURCE,
        typed=advice()[1],
    )


def _moving(scene: Scene, left: Sequence[Forecast], advice: Advice) -> Iterator[dict[str, Any]]:
    """Addresses that move from host to host, or look like it."""
    sure: dict[str, str] = {}
    maybe: dict[str, str] = {}
    for one in left:
        if one.address not in one.node.moving:
            continue
        about = told.part(scene.hosts[one.host], "calico_node")
        signs = [
            plain.texts(held.get("signs"))
            for held in plain.mappings(about.get("addresses"))
            if held.get("address") == one.address
        ]
        who = words.listed(plain.texts(about.get("vip_holders")))
        if any(_VIP in each for each in signs):
            sure[one.host] = f"{one.address} on {one.pick.interface}; {who} runs there"
        else:
            maybe[one.host] = f"{one.address} on {one.pick.interface}, beside another address of its subnet"
    if not sure and not maybe:
        return
    summary = "Calico would register an address for {hosts} that"
    fix = advice()[0] or "Choose a method that leaves the floating address out."
    yield from told.together("vip_chosen_as_node_ip", "major", sure, f"{summary} moves from host to host.", fix)
    yield from told.together("vip_chosen_as_node_ip", "minor", maybe, f"{summary} looks like a floating one.", fix)


def _masks(left: Sequence[Forecast]) -> Iterator[dict[str, Any]]:
    yield from told.together(
        "node_ip_mask_32",
        "minor",
        {one.host: f"{one.address}/{one.pick.prefix} on {one.pick.interface}" for one in left if one.network is None},
        "The address of {hosts} has no subnet, so that CrossSubnet encapsulates all their packets.",
        "Plan Always instead of CrossSubnet, or register the address with the prefix of the network.",
        source=_SOURCE,
    )


def _not_probed(left: Sequence[Forecast]) -> Iterator[dict[str, Any]]:
    """Hosts that were probed by another address than Calico will use."""
    apart = {one.host: one for one in left if one.probed and one.probed != one.address}
    given = ", ".join(f'"{name}": "{one.address}"' for name, one in list(apart.items())[:3])
    more = ", ..." if len(apart) > 3 else ""
    option = f'{{"preflight_addresses": {{{given}{more}}}}}'
    yield from told.together(
        "preflight.addresses_not_probed",
        "minor",
        {name: f"Calico would use {one.address}, probed was {one.probed}" for name, one in apart.items()},
        "Calico would use other addresses on {hosts} than those that were probed, so that the matrix does not tell of "
        "its ways.",
        "Check again with the addresses that Calico will use.",
        source=_SOURCE,
        title="Probed were other addresses than Calico will use",
        typed=[f"ansible-playbook netmedic.calico.preflight -i INVENTORY -e '{option}'"],
        means="A firewall may treat two networks differently: what was proven of one says nothing of the other.",
    )


def _changing(ahead: Sequence[Forecast]) -> Iterator[dict[str, Any]]:
    """Hosts that get another address by the upgrade: the new release leaves out other interfaces than the old one."""
    moved = {
        one.host: f"now {one.now.address or 'nothing'} ({one.now.interface}), then {one.address or 'nothing'} "
        f"({one.pick.interface})"
        for one in ahead
        if one.now is not None and one.now.decided and one.pick.decided and one.now.address != one.address
    }
    yield from told.together(
        "preflight.address_changes",
        "major",
        moved,
        "The release to upgrade to finds another address on {hosts} than the one that runs: their sessions and tunnels "
        "move to it, node by node, while the upgrade goes on.",
        "Fix the method first (cidr= or interface= mean the same in every release), then upgrade.",
        source=_SOURCE,
        title="The upgrade changes the addresses of hosts",
        means="Releases differ in the interfaces that first-found leaves out, so that a restart registers another one.",
    )
