# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role bgp_firewall does on a host: the rules that are missing, ahead of what stops packets, and no others."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._change import options
from ansible_collections.netmedic.calico.plugins.module_utils._facts.packing import pack
from ansible_collections.netmedic.calico.plugins.plugin_utils._cure import bgp_firewall
from ansible_collections.netmedic.calico.plugins.plugin_utils._cure.model import Given
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import evidence_of

MARK = "netmedic.calico bgp_firewall"
OWN = f'-A INPUT -s {{peer}}/32 -p tcp -m comment --comment "{MARK}" -m tcp --dport 179 -j ACCEPT'


def decide(mesh, node="node-2", **wishes):
    missing = {one.name: one.why for one in mesh.missing}
    given = Given(node, tuple(mesh.addresses), mesh.facts, {}, mesh.evidence(), missing, wishes)
    return bgp_firewall.changes(given)


def own_rules(mesh, *peers, backend="iptables-nft", family="ipv4", table="filter", chain="INPUT", text=OWN):
    entry = {"backend": backend, "family": family, "table": table, "chain": chain, "text": text, "peers": pack(peers)}
    mesh.facts["node-2"]["calico_firewall"].setdefault("own_rules", []).append(entry)


def test_nothing_is_done_where_all_is_open(mesh):
    assert decide(mesh) == ([], [], "", [], {})


def test_one_rule_for_each_peer_ahead_of_what_stops_it(mesh):
    mesh.block("node-2", ["node-1", "node-3"], chain="own", path=["INPUT 4", "own 1"])
    mesh.break_session("node-1", "node-2")
    done = decide(mesh)
    assert done.changes[0] == {
        "kind": "iptables_rule",
        "program": "iptables-nft",
        "table": "filter",
        "chain": "INPUT",
        "rule": "-p tcp -s 10.0.0.11 --dport 179 -j ACCEPT",
        "position": 1,
        "comment": MARK,
        "opens": [{"peers": ["10.0.0.11"], "protocol": "tcp", "port": 179, "direction": "in"}],
    }
    assert [one["opens"][0]["peers"] for one in done.changes] == [["10.0.0.11"], ["10.0.0.9"]]
    assert done.says == [
        "node-2: TCP 179 from 10.0.0.11 and 10.0.0.9 is opened ahead of iptables-nft filter own rule 1"
    ]
    # Only what is down is waited for, and only if nothing else keeps it so.
    assert done.expect == ["10.0.0.9"]
    mesh.block("node-1", ["node-2"], direction="outbound")
    assert decide(mesh).expect == []


def test_only_peers_of_birds_are_let_in(mesh):
    mesh.block("node-2", ["node-1", "192.0.2.7"])
    assert [one["opens"][0]["peers"] for one in decide(mesh).changes] == [["10.0.0.9"]]


def test_what_stands_behind_is_opened_too(mesh):
    mesh.block("node-2", ["node-1"])
    rule = {"backend": "nftables", "table": "inet own", "chain": "input", "rule": 2, "path": ["input 2"]}
    mesh.facts["node-2"]["calico_firewall"]["tcp179"]["inbound"][0]["then"] = [{"verdict": "drop", "rule": rule}]
    one, two = decide(mesh).changes
    assert one["kind"] == "iptables_rule"
    assert {key: two[key] for key in ("kind", "family", "table", "chain", "rule")} == {
        "kind": "nft_rule",
        "family": "inet",
        "table": "own",
        "chain": "input",
        "rule": "ip saddr 10.0.0.9 tcp dport 179 accept",
    }


def test_answers_only_of_connections_that_exist(mesh):
    mesh.block("node-2", ["node-1"], direction="sent", path=["OUTPUT 1"])
    (change,) = decide(mesh).changes
    assert change["chain"] == "OUTPUT"
    assert change["rule"] == "-p tcp -d 10.0.0.9 --sport 179 -m conntrack --ctstate ESTABLISHED -j ACCEPT"
    assert change["opens"] == [{"peers": ["10.0.0.9"], "protocol": "tcp", "source_port": 179, "direction": "out"}]


def test_ufw_in_its_own_words_and_by_its_own_file_where_it_has_none(mesh):
    mesh.block("node-2", ["node-1"], owner="ufw", chain="INPUT", rule=0)
    (change,) = decide(mesh).changes
    assert (change["kind"], change["source"], change["position"]) == ("ufw_rule", "10.0.0.9", 1)
    mesh.facts["node-2"]["calico_firewall"]["tcp179"]["inbound"].pop(0)
    mesh.block("node-2", ["node-1"], owner="ufw", direction="sent", path=["OUTPUT 0"])
    kernel, file = decide(mesh).changes
    assert (kernel["kind"], kernel["chain"]) == ("iptables_rule", "ufw-before-output")
    assert (file["kind"], file["path"], file["rule"]) == ("saved_rule", "/etc/ufw/before.rules", kernel["rule"])


def test_firewalld_in_the_zone_that_stops_it(mesh):
    told = {"owner": "firewalld", "backend": "nftables", "table": "inet firewalld", "path": ["filter_INPUT 5"]}
    mesh.block("node-2", ["node-1"], part="zone nodes", **told)
    (change,) = decide(mesh).changes
    assert (change["kind"], change["zone"]) == ("firewalld_rule", "nodes")
    mesh.facts["node-2"]["calico_firewall"]["tcp179"]["inbound"].pop(0)
    mesh.block("node-2", ["node-1"], **told)
    done = decide(mesh)
    assert done.changes == []
    assert done.says[0].endswith("it is not told in which zone of firewalld (bgp_firewall_zone)")
    assert decide(mesh, zone="public").changes[0]["zone"] == "public"


def test_calicos_own_rule_is_left_alone(mesh):
    mesh.block("node-2", ["node-1"], owner="calico")
    done = decide(mesh)
    assert (done.changes, len(done.says)) == ([], 1)


def test_what_is_loaded_at_boot_gets_it_too(mesh):
    mesh.block("node-2", ["node-1"])
    place = {"path": "/etc/iptables/rules.v4", "family": "ipv4", "table": "filter", "chain": "INPUT"}
    mesh.facts["node-2"]["calico_firewall"]["loaded_at_boot"] = [place, {**place, "chain": "OUTPUT"}]
    kernel, file = decide(mesh).changes
    assert file == {
        "kind": "saved_rule",
        "path": place["path"],
        **{key: kernel[key] for key in ("table", "chain", "rule", "position", "comment")},
    }


def test_a_rule_that_a_reboot_would_lose_is_written_to_the_file(mesh):
    own_rules(mesh, "10.0.0.9")
    place = {"path": "/etc/iptables/rules.v4", "family": "ipv4", "table": "filter", "chain": "INPUT"}
    mesh.facts["node-2"]["calico_firewall"]["loaded_at_boot"] = [place]
    (file,) = decide(mesh).changes
    assert (file["kind"], file["path"], file["state"]) == ("saved_rule", place["path"], "present")
    own_rules(mesh, "10.0.0.9", backend=place["path"])
    assert decide(mesh).changes == []


def test_rules_for_nobody_are_taken_away(mesh):
    own_rules(mesh, "10.0.0.9", "10.0.0.77")
    (change,) = decide(mesh).changes
    assert (change["kind"], change["program"], change["state"]) == ("iptables_rule", "iptables-nft", "absent")
    assert change["rule"] == OWN.replace("{peer}", "10.0.0.77")[len("-A INPUT ") :]
    assert decide(mesh, remove=False).changes == []


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        (
            {"backend": "ufw", "chain": "/etc/ufw/user.rules", "text": f'allow tcp 179 -d any -s {{peer}} in "{MARK}"'},
            {"kind": "ufw_rule", "source": "10.0.0.77", "destination": "any", "port": "179", "direction": "in"},
        ),
        (
            {
                "backend": "nftables",
                "family": "inet",
                "table": "inet own",
                "chain": "input",
                "text": f'ip saddr {{peer}} tcp dport 179 accept comment "{MARK}"',
            },
            {"kind": "nft_rule", "family": "inet", "table": "own", "rule": "ip saddr 10.0.0.77 tcp dport 179 accept"},
        ),
    ],
)
def test_rules_for_nobody_in_other_languages(mesh, told, wanted):
    own_rules(mesh, "10.0.0.77", **told)
    (change,) = decide(mesh).changes
    assert {key: change[key] for key in wanted} == wanted
    assert change["state"] == "absent"


def test_no_rule_is_taken_away_while_somebody_was_not_read(mesh):
    own_rules(mesh, "10.0.0.77")
    mesh.lose("node-3")
    assert decide(mesh).changes == []


def test_nor_where_bird_does_not_answer(mesh):
    own_rules(mesh, "10.0.0.77")
    mesh.daemon("node-2").update(socket_state="refused", running=False)
    assert decide(mesh).changes == []


def flow(mesh, *names, direction="inbound", **more):
    rule = {"backend": "iptables-nft", "family": "ipv4", "table": "filter", "chain": "INPUT", "rule": 1}
    rule.update(owner="unknown", path=["INPUT 1"])
    entry = {"flows": list(names), "verdict": "drop", "family": "ipv4", "rule": rule, **more}
    mesh.facts["node-2"]["calico_firewall"]["flows"] = {"accepted": [], direction: [entry]}


def test_the_tunnel_in_use_is_opened_and_no_other(mesh):
    flow(mesh, "ipip", "udp4789")
    assert decide(mesh).changes == []
    mesh.facts["node-2"]["calico_mtu"] = {"encapsulation": {"kind": "ipip", "overhead": 20}}
    changes = decide(mesh).changes
    assert [one["rule"] for one in changes] == [
        f"-p 4 -s {peer} -j ACCEPT" for peer in ("10.0.0.11", "10.0.0.12", "10.0.0.9")
    ]
    assert changes[0]["opens"] == [{"peers": ["10.0.0.11"], "protocol": "ipip", "direction": "in"}]
    assert decide(mesh, flows=["vxlan"]).changes[0]["opens"][0]["port"] == 4789
    assert decide(mesh, flows=["bgp"]).changes == []


def test_a_node_without_bird_is_no_peer_of_itself(mesh, kube):
    """The API knows its address too, and there is no way from a host to itself that a filter might stop."""
    flow(mesh, "udp4789")
    mesh.facts["node-2"]["calico_node"].pop("bgp_addresses")
    given = Given("node-2", tuple(mesh.addresses), mesh.facts, {}, evidence_of(mesh, kube), {}, {"flows": ["vxlan"]})
    opened = [peer for change in bgp_firewall.changes(given).changes for peer in change["opens"][0]["peers"]]
    assert opened == ["10.0.0.11", "10.0.0.12", "10.0.0.9"]


def test_typhas_port_only_where_a_typha_runs(mesh):
    flow(mesh, "tcp5473", peers=pack(["10.0.0.9"]))
    assert decide(mesh, flows=["typha"]).changes == []


def test_many_peers_make_prefixes_that_hold_just_them(mesh):
    peers = [f"10.9.0.{number}" for number in range(128)]
    mesh.daemon("node-2")["peers"] = {"total": 128, "established": 128, "packed": {"Mesh": pack(peers)}}
    mesh.block("node-2", peers)
    (change,) = decide(mesh).changes
    assert change["rule"] == "-p tcp -s 10.9.0.0/25 --dport 179 -j ACCEPT"
    assert len(change["opens"][0]["peers"]) == 128


def test_what_is_asked_is_checked(mesh):
    with pytest.raises(ValueError, match="bgp_firewall_flows knows bgp, ipip"):
        decide(mesh, flows=["ospf"])
    with pytest.raises(ValueError, match="bgp_firewall_print knows aws"):
        decide(mesh, print=["mainframe"])


def test_a_host_that_was_not_read_is_refused(mesh):
    mesh.lose("node-2")
    assert decide(mesh).refused == "nothing is known of node-2: unreachable: timed out"


def test_every_change_has_options_that_host_change_knows(mesh):
    mesh.block("node-2", ["node-1"])
    known = options.spec()["changes"]["options"]
    assert all(set(change) <= set(known) for change in decide(mesh).changes)


@pytest.mark.parametrize(
    ("cloud", "line"),
    [
        ("aws", 'aws ec2 authorize-security-group-ingress --group-id GROUP --ip-permissions \'[{"IpProtocol":"tcp",'),
        ("gcp", "gcloud compute firewall-rules create calico-nodes-ipv4 --network NETWORK"),
        (
            "azure",
            "az network nsg rule create --resource-group RESOURCE-GROUP --nsg-name GROUP --name calico-bgp-179-ipv4",
        ),
        ("openstack", "openstack security group rule create --ingress --ethertype IPv4 --protocol tcp --dst-port 179"),
    ],
)
def test_the_same_for_a_cloud_is_printed_and_nothing_changed(mesh, cloud, line):
    mesh.block("node-2", ["node-1"])
    done = decide(mesh, print=[cloud])
    assert done.changes == ()
    assert done.says[1].startswith(line)
