# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._firewall import iptables_rule, model

TABLE = model.Table("iptables-nft", "ipv4", "filter", {"user": None})
ALL = 0xFFFFFFFF


def rule(words, table=TABLE):
    return iptables_rule.translate(1, f"-A INPUT {words}", -1, table)


def matches(words, family="ipv4"):
    return [tuple(match) for match in rule(words, TABLE._replace(family=family)).matches]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("-s 10.0.0.1/32", ("source", False, ((167772161, 167772161),))),
        ("! -s 10.0.0.0/8", ("source", True, ((167772160, 184549375),))),
        ("-s ! 10.0.0.0/8", ("source", True, ((167772160, 184549375),))),
        ("-d 10.0.0.0/255.0.0.0", ("destination_bits", False, (167772160, 4278190080))),
        ("-d 10.0.1.0/255.0.255.0", ("destination_bits", False, (167772416, 4278255360))),
        ("-s 10.0.0.1,10.0.0.3", ("source", False, ((167772161, 167772161), (167772163, 167772163)))),
        ("-i eth+", ("in_interface", False, ("eth*",))),
        ("! -o eth0", ("out_interface", True, ("eth0",))),
        ("-p tcp", ("protocol", False, (6,))),
        ("! -p 4", ("protocol", True, (4,))),
        ("-p all", ("always", False, None)),
        (
            "-p no-such-protocol",
            (
                *("any_of", False),
                ((("protocol", True, (1, 6, 17, 58)), ("undecidable", False, "-p no-such-protocol")),),
            ),
        ),
        ("-f", ("always", True, None)),
        ("! -f", ("always", False, None)),
        ("-m tcp --dport 179", ("destination_port", False, ((179, 179),))),
        ("-m tcp ! --sport 1024:", ("source_port", True, ((1024, 65535),))),
        ("-m tcp --tcp-flags FIN,SYN,RST,ACK SYN", ("tcp_flags", False, (23, (2,)))),
        ("-m tcp ! --syn", ("tcp_flags", True, (23, (2,)))),
        ("-m tcp --tcp-flags ALL NONE", ("tcp_flags", False, (63, (0,)))),
        ("-m multiport --dports 22,100:180", ("destination_port", False, ((22, 22), (100, 180)))),
        ("-m multiport ! --ports 179", ("any_port", True, ((179, 179),))),
        ("-m conntrack --ctstate RELATED,ESTABLISHED", ("ct_state", False, ("RELATED", "ESTABLISHED"))),
        ("-m state ! --state NEW", ("ct_state", True, ("NEW",))),
        ("-m conntrack --ctdir REPLY", ("ct_direction", False, ("REPLY",))),
        ("-m conntrack --ctproto 6", ("ct_protocol", False, (6,))),
        ("-m conntrack --ctorigdst 10.0.0.1", ("ct_destination", False, ((167772161, 167772161),))),
        ("-m conntrack --ctorigdstport 179", ("ct_destination_port", False, ((179, 179),))),
        ("-m conntrack --ctstatus SEEN_REPLY", ("ct_status", False, ("SEEN_REPLY",))),
        ("-m mark --mark 0x10000/0x10000", ("mark", False, (0x10000, ((0x10000, 0x10000),)))),
        ("-m mark ! --mark 5", ("mark", True, (ALL, ((5, 5),)))),
        ("-m connmark --mark 0x1", ("ct_mark", False, (ALL, ((1, 1),)))),
        ("-m addrtype --dst-type LOCAL,BROADCAST", ("destination_type", False, ("LOCAL", "BROADCAST"))),
        ("-m addrtype ! --src-type LOCAL --limit-iface-out", ("source_type_here", True, ("LOCAL",))),
        ("-m iprange --src-range 10.0.0.1-10.0.0.3", ("source", False, ((167772161, 167772163),))),
        ("-m pkttype --pkt-type unicast", ("packet_type", False, ("HOST",))),
        ("-m rpfilter --validmark --invert", ("reverse_path", True, None)),
        ("-m set ! --match-set name src,dst", ("set", True, ("name", ("src", "dst")))),
        ("-m limit --limit 3/min", ("undecidable", False, "limit --limit 3/min")),
        ("-m mac --mac-source 02:00:00:00:00:01", ("undecidable", False, "mac --mac-source 02:00:00:00:00:01")),
        ("-m conntrack ! --ctexpire 5", ("undecidable", False, "! conntrack --ctexpire 5")),
        ("-m tcp --dport bgp", ("undecidable", False, "tcp --dport bgp")),
        ("-m tcp --dport 70000", ("undecidable", False, "tcp --dport 70000")),
        ("-m tcp --tcp-option 2", ("undecidable", False, "tcp --tcp-option 2")),
        ("-m set [unsupported revision]", ("undecidable", False, "set [unsupported revision]")),
        ("-s example.org", ("undecidable", False, "-s example.org")),
        ("-s fd00::1/128", ("undecidable", False, "-s fd00::1/128")),
        ("-s 10.0.0.1/33", ("undecidable", False, "-s 10.0.0.1/33")),
        ("-s", ("undecidable", False, "-s")),
        ("-m", ("undecidable", False, "")),
    ],
)
def test_a_match_is_read_or_is_undecidable(words, expected):
    assert matches(f"{words} -j DROP") == [expected]


def test_ports_may_be_named_without_their_module():
    assert matches("-p tcp --dport 179 -j DROP") == [
        ("protocol", False, (6,)),
        ("destination_port", False, ((179, 179),)),
    ]


@pytest.mark.parametrize("words", ["-m rt --rt-type 0", "-m frag ! --fragid 1", "-m hbh"])
def test_headers_that_ordinary_packets_of_ipv6_have_not(words):
    assert matches(f"{words} -j DROP", "ipv6") == [("always", True, None)]


def test_address_types_of_ipv6_are_demanded_all_at_once():
    assert matches("-m addrtype --dst-type UNICAST", "ipv6") == [("destination_type", False, ("UNICAST", "LOCAL"))]
    assert matches("-m addrtype --dst-type UNICAST,LOCAL", "ipv6")[0][0] == "undecidable"


@pytest.mark.parametrize(
    "comment",
    ['"-j ACCEPT"', '"say \\"-p udp\\" twice"', "-j", "-m", "--dport", '""', '"! -s 10.0.0.0/8"'],
)
def test_a_comment_is_only_a_comment(comment):
    found = rule(f"-p tcp -m comment --comment {comment} -m tcp --dport 179 -j DROP")
    assert [match.kind for match in found.matches] == ["protocol", "destination_port"]
    assert found.verdict == "drop"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", ("continue", "")),
        ("-j ACCEPT", ("accept", "")),
        ("-j DROP", ("drop", "")),
        ("-j RETURN", ("return", "")),
        ("-j user", ("jump", "user")),
        ("-g user", ("goto", "user")),
        ("-j REJECT --reject-with tcp-reset", ("reject", "tcp-reset")),
        ("-j REJECT", ("reject", "icmp-port-unreachable")),
        ('-j LOG --log-prefix "[UFW BLOCK] "', ("continue", "")),
        ("-j TCPMSS --set-mss 5", ("continue", "")),
        ("-j MASQUERADE --random-fully", ("rewrite source", "")),
        ("-j SNAT --to-source 10.0.0.5", ("rewrite source", "10.0.0.5")),
        ("-j SNAT --to-source 10.0.0.5-10.0.0.7:1-9 --random", ("rewrite source", "10.0.0.5-10.0.0.7")),
        ("-j SNAT --to-source [fd00::5]:1-9", ("rewrite source", "fd00::5")),
        ("-j SNAT --to-source fd00::5-fd00::7", ("rewrite source", "fd00::5-fd00::7")),
        ("-j SNAT --to-source :1-9", ("rewrite source", "?")),
        ("-j SNPT --src-pfx fd00::/64 --dst-pfx fd01::/64", ("rewrite source", "?")),
        ("-j DNAT --to-destination 1.2.3.4:5", ("unknown", "the destination is rewritten (DNAT to 1.2.3.4:5)")),
        ("-j REDIRECT --to-ports 5", ("unknown", "the destination is rewritten (REDIRECT to 5)")),
        ("-j NFQUEUE --queue-num 1 --queue-bypass", ("unknown", "the packet is handed to a program (NFQUEUE)")),
        ("-j TPROXY --on-port 1", ("unknown", "the packet is handed to a local program (TPROXY)")),
        ("-j TARPIT", ("unknown", "the effect of the target TARPIT is not known")),
    ],
)
def test_targets(words, expected):
    found = rule(words)
    assert (found.verdict, found.argument) == expected
    assert found.effects == ()


@pytest.mark.parametrize(
    ("words", "effect"),
    [
        ("MARK --set-xmark 0x1/0x3", ("mark", (0xFFFFFFFC, 1))),
        ("MARK --set-mark 0x1/0x2", ("mark", (0xFFFFFFFC, 1))),
        ("MARK --and-mark 0x1", ("mark", (1, 0))),
        ("MARK --or-mark 0x2", ("mark", (0xFFFFFFFD, 2))),
        ("MARK --xor-mark 0x2", ("mark", (ALL, 2))),
        ("MARK --set-xmark garbage", ("forget_mark", None)),
        ("CONNMARK --set-xmark 0x1/0xffffffff", ("ct_mark", (0, 1))),
        ("CONNMARK --save-mark --nfmask 0x1 --ctmask 0x3", ("save_mark", (3, 1))),
        ("CONNMARK --restore-mark --mask 0xff", ("restore_mark", (255, 255))),
        ("CT --notrack", ("untrack", None)),
        ("NOTRACK", ("untrack", None)),
    ],
)
def test_effects(words, effect):
    assert [tuple(one) for one in rule(f"-j {words}").effects] == [effect]


def test_ct_without_notrack_changes_nothing():
    assert rule("-j CT --helper ftp").effects == ()
