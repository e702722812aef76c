# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules are added only if they open what they say and nothing else, in view of the kernel's real rules."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._change.model import RefusedError

FLOW = {"peers": ["10.0.0.2"], "port": 179}
SET_UP = (
    "iptables-nft -P INPUT DROP; iptables-nft -A INPUT -i lo -j ACCEPT;"
    "iptables-nft -A INPUT -p tcp --dport 22 -j ACCEPT; iptables-nft -A INPUT -s 10.0.0.0/24 -p udp -j ACCEPT"
)
NFT = (
    "nft add table inet t; nft add chain inet t in '{ type filter hook input priority 0; policy drop; }';"
    "nft add rule inet t in iif lo accept"
)


def rule(text="-s 10.0.0.2/32 -p tcp --dport 179 -j ACCEPT", *flows, **more):
    made = {"kind": "iptables_rule", "program": "iptables-nft", "chain": "INPUT", "rule": text, "comment": "ours"}
    return {**made, "opens": list(flows or [FLOW]), **more}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (rule("-p tcp --dport 179 -j ACCEPT"), r"would change more: TCP to port 179 from \S+: drop now, then accept"),
        (rule("-s 10.0.0.2 -p tcp -j ACCEPT"), r"would change more: TCP to port \d+ from 10.0.0.2: drop now, then acc"),
        (rule("-s 10.0.0.2 -j ACCEPT"), "would change more: "),
        (rule("-s 10.0.0.2/31 -p tcp --dport 179 -j ACCEPT"), "would change more: TCP to port 179 from 10.0.0.3"),
        (rule("-s 10.0.0.2 -p tcp --dport 170:179 -j ACCEPT"), "would change more: TCP to port 17[0-8] from 10.0.0.2"),
        (
            rule("-s 10.0.0.3 -p tcp --dport 179 -j ACCEPT"),
            "would not open TCP port 179 from 10.0.0.2: drop by the poli",
        ),
        (rule("-s 10.0.0.2 -p tcp --dport 179 -j DROP"), "would not open TCP port 179 from 10.0.0.2: drop by rule 1"),
        (rule(position=0, chain="FORWARD"), "would not open"),
        (rule("-s 10.0.0.2 -p tcp --dport 179 -j ACCEPT", state="absent"), None),
        (rule("-s 10.0.0.2 -p tcp --dport 179 -j ACCEPT", {"peers": ["nobody"], "port": 1}), "'nobody' is no address"),
        (rule("-s 10.0.0.2 -p tcp --dport 179 -j ACCEPT", {"peers": ["10.0.0.2"]}), "either a port or a source_port"),
        (
            rule("-s 10.0.0.2 -p tcp --dport 179 -j ACCEPT", {"peers": ["192.0.2.1"], "port": 179}),
            "there is no way from",
        ),
    ],
)
def test_a_rule_that_does_more_or_less_is_refused(host, change, sentence):
    host.run(SET_UP + "; iptables-nft -A FORWARD -j DROP")
    before = host.run("nft list ruleset")
    if sentence is None:
        assert not host.apply(change)["changed"]  # it is not there, and nothing has to be proven
        return
    with pytest.raises(RefusedError, match=sentence):
        host.apply(change)
    assert host.run("nft list ruleset") == before


def test_rules_that_open_what_they_say_are_added(host):
    host.run(SET_UP + "; ip6tables-nft -P INPUT DROP;" + NFT)
    host.run("nft add rule inet t in tcp dport 22 accept")
    six = {"peers": ["fd00::2"], "port": 179}
    changes = [
        rule(),
        rule("-s 10.0.0.3 -p 4 -j ACCEPT", {"peers": ["10.0.0.3"], "protocol": "ipip"}),
        rule("-s fd00::2 -p tcp --dport 179 -j ACCEPT", six, program="ip6tables-nft"),
    ]
    with pytest.raises(RefusedError, match=r"would not open TCP port 179 from 10\.0\.0\.2: drop by the policy of in"):
        host.apply(*changes)  # the native table stands in the way, too
    native = {"kind": "nft_rule", "family": "inet", "table": "t", "chain": "in"}
    changes += [
        dict(native, rule="ip saddr 10.0.0.2 tcp dport 179 accept", comment="a", opens=[FLOW]),
        dict(native, rule="ip saddr 10.0.0.3 meta l4proto 4 accept", comment="b", opens=changes[1]["opens"]),
        dict(native, rule="ip6 saddr fd00::2 tcp dport 179 accept", comment="c", opens=[six]),
    ]
    assert host.apply(*changes)["changed"]
    host.confirm()
    assert not host.apply(*changes)["changed"]


def test_what_is_open_already_needs_no_rule(host):
    host.run(SET_UP)
    open_already = rule("-s 10.0.0.2 -p tcp --dport 22 -j ACCEPT", {"peers": ["10.0.0.2"], "port": 22})
    done = host.apply(open_already)
    assert not done["changed"]
    assert done["changes"][0]["why_not"] == "what it is to open is open already"


def test_answers_that_are_blocked_are_opened(host):
    host.run(SET_UP)
    flow = {"peers": ["10.0.0.2"], "source_port": 179}
    text = "-s 10.0.0.2 -p tcp --sport 179 -m conntrack --ctstate ESTABLISHED -j ACCEPT"
    assert host.apply(rule(text, flow))["changed"]


def test_what_is_sent_is_opened(host):
    host.run("iptables-nft -P OUTPUT DROP")
    flow = {"peers": ["10.0.0.2"], "port": 179, "direction": "out"}
    assert host.apply(rule("-d 10.0.0.2 -p tcp --dport 179 -j ACCEPT", flow, chain="OUTPUT"))["changed"]
    host.undo()
    more = rule("-d 10.0.0.2/31 -p tcp --dport 179 -j ACCEPT", flow, chain="OUTPUT")
    with pytest.raises(RefusedError, match=r"would change more: TCP to port 179 to 10\.0\.0\.3"):
        host.apply(more)


def test_many_peers_among_many_rules(host):
    kube = "-A KUBE -d 172.16.{}.{}/32 -p tcp -m tcp --dport {} -j ACCEPT"
    lines = "\n".join(kube.format(n // 250, n % 250, 1000 + n % 7) for n in range(2000))
    host.run(f"iptables-nft-restore <<'X'\n*filter\n:INPUT DROP\n:KUBE -\n-A INPUT -j KUBE\n{lines}\nCOMMIT\nX")
    peers = [f"10.0.0.{number}" for number in range(2, 32)]
    changes = [rule(f"-s {peer} -p tcp --dport 179 -j ACCEPT", {"peers": [peer], "port": 179}) for peer in peers]
    assert host.apply(*changes, check=True)["changed"]
