# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people paste about BGP sessions, node addresses and BIRD's configuration, and what must come of it.

The texts are from public threads, shortened; each is named beside it (owner/repository#number on GitHub).
"""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, layouts, read
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import calicoctl_status, recognise


def told(texts):
    return evidence.evidence(read.sort(texts))


def report_on(texts):
    return analyse(*told(texts))


def causes(texts):
    return [
        (one["fault"], one["confidence"] >= 0.5)
        for one in report_on(texts)["findings"]
        if one["fault"] != "undetermined"
    ]


def first(texts):
    return report_on(texts)["findings"][0]["fault"]


# projectcalico/calico#2292, projectcalico/bird#12, projectcalico/calicoctl#164, projectcalico/calicoctl#1208
REFUSALS = {
    "journal": "Nov 12 20:28:27 calico-router docker[99658]: bird: /etc/calico/confd/config/bird.cfg, line 96: Only "
    "internal neighbor can be RR client\n",
    "svlogd, indented": "    2015-12-01_13:12:24.91217 bird: /config/bird.cfg, line 2490: Symbol already defined\n" * 2,
    "svlogd": "2015-06-02_21:36:53.19069 bird: /config/bird6.cfg, line 51: IP address expected\n" * 2,
    "checked first": "bird: /etc/calico/confd/config/.bird.cfg856459999, line 5: syntax error\n"
    "Calico node started successfully\n"
    "bird: Unable to open configuration file /etc/calico/confd/config/bird.cfg: No such file or directory\n",
}


@pytest.mark.parametrize("text", REFUSALS.values(), ids=REFUSALS)
def test_a_refused_configuration_is_told_by_a_log_alone(text):
    report = report_on({"paste.txt": text})
    assert [one["fault"] for one in report["findings"]] == ["bird_config_rejected"]
    assert "/." not in report["findings"][0]["where"]["file"]


# projectcalico/calicoctl#1016
CONFD = """2016-06-09T06:51:34Z node05 confd[56]: INFO Backend set to etcd
2016-06-09T06:51:34Z node05 confd[56]: ERROR 100: Key not found (/calico) [8]
"""
NO_FILE = "bird: Unable to open configuration file /etc/calico/confd/config/bird.cfg: No such file or directory\n"


def test_confd_of_old_releases_is_told_apart_and_hides_no_line_of_bird():
    assert layouts.of_log("confd.txt", CONFD) == "confd.log"
    assert first({"confd.txt": CONFD, "bird.txt": f"2016-06-09_06:54:34.69256 {NO_FILE}" * 6}) == "confd_cannot_render"


# projectcalico/calico#8294
NO_TYPHA = (
    "2023-12-11 14:22:02.208 [FATAL][138] felix/daemon.go 543: Failed to connect to Typha, giving up after timeout "
    "error=failed to load next Typha address to try: tried all available discovered addresses\n"
)


def test_without_typha_confd_is_not_to_blame():
    found = causes({"calico-node.log": NO_FILE + NO_TYPHA})
    assert {"typha_port_blocked", "typha_down"} <= {fault for fault, _believed in found[:3]}
    assert not any(believed for _fault, believed in found)


# projectcalico/calicoctl#1149
def test_a_refused_connection_to_the_socket_is_no_hung_bird():
    status = (
        "IPv4 BGP status\nUnable to connect to server control socket (/var/run/calico/bird.ctl): Connection refused\n"
    )
    faults = [fault for fault, _believed in causes({"nodes/a/calicoctl-node-status.txt": status})]
    assert "bird_hung" not in faults


# projectcalico/calicoctl#1535
def test_calicoctl_says_that_the_one_for_ipv4_does_not_run():
    status = "INFO: BIRDv4 process: 'bird' is not running.\n\nIPv6 BGP status\nNo IPv6 peers found.\n"
    assert first({"nodes/a/calicoctl-node-status.txt": status}) == "bird_not_running"


# projectcalico/calico#5128: a page's dashes, empty lines, and no word of the family
ROWS = """+—————-+——————-+——-+————+————-+

| PEER ADDRESS | PEER TYPE | STATE | SINCE | INFO |

+—————-+——————-+——-+————+————-+

| 172.28.138.128 | node-to-node mesh | up | 2021-11-09 | Established |

| 172.20.196.48 | node-to-node mesh | start | 01:50:43 | Connect |
"""


def test_a_table_without_its_heading_is_read():
    found = calicoctl_status.parse(ROWS)
    assert [(one.peer, one.bgp_state) for one in found.value.families["ipv4"].peers] == [
        ("172.28.138.128", "Established"),
        ("172.20.196.48", "Connect"),
    ]
    assert not found.problems
    assert list(calicoctl_status.parse("| fd00::1 | global | up | 01:50:43 | Established |").value.families) == ["ipv6"]


# projectcalico/calico#2021 and easzlab/kubeasz#66: one row, and rows whose border was cut
def test_rows_alone_are_recognised_and_cut_borders_do_no_harm():
    assert recognise.recognise("| 10.x.x140  | node specific | start | 12:33:20 | Idle |") == "calicoctl-node-status"
    rows = (
        "| xxx   | node-to-node mesh | start | 2018-01-07 | Active Socket: Connection  |\n|    |    |   |    | closed\n"
    )
    (peer,) = calicoctl_status.parse(rows).value.families["ipv4"].peers
    assert peer.last_error == "Socket: Connection closed"


# projectcalico/calico#7893
def test_no_listening_socket_tells_of_another_speaker():
    row = "| 10.5.4.136 | node-to-node mesh | down  | 06:44:51 | Error: No listening socket |\n"
    assert first({"nodes/a/calicoctl-node-status.txt": f"IPv4 BGP status\n{row}"}) == "port179_conflict"


# What birdcl prints first is no list of protocols: then the table of calicoctl stands in.
def test_birds_greeting_does_not_hide_the_table_of_calicoctl():
    texts = {
        "nodes/a/birdcl-status.txt": "BIRD v0.3.3+birdv1.6.3 ready.\n",
        "nodes/a/calicoctl-node-status.txt": f"IPv4 BGP status\n{ROWS}",
    }
    daemon = told(texts)[0].nodes["a"].daemons["ipv4"]
    assert (daemon.total, list(daemon.troubled)) == (2, ["172.20.196.48"])
    assert daemon.version.endswith("1.6.3")


# projectcalico/calico#2965
def test_a_sentence_about_ip_is_no_capture():
    text = (
        "2019-10-29 08:12:11.059 [ERROR][8] startup.go 567: Invalid IP autodetection method: eth1\n"
        "2019-10-29 08:12:11.059 [WARNING][8] startup.go 1057: Terminating\nCalico node failed to start\n"
    )
    assert recognise.recognise(text) == "log"
    assert first({"paste.txt": text}) == "autodetection_found_nothing"
    assert recognise.recognise("12:00:00.123456 IP 10.0.0.1.179 > 10.0.0.2.4711: Flags [S], seq 1\n" * 2) == "tcpdump"


# projectcalico/calicoctl#920
def test_the_first_releases_name_who_has_the_address():
    text = (
        "No IP provided. Using detected IP: 198.51.100.3\n"
        "ERROR: IP address 198.51.100.3 is already in use by host djo-dcos-agent-2.example.org. Calico requires each "
        "compute host to have a unique IP.\n"
    )
    findings = report_on({"paste.txt": text})["findings"]
    assert findings[0]["fault"] == "stale_node_in_mesh"
    assert "djo-dcos-agent-2.example.org," in findings[0]["summary"]


# projectcalico/calico#2521
TAKEN = (
    "2019-04-02 10:59:28.128 [WARNING][8] startup.go 863: "
    "Calico node 'k8s-node-1' is already using the IPv4 address {}.\n"
    "2019-04-02 10:59:28.128 [WARNING][8] startup.go 1042: Terminating\nCalico node failed to start\n"
)
TWO = """NAME         STATUS   ROLES    AGE   VERSION   INTERNAL-IP   EXTERNAL-IP
k8s-node-1   Ready    <none>   21h   v1.14.0   10.6.24.117   <none>
k8s-node-2   Ready    <none>   21h   v1.14.0   10.6.36.181   <none>
"""


def test_an_address_that_is_nobodys_in_kubernetes_was_chosen_wrongly_on_both():
    assert first({"paste.txt": TAKEN.format("10.32.0.1"), "nodes.txt": TWO}) == "wrong_ip_autodetection"


def test_an_address_that_is_another_ready_nodes_own_is_not_left_over():
    found = causes({"paste.txt": TAKEN.format("10.6.24.117"), "nodes.txt": TWO})
    assert found[0] == ("duplicate_node_ip", True)
    assert ("wrong_ip_autodetection", True) not in found


# projectcalico/calico#5090
def test_an_address_that_is_found_on_one_interface_and_then_on_another():
    line = (
        "2021-11-16 04:1{}:14.545 [INFO][58] monitor-addresses/startup.go 774: "
        "Using autodetected IPv4 address on interface {}\n"
    )
    moved = line.format(3, "eth0: 10.231.134.62/24") + line.format(4, "tunSSM.236.245: 100.64.236.245/32")
    assert first({"calico-node.log": moved}) == "wrong_ip_autodetection"
    same = line.format(3, "eth0: 10.231.134.62/24") + line.format(4, "eth0: 10.231.134.63/24")
    assert ("wrong_ip_autodetection", True) not in causes({"calico-node.log": same})


# projectcalico/calico#4870
HELD = """2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 2090 qdisc pfifo_fast state UP group default qlen 1000
    inet6 fd00:eccd:81:1111::123/128 scope global nodad
    inet6 fd00:eccd:81:1111::3/64 scope global
"""
SIX = """NAME       STATUS   ROLES                  AGE     VERSION   INTERNAL-IP            EXTERNAL-IP
master-0   Ready    control-plane,master   4h15m   v1.21.1   fd00:eccd:81:1111::3   <none>
worker-1   Ready    worker                 4h9m    v1.21.1   fd00:eccd:81:1111::2   <none>
"""
CHOSEN = (
    "2021-08-26 09:01:11.001 [INFO][8] startup/startup.go 774: Using autodetected IPv6 address on interface eth0: {}\n"
)


def test_the_log_tells_that_a_floating_address_was_chosen():
    texts = {"nodes.txt": SIX, "nodes/master-0/ip-addr.txt": HELD}
    log = {"nodes/master-0/calico-node.log": CHOSEN.format("fd00:eccd:81:1111::123/128")}
    assert [fault for fault, _believed in causes({**texts, **log})] == ["vip_chosen_as_node_ip"]


def test_a_table_of_nodes_with_ipv6_only_is_no_fault():
    assert not causes({"nodes.txt": SIX})


# projectcalico/calico#2844
def test_a_table_of_nodes_does_not_say_that_calicos_data_is_lost():
    nodes = "NAME      STATUS   ROLES    AGE   VERSION\n" + "".join(
        f"master{number}   Ready    master   29d   v1.14.3\n" for number in (1, 2)
    )
    pods = "NAMESPACE     NAME                READY   STATUS    RESTARTS   AGE   IP             NODE\n" + "".join(
        f"kube-system   calico-node-xc4d{number}   1/1     Running   0    29d   192.168.0.9{number}   master{number}\n"
        for number in (1, 2)
    )
    assert ("datastore_lost_data", True) not in causes({"nodes.txt": nodes, "pods.txt": pods})


# projectcalico/calico#9549 (glibc's words) and easzlab/kubeasz#66 (musl's, the name masked, a syslog's beginning cut)
@pytest.mark.parametrize(
    "line",
    [
        "bird: Mesh_10_16_133_58: Socket error: bind: Cannot assign requested address\n",
        "an  7 11:33:49 [localhost] docker: bird: Mesh_XXXXX[IP]: Socket error: bind: Address not available,\n",
    ],
)
def test_a_bird_that_cannot_bind_has_an_address_that_is_not_on_its_host(line):
    row = "| 10.16.133.58 | node-to-node mesh | start | 07:05:27 | Active Socket: Connection closed |\n"
    for more in ({}, {"nodes/a/calicoctl-node-status.txt": f"IPv4 BGP status\n{row}"}):
        found = causes({"nodes/a/calico-node.log": line, **more})
        assert [fault for fault, _believed in found[:2]] == ["node_ip_not_on_host", "stale_node_ip"]
        assert not any(believed for _fault, believed in found)


# projectcalico/calico#8194
def test_a_socket_that_gives_no_answer_tells_of_a_bird_that_hangs():
    text = (
        "Warning  Unhealthy  2m (x14 over 9m)  kubelet  Readiness probe failed: calico/node is not ready: BIRD is not "
        "ready: Error executing command: read unix @->/var/run/calico/bird.ctl: i/o timeout\n"
    )
    assert causes({"events.txt": text})[0] == ("bird_hung", False)


# projectcalico/calico#689
def test_a_bad_identifier_tells_of_a_speaker_that_meets_itself():
    row = "| 172.30.30.11 | node specific | start | 14:50:02 | Idle BGP Error: Bad BGP identifier |\n"
    found = [
        fault for fault, _believed in causes({"nodes/slave3/calicoctl-node-status.txt": f"IPv4 BGP status\n{row}"})
    ]
    assert found[:2] == ["duplicate_router_id", "bgppeer_wrong_address"]


# projectcalico/calico#1081
def test_a_mesh_that_is_switched_off_and_a_bird_without_peers():
    head = "apiVersion: projectcalico.org/v3\nkind: BGPConfiguration\nmetadata: {name: default}\n"
    off = f"{head}spec: {{nodeToNodeMeshEnabled: false}}\n"
    status = "Calico process is running.\n\nIPv4 BGP status\nNo IPv4 peers found.\n"
    texts = {"nodes/a/calicoctl-node-status.txt": status}
    assert first({**texts, "cluster/bgpconfiguration.yaml": off}) == "mesh_disabled_no_peers"
    assert not causes({**texts, "cluster/bgpconfiguration.yaml": off.replace("false", "true")})


# projectcalico/calico#4515
@pytest.mark.parametrize(
    "text",
    [
        (
            "[WARNING][8] startup/startup.go 187: Unable to set NetworkUnavailable to False error=timed out patching "
            'node, last error was: nodes "prodrpxapp\\n" not found\n'
        ),
        (
            "[ERROR][8] startup/startup.go 200: Unable to set node resource configuration error=error with field "
            "Metadata.Name = 'prodrpxapp\n' (name must consist of lower case alphanumeric characters, '-' or '.')\n"
        ),
    ],
    ids=["no such Node", "no name for a Node"],
)
def test_a_name_that_no_node_of_kubernetes_has(text):
    assert first({"calico-node.log": f"2021-04-07 05:30:26.982 {text}"}) == "nodename_mismatch"


# projectcalico/calicoctl#2108: at every start BIRD is there before its configuration, and that is no fault
@pytest.mark.parametrize(("times", "believed"), [(1, False), (6, True)])
def test_a_bird_without_a_file_is_a_matter_of_the_first_seconds_unless_it_goes_on(times, believed):
    assert causes({"calico-node.log": NO_FILE * times}) == [("confd_cannot_render", believed)]


# projectcalico/calico#12938
RECONFIGURED = """bird: Reconfiguration requested by SIGHUP
bird: Reconfiguring
bird: Mesh_11_22_234_190: Reconfigured
bird: Mesh_11_22_234_203: Reconfigured
bird: Reconfigured
"""
NEW = """apiVersion: projectcalico.org/v3
kind: Node
metadata: {name: new-node}
spec: {bgp: {ipv4Address: 11.22.234.205/24}}
"""


def test_a_node_that_bird_never_names_is_not_in_what_it_runs():
    texts = {"nodes/node-1/calico-node.log": RECONFIGURED, "cluster/new.yaml": NEW}
    assert causes(texts)[0] == ("bird_reload_stuck", False)
    added = {**texts, "nodes/node-1/calico-node.log": f"{RECONFIGURED}bird: Adding protocol Mesh_11_22_234_205\n"}
    assert not causes(added)
    assert not causes({**texts, "nodes/node-1/calico-node.log": "bird: Adding protocol Mesh_11_22_234_203\n"})
