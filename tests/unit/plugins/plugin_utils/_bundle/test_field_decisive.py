# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What programs beside BIRD and Felix say, and outputs in forms that are seldom met, that decide what is wrong.

The texts are from public threads, shortened; each is named beside it (owner/repository#number on GitHub).
"""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import event_lines, layouts
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import bare_words, tcpdump
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.shown import findings, sure

# projectcalico/calicoctl#2109
LISTEN = (
    '{"log":"bird: Started\\n","stream":"stdout","time":"2020-02-12T02:26:56.694811838Z"}\n'
    '{"log":"bird: BGP: Socket error: listen: Address in use\\n","stream":"stdout",'
    '"time":"2020-02-12T02:26:56.695085861Z"}\n'
    '{"log":"bird: BGP: Cannot open listening socket\\n","stream":"stdout","time":"2020-02-12T02:26:56.69516996Z"}\n'
)
# rancher/rancher#46993
TOKEN = (
    "2024-09-08 01:21:30.995 [FATAL][1] cni-installer/install.go 482: Unable to create token for CNI kubeconfig "
    'error=serviceaccounts "canal" is forbidden: User "system:serviceaccount:kube-system:canal" cannot create resource '
    '"serviceaccounts/token" in API group "" in the namespace "kube-system": RBAC: '
    'clusterrole.rbac.authorization.k8s.io "calico-node" not found\n'
)
# projectcalico/calico#5339
IPAM = (
    "kubelet            Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for "
    'sandbox "a8bd154853bc": failed to request 1 IPv4 addresses. IPAM allocated only 0\n'
)
# projectcalico/calico#694
HOST_LOCAL = (
    'Warning    FailedSync    Error syncing pod, skipping: failed to "SetupNetwork" for "kube-dns_kube-system" with '
    'SetupNetworkError: "Failed to setup network for pod using network plugins \\"cni\\": no IP addresses available in '
    'network: k8s-pod-network; Skipping pod"\n'
)
# kubernetes/kubernetes#71305
PROXY = (
    "kube-proxy-22hmk kube-proxy E1120 07:08:50.135017       1 proxier.go:647] Failed to ensure that nat chain "
    'KUBE-SERVICES exists: error creating chain "KUBE-SERVICES": exit status 3: iptables v1.6.0: can\'t initialize '
    "iptables table `nat': Table does not exist (do you need to insmod?)\n"
)
# canonical/microk8s#4120
IFCONFIG = (
    "cali94c5cb3919b: flags=-28605<UP,BROADCAST,RUNNING,MULTICAST,DYNAMIC>  mtu 1500\n"
    "        inet 169.254.215.236  netmask 255.255.0.0  broadcast 169.254.255.255\n"
    "        inet6 fe80::ecee:eeff:feee:eeee  prefixlen 64  scopeid 0x20<link>\n"
    "        ether ee:ee:ee:ee:ee:ee  txqueuelen 0  (Ethernet)\n"
)
# kubernetes/kubeadm#468
LOCALHOST = (
    "[root@master1 ~]# kubectl logs calico-node-6753t -n kube-system calico-node\n"
    "Using autodetected IPv4 address on interface eth0: 10.110.17.59/24\n"
    "Calico node 'localhost.localdomain' is already using the IPv4 address 10.110.17.59:\n"
    "Terminating\nCalico node failed to start\n"
)
# projectcalico/calico#6342
FORWARD = (
    "[root@centos-60-219 ~]# iptables -S FORWARD\n-P FORWARD ACCEPT\n"
    '-A FORWARD -m comment --comment "cali:wUHhoiAYhphO9Mso" -j cali-FORWARD\n'
    '-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD\n'
    "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
    "-A FORWARD -i docker0 -j ACCEPT\n"
    "-A FORWARD -j REJECT --reject-with icmp-host-prohibited\n"
    '-A FORWARD -m comment --comment "cali:S93hcgKJrXEqnTfs" -m comment --comment "Policy explicitly accepted packet." '
    "-m mark --mark 0x10000/0x10000 -j ACCEPT\n"
)
# projectcalico/calico#6984
TUNNEL = "".join(
    f"2022-11-20 17:44:{second:02}.100 [WARNING][92] felix/ipip_mgr.go 84: Failed configure IPIP tunnel device, "
    "retrying... error=exit status 1\n"
    for second in range(5)
)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (LISTEN, "port179_conflict"),
        (TOKEN, "calico_node_refused"),
        (IPAM, "ipam_exhausted"),
        (HOST_LOCAL, "ipam_exhausted"),
        (PROXY, "kernel_module_missing"),
        (IFCONFIG, "host_network_manager_interference"),
        (LOCALHOST, "nodename_mismatch"),
        (FORWARD, "host_firewall_blocks_pod_interfaces"),
        (TUNNEL, "tunnel_device_missing"),
    ],
)
def test_it_names_the_cause(text, fault):
    assert sure(text) == [fault]


def test_the_record_under_no_name_is_deleted():
    (fix,) = [one["fix"] for one in findings(LOCALHOST).values()]
    assert "calicoctl delete node localhost.localdomain" in str(fix)


def test_another_hosts_record_is_not_taken_for_a_name_before():
    found = findings(LOCALHOST.replace("localhost.localdomain", "worker2"))
    assert "nodename_mismatch" not in found
    assert "stale_node_in_mesh" in found


@pytest.mark.parametrize(
    "account",
    ["system:serviceaccount:tigera-operator:tigera-operator", "system:serviceaccount:calico-system:calico-typha"],
)
def test_what_others_may_not_is_not_calico_nodes(account):
    text = TOKEN.replace("system:serviceaccount:kube-system:canal", account)
    assert "calico_node_refused" not in sure(text)
    assert "cni_token_expired" not in sure(text)


@pytest.mark.parametrize(
    ("was", "instead"),
    [
        # It is at the end, or lets pods pass before.
        ("-A FORWARD -j REJECT --reject-with icmp-host-prohibited\n", ""),
        ("-A FORWARD -j REJECT", "-A FORWARD -i eth1 -j REJECT"),
        ("-A FORWARD -i docker0 -j ACCEPT", "-A FORWARD -s 10.233.64.0/18 -j ACCEPT"),
        ("-A FORWARD -i docker0 -j ACCEPT", "-A FORWARD -j FIREWALL"),
        # Felix' rule is not shown: it may stand before.
        ("Policy explicitly accepted packet.", "something else"),
    ],
)
def test_a_rule_that_may_stop_nobody_is_no_cause(was, instead):
    assert was in FORWARD
    assert "host_firewall_blocks_pod_interfaces" not in sure(FORWARD.replace(was, instead))


def test_one_try_for_a_tunnel_is_no_cause():
    assert "tunnel_device_missing" not in sure(TUNNEL.splitlines(keepends=True)[0])


def test_felix_meets_empty_pod_cidrs_where_nobody_needs_one():
    text = (
        '2020-07-08 02:14:40.217 [WARNING][58] int_dataplane.go 100: Failed to parse Node PodCIDR CIDR="" '
        'error=invalid CIDR address: node="a"\n'
    )
    assert sure(text) == []
    assert list(findings(text))[:1] == ["node_podcidr_missing"]


def test_no_address_by_first_found_is_not_none_on_the_host():
    text = (
        "[WARNING][8] startup/autodetection_methods.go 99: Unable to auto-detect an IPv4 address: no valid IPv4 "
        "addresses found on the host interfaces\n"
    )
    assert "ipv4_missing_on_host" not in sure(text)


@pytest.mark.parametrize(("text", "name"), [(LISTEN, "calico-node.log"), (PROXY, "kube-proxy.log")])
def test_a_log_is_known_by_what_it_says(text, name):
    assert layouts.of_log("0.log", text) == name


def test_a_link_local_address_alone_is_no_other_programs():
    assert findings(IFCONFIG.replace("inet 169.254.215.236  netmask 255.255.0.0  broadcast 169.254.255.255", "")) == {}


def event(message):
    return {"reason": "FailedCreatePodSandBox", "message": message, "source": {"host": "a"}}


def test_another_plugin_of_the_chain_is_not_calicos():
    found = 'failed to setup network for sandbox "x": plugin type="consul-cni" failed (add): error getting X'
    assert list(event_lines._told([event(found)], {})) == []
    calicos = found.replace("consul-cni", "calico").replace("error getting X", "IPAM allocated only 0")
    assert [one.entry["kind"] for one in event_lines._told([event(calicos)], {})]


def test_long_messages_keep_the_plugins_words():
    message = (
        f'Failed to create pod sandbox: rpc error: {"x" * 900} plugin type="calico" failed (add): netplugin failed'
    )
    told = [one.entry["text"] for one in event_lines._told([event(message)], {})]
    assert told
    assert all('plugin type="calico"' in text for text in told)


# canonical/microk8s#1927
def test_a_capture_without_times_is_read():
    frame = "de:ad:be:ef:00:01 > de:ad:be:ef:00:02, ethertype IPv4 (0x0800), length "
    text = (
        f"{frame}124: 10.0.0.1.47332 > 10.0.0.2.4789: VXLAN, flags [I] (0x08), vni 4096\n"
        f"{frame}74: 10.1.2.3.51000 > 10.1.4.5.53: Flags [S], seq 1, win 64860, length 0\n"
        f"{frame}74: 10.0.0.1.51000 > 10.0.0.2.179: Flags [S], seq 1, win 64860, length 0\n"
    )
    capture = tcpdump.parse(text).value
    assert [packet.protocol for packet in capture.packets] == ["vxlan", "tcp"]


@pytest.mark.parametrize("text", [IPAM, HOST_LOCAL.partition("FailedSync    ")[2]])
def test_kubelets_sentences_without_type_and_age_are_bare(text):
    assert any(words in text for words in bare_words.OF_THE_PLUGIN)
