# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One node's facts, as the modules return them, read into the evidence model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...module_utils._facts import grouping
from . import (
    address_facts,
    control_plane,
    host_facts,
    host_state,
    overlay_facts,
    packet_paths,
    plain,
    rules,
    sizes,
    tools,
)
from .address_set import AddressSet
from .model import (
    FAMILIES,
    BirdConfig,
    Clock,
    Counter,
    Daemon,
    HostAddress,
    Listener,
    LogLine,
    Mtu,
    MtuPath,
    Node,
    Probe,
    Protocol,
    Reachability,
    SourceRewrite,
    SourceStatus,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_BGP_PORT = 179
FACT_KEYS = ("calico_node", "calico_bgp", "calico_firewall", "calico_mtu", "calico_chrony")


def read_node(name: str, facts: Mapping[str, Any], inventory_address: str = "") -> Node:
    """The evidence in one node's facts. Absent parts stay empty; wrongly typed parts are treated as absent."""
    about = plain.mapping(facts.get("calico_node"))
    bgp = plain.mapping(facts.get("calico_bgp"))
    calico = plain.mapping(about.get("calico"))
    return Node(
        name=name,
        inventory_address=inventory_address,
        taken_at=plain.text(about.get("taken_at")) or plain.text(bgp.get("taken_at")),
        nodename=plain.text(about.get("nodename")) or name,
        hostname=plain.text(about.get("hostname")),
        machine=_machine(about, bgp),
        has_calico=_has_calico(about, bgp),
        privileged=plain.flag(about.get("privileged")),
        uptime_seconds=plain.integer(about.get("uptime_seconds")),
        addresses=tuple(_host_addresses(about)),
        addresses_complete=bool(about.get("addresses")) and not about.get("addresses_left_out"),
        bgp_addresses=_bgp_addresses(about),
        backend=plain.text(calico.get("backend")),
        calico_version=plain.text(calico.get("version")),
        bird_expected=plain.flag(bgp.get("expected")),
        bird_expected_why=plain.text(bgp.get("expected_why")),
        daemons=dict(_daemons(bgp)),
        listeners=tuple(_listeners(bgp)),
        md5=_md5(bgp),
        md5_seconds=plain.seconds(plain.mapping(bgp.get("md5")).get("seconds")),
        log=tuple(_log(bgp)),
        probes={probe.peer: probe for probe in _probes(bgp)},
        reachability={reach.peer: reach for reach in _reachability(bgp)},
        verdicts=_verdicts(facts),
        source_rewrites=tuple(_source_rewrites(facts)),
        mtu=_mtu(facts),
        clock=_clock(facts),
        sources=tuple(_sources(name, facts)),
        control=control_plane.read(facts),
        own=address_facts.read(facts),
        host=host_facts.read(facts),
        state=host_state.read(facts),
        packets=packet_paths.read(facts),
        overlay=overlay_facts.read(facts),
        sizes=sizes.read(facts),
        tools=tools.read(facts),
        processes_listed=bgp.get("processes_listed") is not False,
        without_python=about.get("read_without_python") is True,
    )


def _entries(facts: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The entries of a list that stand in full, and one for each peer of its groups."""
    return plain.mappings(facts.get(key)) + list(grouping.unfold(plain.mappings(facts.get(key + "_groups"))))


def _names(config: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """The names of protocols that stand in full, and those that are packed."""
    packed = plain.mapping(config.get(key + "_packed"))
    more = [
        grouping.name_of(kind, address) for kind, addresses in packed.items() for address in plain.unpacked(addresses)
    ]
    return (*plain.texts(config.get(key)), *more)


def _host_addresses(about: Mapping[str, Any]) -> list[HostAddress]:
    return [
        HostAddress(
            plain.text(item.get("address")), plain.integer(item.get("prefix")), plain.text(item.get("interface"))
        )
        for item in plain.mappings(about.get("addresses"))
    ]


def _machine(about: Mapping[str, Any], bgp: Mapping[str, Any]) -> tuple[str, ...]:
    """The boot, the names and BIRD's processes of a machine; () where the boot is not known."""
    boot = plain.text(about.get("boot_id"))
    daemons = plain.mapping(bgp.get("daemons")).values()
    pids = sorted(plain.text(plain.mapping(daemon).get("pid")) for daemon in daemons)
    addresses = sorted(held.address for held in _host_addresses(about))
    names = (plain.text(about.get("nodename")), plain.text(about.get("hostname")))
    return (boot, *names, *pids, *addresses) if boot else ()


def _has_calico(about: Mapping[str, Any], bgp: Mapping[str, Any]) -> bool:
    """BIRD, an expectation of it, or the node name that calico-node was told or leaves on the host."""
    named = about.get("nodename_source") in ("file", "environment")
    return bool(bgp.get("daemons")) or bgp.get("expected") is not None or named


def _bgp_addresses(about: Mapping[str, Any]) -> dict[str, str]:
    claimed = plain.mapping(about.get("bgp_addresses"))
    return {family: plain.text(claimed[family]) for family in FAMILIES if plain.text(claimed.get(family))}


def _daemons(bgp: Mapping[str, Any]) -> list[tuple[str, Daemon]]:
    found = plain.mapping(bgp.get("daemons"))
    return [(family, _daemon(family, plain.mapping(found[family]))) for family in FAMILIES if found.get(family)]


def _daemon(family: str, item: Mapping[str, Any]) -> Daemon:
    peers = plain.mapping(item.get("peers"))
    config = _config(plain.mapping(item.get("config")))
    protocols = [_protocol(entry) for entry in _entries(item, "troubled")]
    packed = plain.mapping(peers.get("packed"))
    established = AddressSet.packed(*packed.values())
    mesh = established if packed.keys() == {"Mesh"} else AddressSet.packed(packed.get("Mesh"))
    livelier = [protocol.peer for protocol in protocols if protocol.established]
    return Daemon(
        family=family,
        running=plain.flag(item.get("running")),
        pid=plain.integer(item.get("pid")),
        socket=plain.text(item.get("socket")),
        socket_state=plain.text(item.get("socket_state")),
        version=plain.text(item.get("version")),
        router_id=plain.text(item.get("router_id")),
        local_as=config.local_as,
        state=plain.text(item.get("state")),
        started_seconds_ago=plain.integer(item.get("started_seconds_ago")),
        booted_seconds_ago=plain.integer(item.get("booted_seconds_ago")),
        reconfigured_seconds_ago=plain.integer(item.get("reconfigured_seconds_ago")),
        restarting_gracefully=bool(item.get("graceful_restart")),
        config=config,
        total=plain.integer(peers.get("total")),
        established=established | AddressSet.of(livelier) if livelier else established,
        mesh=mesh,
        recent={
            plain.text(entry.get("peer")): plain.count(entry.get("since_seconds_ago"))
            for entry in plain.mappings(item.get("recent"))
        },
        troubled=_by_peer(protocols),
    )


def _by_peer(protocols: list[Protocol]) -> dict[str, Protocol]:
    """The protocols that are not established, one per peer: where two protocols name one peer, the livelier one."""
    chosen: dict[str, Protocol] = {}
    for protocol in protocols:
        if not protocol.established and (protocol.peer not in chosen or protocol.bgp_state not in ("Idle", "Down")):
            chosen[protocol.peer] = protocol
    return chosen


def _config(item: Mapping[str, Any]) -> BirdConfig:
    return BirdConfig(
        path=plain.text(item.get("path")),
        modified_seconds_ago=plain.integer(item.get("modified_seconds_ago")),
        newer_than_running=bool(item.get("newer_than_running")),
        router_id=plain.text(item.get("router_id")),
        local_as=plain.integer(item.get("local_as")),
        listen_port=plain.count(item.get("listen_port")) or 179,
        local_address=plain.text(item.get("local_address")),
        only_on_disk=_names(item, "only_on_disk"),
        only_running=_names(item, "only_running"),
        changed=_names(item, "changed"),
        duplicate_names=plain.texts(item.get("duplicate_names")),
        unbalanced=plain.text(item.get("unbalanced")),
        passwords=plain.text(item.get("password")),
        with_password=frozenset(plain.unpacked(item.get("with_password"))),
    )


def _protocol(item: Mapping[str, Any]) -> Protocol:
    return Protocol(
        name=plain.text(item.get("name")),
        kind=plain.text(item.get("kind")),
        peer=plain.text(item.get("peer")),
        port=plain.count(item.get("port")) or 179,
        state=plain.text(item.get("state")),
        bgp_state=plain.text(item.get("bgp_state")),
        last_error=plain.text(item.get("last_error")),
        since=plain.integer(item.get("since_seconds_ago")),
        neighbor_as=plain.integer(item.get("neighbor_as")),
        local_as=plain.integer(item.get("local_as")),
        passive=bool(item.get("passive")),
        password=plain.flag(item.get("password")),
        source=plain.text(item.get("source")),
        disabled=bool(item.get("disabled")),
    )


def _listeners(bgp: Mapping[str, Any]) -> list[Listener]:
    return [
        Listener(
            plain.text(item.get("address")),
            plain.count(item.get("port")),
            plain.integer(item.get("pid")),
            plain.text(item.get("process")),
            plain.text(item.get("container")),
        )
        for item in plain.mappings(bgp.get("listeners"))
    ]


def _md5(bgp: Mapping[str, Any]) -> dict[str, Counter]:
    read = plain.mapping(bgp.get("md5"))
    names = ("failure", "unexpected", "not_found")
    counters = {name: plain.mapping(read.get(name)) for name in names if name in read}
    return {
        name: Counter(plain.count(item.get("total")), plain.count(item.get("grew"))) for name, item in counters.items()
    }


def _log(bgp: Mapping[str, Any]) -> list[LogLine]:
    return [
        LogLine(
            plain.text(item.get("kind")),
            plain.text(item.get("peer")),
            plain.text(item.get("value")),
            plain.text(item.get("text")),
            plain.text(item.get("at")),
            plain.count(item.get("count")) or 1,
        )
        for item in plain.mappings(bgp.get("log"))
    ]


def _probes(bgp: Mapping[str, Any]) -> list[Probe]:
    return [
        Probe(
            plain.text(item.get("peer")),
            plain.text(item.get("source")),
            plain.text(item.get("result")),
            plain.text(item.get("from")),
            plain.integer(item.get("icmp_type")),
            plain.integer(item.get("icmp_code")),
            plain.text(item.get("detail")),
            plain.count(item.get("port")) or _BGP_PORT,
        )
        for item in _entries(bgp, "probes")
    ]


def _reachability(bgp: Mapping[str, Any]) -> list[Reachability]:
    return [
        Reachability(
            plain.text(item.get("peer")),
            plain.text(item.get("neighbour")),
            plain.flag(item.get("on_link")),
            plain.text(item.get("route")),
            plain.text(item.get("source")),
            plain.text(item.get("echo")),
        )
        for item in _entries(bgp, "peer_reachability")
    ]


def _verdicts(facts: Mapping[str, Any]) -> tuple[Verdict, ...] | None:
    """The firewall's verdicts, or None where the firewall was not evaluated at all."""
    evaluated = plain.mapping(plain.mapping(facts.get("calico_firewall")).get("tcp179"))
    if not evaluated:
        return None
    answers = plain.mapping(evaluated.get("answers"))
    entries = (
        ("inbound", evaluated.get("inbound")),
        ("outbound", evaluated.get("outbound")),
        ("answers_sent", answers.get("sent")),
        ("answers_received", answers.get("received")),
    )
    ports = plain.mapping(evaluated.get("listen_ports"))
    return tuple(_verdict(direction, item, ports) for direction, items in entries for item in plain.mappings(items))


def _verdict(direction: str, item: Mapping[str, Any], listen_ports: Mapping[str, Any]) -> Verdict:
    here = plain.count(listen_ports.get(plain.text(item.get("family")) or "ipv4")) or _BGP_PORT
    return Verdict(
        direction=direction,
        family=plain.text(item.get("family")) or "ipv4",
        verdict=plain.text(item.get("verdict")),
        peers=frozenset(plain.unpacked(item["peers"])) if item.get("peers") else None,
        rule=rules.read(plain.mapping(item.get("rule"))) if item.get("rule") else None,
        reject_with=plain.text(item.get("with")),
        why_unknown=plain.text(item.get("why_unknown")),
        how_is_uncertain=bool(item.get("how_is_uncertain")),
        port=here if direction in ("inbound", "answers_sent") else _BGP_PORT,
        then=tuple(
            rules.read(plain.mapping(further["rule"]))
            for further in plain.mappings(item.get("then"))
            if further.get("rule") and further.get("verdict") in ("drop", "reject")
        ),
    )


def _source_rewrites(facts: Mapping[str, Any]) -> list[SourceRewrite]:
    """The NAT rules that concern BGP; those for other flows are not read here."""
    return [
        SourceRewrite(
            plain.text(item.get("direction")) or "outbound",
            plain.text(item.get("family")) or "ipv4",
            frozenset(plain.unpacked(item.get("peers"))),
            plain.text(item.get("to")),
            bool(item.get("uncertain")),
            rules.read(plain.mapping(item.get("rule"))) if item.get("rule") else None,
        )
        for item in plain.mappings(plain.mapping(facts.get("calico_firewall")).get("source_nat"))
        if "tcp179" in plain.texts(item.get("flows"))
    ]


def _mtu(facts: Mapping[str, Any]) -> Mtu | None:
    item = plain.mapping(facts.get("calico_mtu"))
    if not item:
        return None
    interfaces = {
        name: plain.count(mtu) for name, mtu in plain.mapping(item.get("interfaces")).items() if plain.count(mtu)
    }
    encapsulation = plain.mapping(item.get("encapsulation"))
    return Mtu(
        interfaces=interfaces,
        encapsulation=plain.text(encapsulation.get("kind")),
        required=plain.integer(item.get("required")),
        paths=tuple(
            MtuPath(
                plain.text(path.get("class")),
                plain.text(path.get("peer")),
                plain.count(path.get("wanted")),
                plain.integer(path.get("carries")),
                plain.text(path.get("result")),
                plain.text(path.get("reported_by")),
            )
            for path in plain.mappings(item.get("paths"))
        ),
    )


def _clock(facts: Mapping[str, Any]) -> Clock | None:
    """What keeps the node's clock; None where nothing told whether anything does."""
    item = plain.mapping(facts.get("calico_chrony"))
    if not isinstance(item.get("running"), bool):
        return None
    return Clock(
        plain.text(item.get("service")),
        bool(item.get("running")),
        plain.flag(item.get("synchronised")),
        plain.integer(item.get("sources_total")),
        plain.integer(item.get("sources_reachable")),
        plain.text(item.get("why")),
    )


def _sources(name: str, facts: Mapping[str, Any]) -> list[SourceStatus]:
    return [
        SourceStatus(
            name, plain.text(item.get("source")), plain.text(item.get("status")), plain.text(item.get("detail"))
        )
        for key in FACT_KEYS
        for item in plain.mappings(plain.mapping(facts.get(key)).get("sources"))
    ]
