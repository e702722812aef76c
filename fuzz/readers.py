# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a parser is called which wants more than one text, and what is done with its result as its users do it.

A ruleset is not only read: it is evaluated, for a rule is taken apart only when a packet comes to it.
"""

from __future__ import annotations

import json
import re
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NOW = 1_800_000_000.0
MOMENT = datetime(2026, 11, 21, tzinfo=UTC)
_OWN, _PEER = 0x0AC80009, 0x0AC8000A
_INCLUDED = 3
_TITLE = re.compile(r"^==> (\S{1,64}) <==\n", re.MULTILINE)


def _plain(data: bytes) -> str:
    return data.decode("utf-8", "replace")


# --- BIRD ---


def bird_control(data: bytes) -> Any:
    """Let the client of the control socket talk to somebody who says this and hangs up."""
    from ansible_collections.netmedic.calico.plugins.module_utils._bird import control

    class Replayed(control._Conversation):
        def connect(self, _path: str) -> None:
            self._socket.close()
            self._socket, self.there = socket.socketpair()
            self.there.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            self.there.setblocking(False)
            self.there.send(data[: 100 * 1024] or b"\n")
            self.there.shutdown(socket.SHUT_WR)

        def close(self) -> None:
            super().close()
            self.there.close()

    original, control._Conversation = control._Conversation, Replayed  # type: ignore[misc]
    try:
        return control.ask("", ["show status", "show protocols all"], 5.0, 5.0)
    finally:
        control._Conversation = original  # type: ignore[misc]


def bird_config(data: bytes) -> Any:
    """Read bird.cfg; what it includes is the same text again, a few times."""
    from ansible_collections.netmedic.calico.plugins.module_utils._bird import config

    texts = [_plain(data)] * _INCLUDED
    return config.parse("/etc/bird.cfg", lambda _path: texts.pop() if texts else None)


def bird_log(data: bytes) -> Any:
    """Read a log and keep the newest lines."""
    from ansible_collections.netmedic.calico.plugins.module_utils._bird import log

    return log.recent(log.parse(_plain(data), {"Mesh_10_200_0_10": "10.200.0.10"}), NOW, NOW)


# --- packet filters ---


def iptables_save(data: bytes) -> Any:
    """Read iptables-save's output and take packets through it."""
    from ansible_collections.netmedic.calico.plugins.module_utils._firewall import iptables_save as parser

    dump = parser.parse(_plain(data))
    bases = [base for table in dump.tables for base in parser.base_chains(table)]
    return dump.problems, dump.unshown, _fates(bases, dump.tables)


def ipset(data: bytes) -> Any:
    """Read ipset's output and ask each set for packets."""
    from ansible_collections.netmedic.calico.plugins.module_utils._firewall import ipset as parser
    from ansible_collections.netmedic.calico.plugins.module_utils._firewall import packets

    found = parser.parse(_plain(data))
    batch = packets.Batch(_packets(), found.get)
    return [one.answer(batch, way) for one in found.values() for way in (["src"], ["dst"], ["src", "dst"])]


def nft_json(data: bytes) -> Any:
    """Read nft's JSON and take packets through it."""
    return _native(_plain(data))


def nft_script(data: bytes) -> Any:
    """Read nft's own language and take packets through it."""
    from ansible_collections.netmedic.calico.plugins.module_utils._firewall import nft_script as parser

    texts = [_plain(data)] * _INCLUDED
    script = parser.parse(texts.pop(), lambda _pattern: [texts.pop()] if texts else [])
    return script.problems, _native(script.document())


def _native(listing: Any) -> Any:
    from ansible_collections.netmedic.calico.plugins.module_utils._firewall import nftables

    if isinstance(listing, str) and not nftables.is_listing(listing):
        return None
    tables: dict[tuple[str, str], Any] = {}
    bases = []
    for chain in nftables.relevant_chains(listing)[:20]:
        key = (str(chain.get("family")), str(chain.get("table")))
        if key not in tables:
            tables[key] = nftables.table(listing, *key)
        base = nftables.base_chain(chain, tables[key])
        if base is not None:
            bases.append(base)
    return _fates(bases, tables.values())


def _fates(bases: Any, tables: Iterable[Any]) -> Any:
    """What becomes of a few packets, and the rules of all chains."""
    from ansible_collections.netmedic.calico.plugins.module_utils._firewall import counterfactual

    fates = [
        (fate.verdict, fate.detail, fate.place.path[:8] if fate.place else ())
        for fate in counterfactual.outcomes(bases, _packets(), lambda _name: None)
    ]
    return fates, [len(chain.rules()) for table in tables for chain in table.chains.values()]


def _packets() -> list[Any]:
    from ansible_collections.netmedic.calico.plugins.module_utils._firewall.model import Packet

    return [
        Packet("ipv4", "eth0", "", _PEER, _OWN, source_port=(32768, 60999)),
        Packet("ipv4", "", "eth0", _OWN, _PEER, destination_type="UNICAST", source_type="LOCAL"),
        Packet("ipv4", "eth0", "", _PEER, _OWN, protocol=17, destination_port=4789, state="ESTABLISHED"),
        Packet("ipv6", None, "", None, 1, protocol=58, destination_port=None),
    ]


def texts_iptables(data: bytes) -> Any:
    """Read iptables-save's output as people kept it."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import firewall_iptables

    return _of_text(firewall_iptables.parse(_plain(data)))


def texts_listing(data: bytes) -> Any:
    """Read the output of iptables -L."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import firewall_listing

    return _of_text(firewall_listing.parse(_plain(data)))


def texts_nft(data: bytes) -> Any:
    """Read nft's JSON or language as people kept it."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import firewall_nft

    return _of_text(firewall_nft.parse(_plain(data)))


def texts_firewalld(data: bytes) -> Any:
    """Read the output of firewall-cmd."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import firewall_firewalld

    return _of_text(firewall_firewalld.parse(_plain(data)))


def texts_ufw(data: bytes) -> Any:
    """Read the output of ufw status."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import firewall_ufw

    return _of_text(firewall_ufw.parse(_plain(data)))


def recognised(data: bytes) -> Any:
    """Recognise what a text is, read it, and turn what it says into plain data."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import kinds

    kind, parsed = kinds.parse(_plain(data))
    return kind, parsed.problems, kinds.plain(parsed.value)


def _of_text(parsed: Any) -> Any:
    return parsed.problems, _fates(parsed.value.bases[:40], parsed.value.tables)


def firewalld_zone(data: bytes) -> Any:
    """Read a zone of firewalld and write it as rules."""
    from ansible_collections.netmedic.calico.plugins.module_utils._firewall import firewalld, firewalld_files

    zone = firewalld_files.zone("public", _plain(data))
    return zone, firewalld.script([zone], "public", [], {"ssh": [("port", "22/tcp")]})


# --- the host ---


def chronyd_answer(data: bytes) -> Any:
    """Read an answer of chronyd's own protocol."""
    from ansible_collections.netmedic.calico.plugins.module_utils._clock import chrony, chrony_port

    body = getattr(chrony_port._parse(data), "body", data)
    lines = [chrony_port._tracking(body)] if len(body) >= 44 else []
    lines += [chrony_port._source(body)] if len(body) >= 32 else []
    return lines, chrony.parse("\n".join(lines), NOW)


def calico_log(data: bytes) -> Any:
    """Read a log of Calico's and one of kubelet's."""
    from ansible_collections.netmedic.calico.plugins.module_utils._host import calico_log as parser

    text = _plain(data)
    lines = parser.followed(parser.parse(text), text, NOW)
    # Of a log without a telling line, too, it is looked for where it ends.
    ends = parser._last(text, NOW, None, False)
    lines += parser.followed(parser.parse_kubelet(text, NOW), text, NOW, kubelet=True)
    return ends, parser.recent(lines, NOW, NOW)


def netstat_counters(data: bytes) -> Any:
    """Read /proc/net/netstat and a statistics table."""
    from ansible_collections.netmedic.calico.plugins.module_utils._host import counters

    text = _plain(data)
    return counters.parse(text, "TcpExt", ["TCPMD5Failure"]), counters.parse_statistics(text, ["drop", "insert_failed"])


def kubelet_flags(data: bytes) -> Any:
    """Read a command line."""
    from ansible_collections.netmedic.calico.plugins.module_utils._host import kubelet

    return kubelet.parse_flags(_plain(data).split("\0"))


def netlink(data: bytes) -> Any:
    """Take netlink messages apart."""
    from ansible_collections.netmedic.calico.plugins.module_utils._host import netlink as parser
    from ansible_collections.netmedic.calico.plugins.module_utils._host import tunnels

    found: list[Any] = [tunnels.parse_vxlan(data)]
    for kind, flags, sequence, body in parser.split(data):
        attributes = parser.attributes(body)
        values = list(attributes.values())[:8]
        found.append(
            (kind, flags, sequence, [(parser.text(one), parser.number(one), parser.address(one)) for one in values])
        )
    return found


def icmp(data: bytes) -> Any:
    """Read what a probe gets back."""
    from ansible_collections.netmedic.calico.plugins.module_utils._probe import wire

    payload = wire.ipv4_payload(data)
    errors = [wire.parse_icmp_error(one, version) for one in (data, payload) for version in (4, 6)]
    return errors, wire.parse_echo(data), wire.parse_echo(payload)


def address_pattern(data: bytes) -> Any:
    """Use a pattern of IP_AUTODETECTION_METHOD, which is in Go's syntax."""
    from ansible_collections.netmedic.calico.plugins.module_utils._address import go_regex

    try:
        matches = go_regex.matcher(_plain(data))
        return [matches(name) for name in ("eth0", "cali0123456789a", "wlp3s0", "a" * 15)]
    except (go_regex.InvalidError, go_regex.UndecidedError):
        return None


def packed_addresses(data: bytes) -> Any:
    """Unpack addresses that a node packed."""
    from ansible_collections.netmedic.calico.plugins.module_utils._facts import packing

    packed = _json(data)
    texts = {str(key): str(value) for key, value in packed.items()} if isinstance(packed, dict) else {}
    # A range is short, and what it stands for is bounded by its group.
    for group, text in texts.items():
        for number, _address in enumerate(packing.unpack({group: text}), 1):
            if number > packing.MOST:
                raise ValueError("more addresses than any mesh has")
    return None


# --- evidence ---


def texts_of_a_node(data: bytes) -> Any:
    """Put a node's facts together from texts; "==> name <==" begins each of them."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import node

    texts = titled(_plain(data))
    return json.loads(json.dumps(node.facts(texts, "node-1", NOW)))


def titled(text: str) -> dict[str, str]:
    """The texts of an input that holds several."""
    _before, *parts = _TITLE.split(text)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def bundle(data: bytes) -> Any:
    """Read a bundle of texts; "==> path <==" begins each of them."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import files, read

    texts = titled(files.decoded(data)) or {"facts.json": files.decoded(data)}
    found = read.sort({name: text for name, text in texts.items() if files.safe_path(name)})
    return found.unrecognised, found.refused, found.written_at


def evidence(data: bytes) -> Any:
    """Find the causes in what one node, or a mapping of nodes, says; and write the report in all its forms."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
    from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.inventory import from_hostvars
    from ansible_collections.netmedic.calico.plugins.plugin_utils._render import formats
    from ansible_collections.netmedic.calico.plugins.plugin_utils._render.terminal import lines

    told = _json(data)
    if not isinstance(told, dict):
        return None
    nodes = told if "calico_node" not in told else {"node-1": told}
    hostvars = {
        str(name): {"ansible_facts": facts, "collect_result": {"ansible_facts": facts}} for name, facts in nodes.items()
    }
    report = analyse(from_hostvars(hostvars, list(hostvars), MOMENT, 900), MOMENT)
    written = formats.rendered(report, formats.FILES, formats.Wanted())
    return report["findings"], "".join(lines(report)), len(written)


def _json(data: bytes, load: Callable[[str], Any] = json.loads) -> Any:
    try:
        return load(_plain(data))
    except (ValueError, RecursionError):
        return None
