# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._firewall import evaluate, ipset, model, packets

BGP = "-p tcp -m tcp --dport 179"
PERHAPS = "-m limit --limit 3/min"


def test_no_rule_at_all_accepts(world):
    assert world.verdict() == ("accept", "", "")


@pytest.mark.parametrize(
    ("rules", "policy", "expected"),
    [
        ([f"{BGP} -j DROP"], "ACCEPT", ("drop", "", "INPUT 1")),
        (["-p tcp -m tcp --dport 22 -j ACCEPT"], "DROP", ("drop", "", "INPUT 0")),
        ([f"{BGP} -j ACCEPT", "-j DROP"], "ACCEPT", ("accept", "", "INPUT 1")),
        (["-j LOG", f"{BGP} -j REJECT --reject-with tcp-reset"], "ACCEPT", ("reject", "tcp-reset", "INPUT 2")),
        (["-j user", "-A user -j RETURN", "-A user -j DROP"], "ACCEPT", ("accept", "", "")),
        (["-j user", "-A user -j RETURN"], "DROP", ("drop", "", "INPUT 0")),
        (["-j user", "-j ACCEPT", "-A user -p udp -j RETURN"], "DROP", ("accept", "", "INPUT 2")),
        # What a goto leads to returns to where the chain with the goto was entered from, here the policy.
        (["-g user", "-j ACCEPT", "-A user -p udp -j DROP"], "DROP", ("drop", "", "INPUT 0")),
        (
            ["-j user", "-j ACCEPT", "-A user -g more", "-A user -j DROP", "-A more -p udp"],
            "DROP",
            ("accept", "", "INPUT 2"),
        ),
        (["-j user", "-A user -j more", "-A more -j DROP"], "ACCEPT", ("drop", "", "INPUT 1 > user 1 > more 1")),
        (["-j RETURN", "-j ACCEPT"], "DROP", ("drop", "", "INPUT 0")),
        (["-j missing"], "ACCEPT", ("unknown", "the effect of the target missing is not known", "INPUT 1")),
    ],
)
def test_chains(world, rules, policy, expected):
    world.filter(*rules, policy=policy, chains=("user", "more"))
    assert world.verdict() == expected


@pytest.mark.parametrize(
    ("rules", "verdict"),
    [
        (["-j MARK --set-xmark 0x1/0x1", "-m mark --mark 0x1/0x1 -j DROP"], "drop"),
        (["-j MARK --set-xmark 0x3/0xffffffff", "-j MARK --and-mark 0x2", "-m mark --mark 0x2 -j DROP"], "drop"),
        (["-m mark ! --mark 0x0 -j DROP"], "accept"),
        (["-j MARK --xor-mark 0x3", "-j MARK --xor-mark 0x1", "-m mark --mark 0x2 -j DROP"], "drop"),
        (
            [
                "-j MARK --set-xmark 0x3/0xffffffff",
                "-j CONNMARK --save-mark --nfmask 0x1 --ctmask 0x3",
                "-m connmark --mark 0x1 -j DROP",
            ],
            "drop",
        ),
        (["-j HMARK --hmark-tuple src --hmark-mod 2 --hmark-rnd 1", "-m mark ! --mark 0x1 -j DROP"], "unknown"),
        (["-j MARK --set-xmark 0x1/0x1", "-j CONNMARK --save-mark", "-m connmark --mark 0x1 -j DROP"], "drop"),
        (
            [
                "-j CONNMARK --set-xmark 0x4/0xffffffff",
                "-j CONNMARK --restore-mark --mask 0x4",
                "-m mark --mark 0x4 -j DROP",
            ],
            "drop",
        ),
        (["-j HMARK --hmark-tuple src --hmark-mod 2 --hmark-rnd 1", "-m mark --mark 0x1 -j DROP"], "unknown"),
        (["-j user", "-m mark --mark 0x1/0x1 -j DROP", "-A user -j MARK --set-xmark 0x1/0x1"], "drop"),
    ],
)
def test_marks_are_carried_along(world, rules, verdict):
    world.filter(*rules, chains=("user",))
    assert world.verdict()[0] == verdict


def test_marks_go_from_table_to_table_and_from_backend_to_backend(world):
    world.filter("-j MARK --set-xmark 0x8/0x8", table="mangle", entry="PREROUTING")
    world.load(
        "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m mark --mark 0x8/0x8 -j DROP\nCOMMIT\n", backend="iptables-nft"
    )
    (decision,) = world.decide(["10.200.0.10"]).decisions
    assert (decision.verdict, decision.place.base.table.backend) == ("drop", "iptables-nft")


def test_both_backends_must_accept_and_the_first_drop_decides(world):
    world.load("*mangle\n:INPUT ACCEPT [0:0]\n-A INPUT -s 10.200.0.10/32 -j DROP\nCOMMIT\n", backend="iptables-nft")
    world.load("*filter\n:INPUT DROP [0:0]\nCOMMIT\n", backend="iptables-legacy")
    assert world.verdict("10.200.0.10") == ("drop", "", "INPUT 1")
    assert world.verdict("10.200.0.11") == ("drop", "", "INPUT 0")


def test_two_backends_at_one_hook_may_come_in_either_order(world):
    world.load("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s 10.200.0.10/32 -j DROP\nCOMMIT\n", backend="iptables-nft")
    world.load("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j REJECT\nCOMMIT\n", backend="iptables-legacy")
    decisions = {decision.members: decision for decision in world.decide(["10.200.0.10", "10.200.0.11"]).decisions}
    assert decisions[1].verdict in {"drop", "reject"}
    assert (decisions[1].how_is_sure, decisions[2].verdict, decisions[2].how_is_sure) == (False, "reject", True)


def test_whether_it_passes_may_hang_on_that_order(world):
    world.load("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j MARK --set-xmark 0x1/0x1\nCOMMIT\n", backend="iptables-nft")
    world.load("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m mark --mark 0x1 -j DROP\nCOMMIT\n", backend="iptables-legacy")
    assert world.verdict()[:2] == (
        "unknown",
        "it depends on which of two chains of the same hook and priority comes first",
    )


# --- conntrack ---


@pytest.mark.parametrize(
    ("state", "new", "established"),
    [
        ("NEW", "drop", "accept"),
        ("RELATED,ESTABLISHED", "accept", "drop"),
        ("INVALID", "accept", "accept"),
        ("DNAT", "accept", "accept"),
    ],
)
def test_states(world, state, new, established):
    world.filter(f"-m conntrack --ctstate {state} -j DROP")
    assert world.verdict()[0] == new
    assert world.verdict(state="ESTABLISHED", direction="REPLY")[0] == established


def test_before_conntrack_nothing_has_a_state(world):
    world.filter("-m conntrack --ctstate NEW -j DROP", table="raw", entry="PREROUTING")
    assert world.verdict()[0] == "accept"
    world.filter("-m conntrack --ctstate INVALID -j DROP", table="raw", entry="PREROUTING")
    assert world.verdict()[0] == "drop"


def test_what_is_not_tracked_has_no_connection(world):
    world.filter("-s 10.200.0.10/32 -j CT --notrack", table="raw", entry="PREROUTING")
    world.filter(
        "-m conntrack --ctstate UNTRACKED -j REJECT",
        "-m connmark ! --mark 0x5 -j DROP",
    )
    assert world.verdict("10.200.0.10")[0] == "reject"
    assert world.verdict("10.200.0.11")[0] == "drop"


@pytest.mark.parametrize(
    "words",
    [
        "-m connmark --mark 0x0",
        "-m connmark ! --mark 0x0",
        "-m conntrack ! --ctdir ORIGINAL",
        "-m conntrack --ctproto 6",
    ],
)
def test_neither_a_match_on_the_connection_nor_its_opposite_holds_without_one(world, words):
    world.filter("-j CT --notrack", table="raw", entry="PREROUTING")
    world.filter(f"{words} -j DROP")
    assert world.verdict()[0] == "accept"


def test_the_mark_of_a_connection_from_before_is_not_known(world):
    world.filter("-m connmark --mark 0x1 -j DROP")
    assert world.verdict()[0] == "accept"
    assert world.verdict(state="ESTABLISHED")[0] == "unknown"


def test_the_original_addresses_of_an_answer_are_the_other_way_round(world):
    world.filter("-m conntrack --ctorigsrc 10.200.0.10 -j DROP")
    assert world.verdict("10.200.0.10")[0] == "drop"
    assert world.verdict("10.200.0.10", state="ESTABLISHED", direction="REPLY")[0] == "accept"


# --- undecidable ---


def test_an_undecidable_match_leaves_the_verdict_open_and_is_named(world):
    world.filter("-j user", "-A user -j ACCEPT -p udp", f"-A user {PERHAPS} -j ACCEPT", policy="DROP", chains=("user",))
    assert world.verdict() == ("unknown", "it depends on: limit --limit 3/min", "INPUT 1 > user 2")


@pytest.mark.parametrize(
    ("rules", "verdict"),
    [
        ([f"{PERHAPS} -j ACCEPT"], "accept"),
        ([f"{PERHAPS} -j LOG", "-j DROP"], "drop"),
        ([f"{PERHAPS} -j DROP", "-j DROP"], "drop"),
        ([f"{PERHAPS} -j RETURN", "-j ACCEPT"], "accept"),
        ([f"{PERHAPS} -j user", "-j DROP", "-A user -p udp -j ACCEPT"], "drop"),
        ([f"{PERHAPS} -j MARK --set-xmark 0x1/0x1", "-m mark --mark 0x2/0x2 -j DROP"], "accept"),
        ([f"{PERHAPS} -j MARK --set-xmark 0x1/0x1", "-m mark --mark 0x1/0x1 -j DROP"], "unknown"),
        (["-j user", "-j DROP", f"-A user {PERHAPS} -j RETURN", "-A user -p tcp"], "drop"),
        (["-j user", f"-A user {PERHAPS} -j RETURN", "-A user -j DROP"], "unknown"),
    ],
)
def test_what_comes_out_the_same_either_way_is_known(world, rules, verdict):
    world.filter(*rules, chains=("user",))
    assert world.verdict()[0] == verdict


def test_the_rule_is_named_at_which_the_ways_part_for_good(world):
    """The first of these has no effect in the end, and the jump is not to blame for what happens inside."""
    world.filter(
        f"{PERHAPS} -j one",
        "-j two",
        "-j DROP",
        "-A one -p udp -j DROP",
        "-A two -m recent --name x --update -j ACCEPT",
        chains=("one", "two"),
    )
    assert world.verdict() == ("unknown", "it depends on: recent --name x --update", "INPUT 2 > two 1")


def test_stopped_for_certain_but_in_one_of_two_ways(world):
    world.filter(f"{PERHAPS} -j REJECT", "-j DROP")
    (decision,) = world.decide(["10.200.0.10"]).decisions
    assert (decision.verdict, decision.how_is_sure, decision.place.path) == ("drop", False, (("INPUT", 2),))


@pytest.mark.parametrize(
    ("words", "field"), [("-i eth0", "in_interface"), ("-d 10.200.0.9/32", "destination"), ("-s 10.0.0.0/8", "source")]
)
def test_what_is_not_known_of_the_packet_is_undecidable(world, words, field):
    world.filter(f"{words} -j DROP")
    assert world.verdict()[0] == "drop"
    assert world.verdict(**{field: None}) == ("unknown", f"it depends on: {field.replace('_', ' ')}", "INPUT 1")


@pytest.mark.parametrize(
    ("ports", "verdict"), [("1024:65535", "drop"), ("1:1023", "accept"), ("40000:50000", "unknown"), ("179", "accept")]
)
def test_a_port_of_which_only_the_range_is_known(world, ports, verdict):
    world.filter(f"-p tcp -m tcp --sport {ports} -j DROP")
    assert world.verdict()[0] == verdict


def test_a_set_that_cannot_be_read_is_undecidable(world):
    world.filter("-m set --match-set banned src -j DROP")
    assert world.verdict() == ("unknown", "it depends on: set banned", "INPUT 1")


def test_a_packet_handed_to_a_program_has_no_known_fate(world):
    world.filter("-p tcp -j NFQUEUE --queue-num 0", "-j ACCEPT")
    assert world.verdict() == ("unknown", "the packet is handed to a program (NFQUEUE)", "INPUT 1")


def test_the_reverse_path_is_right_where_the_interface_is_the_one_to_the_peer(world):
    world.filter("-m rpfilter --validmark --invert -j DROP", table="raw", entry="PREROUTING")
    assert world.verdict()[0] == "accept"
    assert world.verdict(in_interface=None)[0] == "unknown"


# --- nat ---


def test_a_rewritten_destination_is_no_longer_ours_to_judge(world):
    world.filter("-p tcp -m tcp --dport 179 -j DNAT --to-destination 10.0.0.1:5", table="nat", entry="PREROUTING")
    assert world.verdict() == ("unknown", "the destination is rewritten (DNAT to 10.0.0.1:5)", "PREROUTING 1")


def test_what_is_not_tracked_does_not_meet_nat(world):
    world.filter("-j CT --notrack", table="raw", entry="PREROUTING")
    world.filter("-j DNAT --to-destination 10.0.0.1", table="nat", entry="PREROUTING")
    assert world.verdict()[0] == "accept"


def test_only_the_first_packet_of_a_connection_meets_nat(world):
    world.filter("-j DNAT --to-destination 10.0.0.1", table="nat", entry="PREROUTING")
    assert world.verdict(state="ESTABLISHED")[0] == "accept"


def test_a_rewritten_source_is_noted_and_does_not_stop_the_packet(world):
    world.filter("-s 10.200.0.9/32 -d 10.200.0.11/32 -j MASQUERADE", table="nat", entry="POSTROUTING")
    result = world.decide(["10.200.0.10", "10.200.0.11"], "out")
    assert [decision.verdict for decision in result.decisions] == ["accept"]
    ((sure, maybe, place),) = result.rewrites
    assert (sure, maybe, place.path) == (2, 2, (("POSTROUTING", 1),))


def test_a_source_is_rewritten_once(world):
    world.filter(f"{PERHAPS} -j SNAT --to-source 10.0.0.5", "-j MASQUERADE", table="nat", entry="POSTROUTING")
    world.load(
        "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -j SNAT --to-source 10.0.0.6\nCOMMIT\n", backend="iptables-nft"
    )
    found = world.decide(["10.200.0.10"], "out").rewrites
    # Of two backends either may come first, and whichever does has the say.
    assert [(one.sure, one.maybe, one.place.rule.argument) for one in found] == [
        (0, 1, "10.0.0.5"),
        (0, 1, ""),
        (0, 1, "10.0.0.6"),
    ]


def test_what_comes_after_a_rewriting_sees_another_source(world):
    world.filter("-j MASQUERADE", table="nat", entry="POSTROUTING")
    world.filter("-s 10.200.0.9/32 -j DROP", table="filter", entry="POSTROUTING")
    world.bases[-1] = world.bases[-1]._replace(priority=150) if world.bases[-1].hook == "postrouting" else None
    assert world.verdict(way="out")[0] == "unknown"


@pytest.mark.parametrize(
    ("state", "words", "verdict"),
    [
        ("INVALID", "-m conntrack --ctstate INVALID", "drop"),
        ("INVALID", "-m conntrack --ctstate NEW", "accept"),
        ("INVALID", "-m conntrack --ctdir ORIGINAL", "accept"),
        ("INVALID", "-m conntrack ! --ctdir ORIGINAL", "accept"),
        ("INVALID", "-m connmark --mark 0x0", "accept"),
        ("UNTRACKED", "-m conntrack --ctstate UNTRACKED", "drop"),
        ("UNTRACKED", "-m connmark --mark 0x0", "accept"),
        ("RELATED", "-m conntrack --ctstate RELATED", "drop"),
    ],
)
def test_states_without_a_connection(world, state, words, verdict):
    world.filter(f"{words} -j DROP")
    assert world.verdict(state=state)[0] == verdict


@pytest.mark.parametrize(
    ("rule", "fields", "verdict"),
    [
        ("-p ipencap -j DROP", {}, "drop"),
        ("-p ipv4 -j DROP", {}, "drop"),
        ("-p 4 -j DROP", {}, "drop"),
        ("! -p tcp -j DROP", {}, "drop"),
        ("-p tcp -m tcp --dport 179 -j DROP", {}, "accept"),
        ("-p tcp -m multiport ! --dports 22 -j DROP", {}, "accept"),
        ("-p ipip -j DROP", {}, "accept"),  # of this name is protocol 94
        ("-p odd-protocol -j DROP", {}, "unknown"),
        ("-p odd-protocol -j DROP", {"protocol": 6}, "accept"),
        ("-p udp -m udp --dport 4789 -j DROP", {"protocol": 17, "destination_port": 4789}, "drop"),
        ("-p udp -m udp --dport 4789 -j DROP", {"protocol": 17, "destination_port": 8472}, "accept"),
        ("-p udp -m udp --dport 4789 -j DROP", {"protocol": 6, "destination_port": 4789}, "accept"),
        ("-m physdev --physdev-in eth5 -j DROP", {}, "accept"),
        ("-m physdev ! --physdev-is-bridged -j DROP", {}, "drop"),
        ("-m physdev --physdev-in eth5 -j DROP", {"bridged": None}, "unknown"),
    ],
)
def test_other_protocols_than_tcp(world, rule, fields, verdict):
    world.filter(rule)
    ipip = {"protocol": 4, "source_port": None, "destination_port": None, "tcp_flags": 0}
    assert world.verdict(**{**ipip, **fields})[0] == verdict


def test_packets_of_several_kinds_walk_together(world):
    world.filter("-p udp -s 10.200.0.11/32 -j DROP", "-p tcp -m tcp --dport 5473 -j REJECT", policy="ACCEPT")
    peers = [world.packet(peer) for peer in ("10.200.0.10", "10.200.0.11")]
    batch = packets.Batch(peers, world.sets.get, [{}, {"protocol": 17}, {"destination_port": 5473}])
    found = evaluate.evaluate(world.bases, batch).decisions
    assert {one.verdict: [batch.of_kind(one.members, kind) for kind in (0, 1, 2)] for one in found} == {
        "accept": [0b11, 0b01, 0],
        "drop": [0, 0b10, 0],
        "reject": [0, 0, 0b11],
    }


def test_acceptance_in_one_table_is_not_the_last_word(world):
    world.filter("-j ACCEPT", table="raw", entry="PREROUTING")
    world.filter("-j ACCEPT", table="mangle")
    world.filter("-j DROP", table="security")
    assert world.verdict() == ("drop", "", "INPUT 1")


def test_outbound_packets_meet_other_hooks(world):
    world.filter("-j DROP").filter("-d 10.200.0.10/32 -j DROP", table="mangle", entry="POSTROUTING")
    assert world.verdict("10.200.0.10", "out") == ("drop", "", "POSTROUTING 1")
    assert world.verdict("10.200.0.11", "out")[0] == "accept"


# --- size ---


def test_rulesets_made_to_explode_do_not(world):
    """Every chain is entered twice from the one before, and may or may not set a bit: 2^40 ways, 2^32 marks."""
    chains = [f"c{number}" for number in range(40)]
    rules = ["-j c0"]
    for number, (chain, following) in enumerate(zip(chains, chains[1:])):
        bit = 1 << number % 32
        rules += [
            f"-A {chain} {PERHAPS} -j {following}",
            f"-A {chain} {PERHAPS} -j MARK --or-mark {bit}",
            f"-A {chain} -j {following}",
        ]
    world.filter(*rules, "-A c39 -m mark --mark 0x5/0x5 -j DROP", chains=chains)
    assert world.verdict()[0] == "unknown"


def test_chains_that_jump_in_a_circle_end(world):
    world.filter("-j one", "-A one -j two", "-A two -j one", chains=("one", "two"))
    assert world.verdict()[:2] == ("unknown", "the chains jump to each other too deeply")


def test_every_packet_of_a_batch_is_judged_by_itself(world, new_world):
    rules = [
        f"-s 10.200.{n}.0/25 -p tcp -j {verdict}" for n, verdict in enumerate(("DROP", "ACCEPT", "REJECT", "user"))
    ]
    more = [f"-A user -s 10.200.3.{n}/32 {PERHAPS if n % 2 else ''} -j DROP" for n in range(8)]
    world.filter(*rules, *more, "-s 10.200.0.0/14 -j DROP", chains=("user",))
    peers = [f"10.200.{n}.{last}" for n in range(5) for last in (1, 2, 127, 128, 254)]
    together = {}
    for decision in world.decide(peers).decisions:
        for number, peer in enumerate(peers):
            if decision.members >> number & 1:
                together[peer] = (decision.verdict, decision.place and decision.place.path)
    for peer in peers:
        (alone,) = world.decide([peer]).decisions
        assert together[peer] == (alone.verdict, alone.place and alone.place.path), peer


def test_work_grows_with_rules_plus_peers_and_not_with_their_product(world, monkeypatch):
    peers = [f"10.200.{n // 250}.{n % 250 + 1}" for n in range(1000)]
    world.filter(*(f"-s {peer}/32 -p tcp -m tcp --dport 179 -j ACCEPT" for peer in peers), policy="DROP")
    asked = []
    original = packets.Batch.answer
    monkeypatch.setattr(packets.Batch, "answer", lambda batch, match: asked.append(1) or original(batch, match))
    result = world.decide(peers)
    assert {decision.verdict for decision in result.decisions} == {"accept"}
    assert len(asked) <= 4 * len(peers)


def test_the_number_of_steps_is_bounded(world, monkeypatch):
    monkeypatch.setattr(evaluate, "MAX_STEPS", 50)
    world.filter(
        *(f"-s 10.200.0.{n}/32 -j DROP" for n in range(100, 200)),
        "-j MARK --set-xmark 0x1/0x1",
        *["-m mark --mark 0x2 -j DROP"] * 60,
    )
    assert world.verdict()[:2] == ("unknown", "the ruleset takes too many steps")


def test_no_packets_need_no_rules():
    assert evaluate.evaluate([], packets.Batch([], {}.get)).decisions == []
    assert model.address_number("nonsense") is None


def felix(comment, match, target):
    """A rule as Felix writes it."""
    comments = f'-m comment --comment "cali:x" -m comment --comment "{comment}"'
    return f"-A cali-INPUT {match[0]} {comments} {match[1]} -j {target}"


@pytest.mark.parametrize(
    ("peer", "protocol", "port", "state", "verdict"),
    [
        ("10.200.0.10", 17, 4789, "NEW", "accept"),
        ("10.200.0.77", 17, 4789, "NEW", "drop"),
        ("10.200.0.10", 17, 4789, "UNTRACKED", "accept"),  # VXLAN is not tracked where Felix says so
        ("10.200.0.77", 17, 51820, "NEW", "accept"),  # WireGuard knows its peers itself
        ("10.200.0.10", 4, None, "NEW", "accept"),
        ("10.200.0.77", 4, None, "NEW", "drop"),
        ("10.200.0.10", 17, 8472, "NEW", "drop"),  # by the host's own policy
    ],
)
def test_what_felix_lets_in_for_its_tunnels(world, peer, protocol, port, state, verdict):
    local = "-m addrtype --dst-type LOCAL"
    vxlan = ("-p udp", f"-m multiport --dports 4789 -m set --match-set cali40all-vxlan-net src {local}")
    ipip = ("-p ipencap", f"-m set --match-set cali40all-hosts-net src {local}")
    world.sets = ipset.parse(
        "create cali40all-hosts-net hash:net family inet\nadd cali40all-hosts-net 10.200.0.10\n"
        "create cali40all-vxlan-net hash:net family inet\nadd cali40all-vxlan-net 10.200.0.10\n"
    )
    world.filter(
        "-j cali-INPUT",
        felix("Allow IPIP packets from Calico hosts", ipip, "ACCEPT"),
        felix("DROP IPIP packets from non-Calico hosts", ("-p ipencap", ""), "DROP"),
        felix("Allow IPv4 VXLAN packets from allowed hosts", vxlan, "ACCEPT"),
        felix("Drop IPv4 VXLAN packets", ("-p udp", f"-m multiport --dports 4789 {local}"), "DROP"),
        felix("Allow incoming IPv4 Wireguard packets", ("-p udp", f"-m multiport --dports 51820 {local}"), "ACCEPT"),
        policy="DROP",
        chains=("cali-INPUT",),
    )
    fields = {"protocol": protocol, "destination_port": port, "state": state, "tcp_flags": 0}
    assert world.verdict(peer, **fields, **({} if port else {"source_port": None}))[0] == verdict
