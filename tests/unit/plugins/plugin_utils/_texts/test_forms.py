# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of which no recording could be made: the form is that of the programs' own sources and documentation."""

from __future__ import annotations

import json

from ansible_collections.netmedic.calico.plugins.module_utils._host.routes import Route
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import (
    calicoctl_nodes,
    calicoctl_status,
    links,
    log,
    modules,
    probes,
    readiness,
    routes,
    tigerastatus,
)


def test_modules_of_lsmod_and_of_the_kernel():
    text = "Module                  Size  Used by\nip_tunnel              32768  2 ipip,sit\nipip  16384  0\n"
    found = modules.parse(text)
    assert (found.value["ip_tunnel"].used_by, found.value["ipip"].size, found.problems) == (("ipip", "sit"), 16384, ())
    found = modules.parse("xt_set 16384 12 - Live 0x0000000000000000\nnf_nat 57344 2 xt_MASQUERADE,nft_nat, Live 0x0\n")
    assert (found.value["xt_set"].uses, found.value["nf_nat"].used_by) == (12, ("xt_MASQUERADE", "nft_nat"))


def test_nodes_of_calicoctl():
    text = (
        "NAME     ASN       IPV4           IPV6\n"
        "node-1   (64512)   10.0.0.1/24\n"
        "node-2   64513     10.0.0.2/24    fd00::2/64\n"
    )
    first, second = calicoctl_nodes.parse(text).value
    assert (first.as_number, first.inherited, first.ipv4, first.ipv6) == (64512, True, "10.0.0.1/24", "")
    assert (second.as_number, second.inherited, second.ipv6) == (64513, False, "fd00::2/64")
    assert [node.name for node in calicoctl_nodes.parse("NAME\nnode-1\nnode-2\n").value] == ["node-1", "node-2"]


def test_components_of_the_operator():
    text = (
        "NAME        AVAILABLE   PROGRESSING   DEGRADED   SINCE\n"
        "apiserver   True        False         False      3d\n"
        "calico                  True          True       5m\n"
    )
    apiserver, calico = tigerastatus.parse(text).value
    assert (apiserver.available, apiserver.degraded, apiserver.since) == (True, False, "3d")
    assert (calico.available, calico.progressing, calico.degraded) == (None, True, True)


def test_probes_are_read_as_written():
    bgp = {"probes": [{"peer": "10.0.0.2", "result": "open"}], "peer_reachability": [{"peer": "10.0.0.2"}]}
    text = json.dumps(probes.write("2026-11-21T06:00:00Z", bgp, {"paths": [{"result": "ok", "wanted": 1500}]}))
    found = probes.parse(text)
    assert found.problems == ()
    assert found.value.tcp == tuple(bgp["probes"])
    assert found.value.paths[0]["wanted"] == 1500


def test_probes_that_are_not_understood_are_told():
    assert probes.parse('{"schema": 2, "tcp": []}').problems
    found = probes.parse('{"schema": 1, "tcp": [{"peer": "a"}, 7], "paths": {}}')
    assert [problem.why for problem in found.problems] == ["2 entries lack what they need", "is no list"]


def test_node_status_without_a_daemon():
    text = "Calico process is running.\n\nNone of the BGP backend processes (BIRD or GoBGP) are running.\n"
    found = calicoctl_status.parse(text)
    assert (found.value.running, found.value.bird_running, found.value.families, found.problems) == (
        True,
        False,
        {},
        (),
    )
    assert calicoctl_status.parse("Calico process is not running.\n").value.running is False
    text = "Calico process is running.\n\nThe BGP backend process (BIRD) is not running.\n"
    assert calicoctl_status.parse(text).value.bird_running is False


def test_node_status_of_one_family_and_of_a_port():
    text = (
        "Calico process is running.\n\nIPv4 BGP status\n"
        "+--------------------+---------------+-------+----------+------------------------------+\n"
        "|    PEER ADDRESS    |   PEER TYPE   | STATE |  SINCE   |             INFO             |\n"
        "+--------------------+---------------+-------+----------+------------------------------+\n"
        "| 10.0.0.1.port.1790 | node specific | down  | 10:11:12 | Error: No listening socket   |\n"
        "+--------------------+---------------+-------+----------+------------------------------+\n\n"
        "INFO: BIRDv6 process: 'bird6' is not running.\n"
    )
    found = calicoctl_status.parse(text).value
    peer = found.families["ipv4"].peers[0]
    assert (peer.peer, peer.port, peer.kind, peer.bgp_state) == ("10.0.0.1", 1790, "Node", "Down")
    assert peer.last_error == "Error: No listening socket"
    assert found.families["ipv6"].running is False


def test_every_form_of_prefix_gives_the_same_line_of_bird():
    message = "bird: Mesh_10_0_0_2: Error: Bad peer AS: 64513"
    for text in (
        f"2026-11-21T06:00:00.123456789Z stderr F {message}",
        f"2026-11-21T06:00:00.123456789Z {message}",
        f"[pod/calico-node-x7k2m/calico-node] 2026-11-21T06:00:00.123456789Z {message}",
        f"2026-11-21T07:00:00+01:00 node-1 calico-node[77]: {message}",
        json.dumps({"log": message + "\n", "stream": "stderr", "time": "2026-11-21T06:00:00.1Z"}),
    ):
        found = log.parse(text).value
        assert [(line.at, line.kind, line.peer, line.value) for line in found.bird] == [
            (1795240800.0, "bad_peer_as", "10.0.0.2", "64513")
        ], text
        assert found.first == 1795240800.0
    found = log.parse(f"Nov 21 06:00:00 node-1 calico-node[77]: {message}").value
    assert (found.bird[0].kind, found.bird[0].at) == ("bad_peer_as", None)


def test_forms_of_other_programs():
    text = "\n".join(
        (
            "2026-11-21 06:00:00.218 [WARNING][66] felix/table.go 999: Failed to program iptables",
            "E1121 06:00:00.518349      74 reflector.go:138] Failed to watch",
            'time="2026-11-21T06:00:00Z" level=error msg="no \\"cni\\"" source="install.go"',
            '{"level":"error","ts":"2026-11-21T06:00:00Z","logger":"controller","msg":"failed","error":"why"}',
        )
    )
    found = log.parse(text).value
    assert [(entry.level, entry.place, entry.message) for entry in found.entries] == [
        ("warning", "felix/table.go 999", "Failed to program iptables"),
        ("error", "reflector.go:138", "Failed to watch"),
        ("error", "install.go", 'no "cni"'),
        ("error", "controller", "failed error=why"),
    ]


def test_no_secret_leaves_a_log():
    found = log.parse('2026-11-21 06:00:00.218 [ERROR][66] x.go 1: bad password: "hunter2"').value
    assert "hunter2" not in repr(found)


def test_masked_peers_are_kept():
    found = readiness.read("calico/node is not ready: BIRD is not ready: BGP not established with 10.0.1.45,x.x.x.x")
    assert [(entry.component, entry.reason, entry.peers) for entry in found] == [
        ("bird", "not_established", ("10.0.1.45", "x.x.x.x"))
    ]


def test_the_way_to_an_address_is_the_kernels():
    network = links.parse("2: eth0: <UP,LOWER_UP> mtu 1500 state UP\n    inet 10.0.0.9/24 scope global eth0\n").value
    table = routes.parse("default via 10.0.0.1 dev eth0 metric 9\n10.0.0.0/24 dev eth0\nblackhole 10.2.0.0/16\n").value
    found = routes.look_up(table, ["10.0.0.2", "10.9.9.9", "10.2.0.1", "10.0.0.9", "fd00::1", "node-1"], network)
    assert found == {
        "10.0.0.2": Route("10.0.0.2", "unicast", "eth0", "", "10.0.0.9"),
        "10.9.9.9": Route("10.9.9.9", "unicast", "eth0", "10.0.0.1", "10.0.0.9"),
        "10.2.0.1": Route("10.2.0.1", "blackhole"),
        "10.0.0.9": Route("10.0.0.9", "local", "lo", "", "10.0.0.9"),
        "fd00::1": Route("fd00::1", "none"),
    }
