# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tools that say nothing of BGP, hosts under another name, and what rules and routes tell where little else is shown.

The texts are from public threads, shortened; each is named beside it (owner/repository#number on GitHub).
"""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.shown import findings, sure

STATUS = "nodes/a/calicoctl-node-status.txt"
# projectcalico/calicoctl#822, and the words of later releases (status.go, EnforceRoot in calicoctl/util)
NOT_ROOT = {
    "first releases": "calico-node container is running. Status: Up 12 seconds\nRunning felix version 1.3.0rc6\n\n"
    "IPv4 BGP status\nIP: 192.168.98.6 AS Number: 64511 (inherited)\n"
    "Unable to connect to server control socket (/var/run/calico/bird.ctl): Permission denied\n"
    "Couldn't connect to bird. Try running as root.\nIPv6 BGP status\n",
    "socket": "Calico process is running.\n\nIPv4 BGP status\nError querying BIRD: unable to connect to BIRDv4 socket: "
    "dial unix /var/run/bird/bird.ctl: connect: permission denied\n",
    "enforced": "Need super user privileges: Operation not permitted\n",
}


@pytest.mark.parametrize("text", NOT_ROOT.values(), ids=NOT_ROOT)
def test_who_is_not_root_is_told_nothing_of_bird(text):
    found = findings({STATUS: text})
    assert list(found) == ["benign_tool_artifact"]
    assert "as root" in found["benign_tool_artifact"]["summary"]


def test_a_client_that_is_not_root_is_told_nothing_either():
    text = "Unable to connect to server control socket (/var/run/calico/bird.ctl): {}\n"
    assert sure({"nodes/a/birdcl-protocols.txt": text.format("Permission denied")}) == ["benign_tool_artifact"]
    assert "benign_tool_artifact" not in sure({"nodes/a/birdcl-protocols.txt": text.format("Connection refused")})


# projectcalico/node#522
IN_USE = "bird: {}: Socket error: bind: Address in use\n"


def test_a_peers_protocol_that_cannot_bind_does_not_listen():
    assert "port179_conflict" not in findings({"calico-node.log": IN_USE.format("Mesh_10_250_10_60") * 3})
    assert sure({"calico-node.log": IN_USE.format("BGP") * 3}) == ["port179_conflict"]


# projectcalico/calico#2040
def test_a_certificate_that_is_not_for_the_address_asked():
    text = (
        "2018-06-20 13:28:27.104 [INFO][8] startup.go 564: Hit error connecting to datastore - retry error=Get "
        "https://10.96.0.1:443/api/v1/nodes/foo: x509: {}\n"
    )
    names = text.format("cannot validate certificate for 10.96.0.1 because it doesn't contain any IP SANs")
    assert sure({"calico-node.log": names}) == ["calico_node_refused"]
    assert "not for the address" in findings({"calico-node.log": names})["calico_node_refused"]["summary"]
    authority = text.format("certificate signed by unknown authority")
    assert "authority" in findings({"calico-node.log": authority})["calico_node_refused"]["summary"]


# projectcalico/calico#1627, projectcalico/calicoctl#1568
TAKEN = (
    "2018-01-20 14:11:02.054 [WARNING][9] startup.go 757: Calico node '{}' is already using the IPv4 address "
    "10.0.0.10.\n2018-01-20 14:11:02.054 [WARNING][9] startup.go 943: Terminating\nCalico node failed to start\n"
)
OLD = (
    "ERROR: IP address 10.0.3.88 is already in use by host ip-10-0-3-88{}. Calico requires each compute host to have a "
    "unique IP.\n"
)


@pytest.mark.parametrize("text", [TAKEN.format("10.0.0.10"), OLD.format(""), OLD.format(".eu-west-1.compute.internal")])
def test_a_host_on_record_under_its_address_is_the_host_itself(text):
    (found,) = findings({"calico-node.log": text}).values()
    assert (found["fault"], found["confidence"] >= 0.5) == ("nodename_mismatch", True)
    assert "calicoctl delete node" in str(found["fix"])


@pytest.mark.parametrize("text", [TAKEN.format("10.0.0.11"), TAKEN.format("ip-10-0-0-1"), TAKEN.format("worker-10")])
def test_a_host_of_another_name_is_another_host(text):
    assert "nodename_mismatch" not in findings({"calico-node.log": text})


def test_where_kubernetes_has_a_node_of_that_name_it_is_another_host():
    nodes = "NAME        STATUS   ROLES    AGE   VERSION\n10.0.0.10   Ready    <none>   21h   v1.14.0\n"
    assert "nodename_mismatch" not in sure({"calico-node.log": TAKEN.format("10.0.0.10"), "nodes.txt": nodes})


# projectcalico/calico#7171
def test_a_plugin_that_another_one_calls_is_refused():
    text = (
        "Warning  FailedCreatePodSandBox  2m (x41 over 12m)  kubelet  Failed to create pod sandbox: rpc error: code = "
        'Unknown desc = failed to setup network for sandbox "5a84": plugin type="multus" name="multus-cni-network" '
        "failed (add): [kube-system/metrics-server-7968cd6ff4-t6sh2:{0}]: error adding container to network "
        '"{0}": Unauthorized\n'
    )
    assert sure({"cluster/events.txt": text.format("k8s-pod-network")}) == ["cni_token_expired"]
    assert sure({"cluster/events.txt": text.format("macvlan-conf")}) == []


# kubernetes/kubernetes#108718
FORWARD = """# iptables -vL -t filter
Chain INPUT (policy ACCEPT 492K packets, 63M bytes)
 pkts bytes target     prot opt in     out     source               destination
1674K  216M KUBE-FIREWALL  all  --  any    any     anywhere             anywhere

Chain FORWARD (policy DROP 2947 packets, 248K bytes)
 pkts bytes target     prot opt in     out     source               destination
 9704  815K KUBE-FORWARD  all  --  any    any     anywhere             anywhere             /* kubernetes forwarding */
 9704  815K KUBE-SERVICES  all  --  any    any     anywhere             anywhere             ctstate NEW /* portals */
"""


def test_a_chain_of_forwarded_packets_that_is_closed_by_its_policy():
    found = findings({"iptables-list.txt": FORWARD})
    assert list(found) == ["host_firewall_blocks_pod_interfaces"]
    assert "FORWARD policy" in found["host_firewall_blocks_pod_interfaces"]["summary"]


@pytest.mark.parametrize(
    ("was", "instead"),
    [
        ("policy DROP 2947 packets", "policy ACCEPT 2947 packets"),
        # Nothing has come as far as to the policy.
        ("policy DROP 2947 packets", "policy DROP 0 packets"),
        # Felix', flannel's or somebody's own rule comes before.
        (" 9704  815K KUBE-SERVICES", " 9704  815K cali-FORWARD"),
        (" 9704  815K KUBE-SERVICES", " 9704  815K FLANNEL-FWD"),
        ("KUBE-SERVICES  all  --  any    any     anywhere", "ACCEPT     all  --  any    any     10.244.0.0/16"),
        # Only a part of the chain is shown.
        ("# iptables -vL -t filter", "# iptables -vL -t filter | grep -e Chain -e KUBE"),
        (" 9704  815K KUBE-FORWARD", " 9704  815K DOCKER-USER"),
    ],
)
def test_a_policy_that_may_stop_no_pod_is_no_cause(was, instead):
    assert was in FORWARD
    assert sure({"iptables-list.txt": FORWARD.replace(was, instead)}) == []


# projectcalico/cni-plugin#524
ROUTES = (
    "172.17.0.0/16 dev eth1 proto kernel scope link src 172.17.8.101\n"
    "192.168.174.0/26 via 172.17.8.102 dev {0} proto bird {1}\n"
    "192.168.210.128/26 via 172.17.8.103 dev {0} proto bird {1}\n"
)
APART = "observations:\n  - {check: ping, from: pod-on-core-1, to: pod-on-core-2, result: timeout}\n"


@pytest.mark.parametrize(
    ("routes", "first"),
    [
        (ROUTES.format("eth1", ""), "encapsulation_disabled_but_needed"),
        (ROUTES.format("tunl0", "onlink"), "ipip_blocked"),
    ],
)
def test_birds_routes_tell_whether_pods_packets_are_encapsulated(routes, first):
    found = findings({"nodes/core-1/ip-route.txt": routes, "environment.yml": APART})
    assert next(iter(found), "") == first
    assert found[first]["confidence"] < 0.5
