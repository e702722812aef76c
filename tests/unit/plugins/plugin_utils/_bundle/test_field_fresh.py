# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What programs say that is not of the node, or not of Calico, and what decides although it is told in few words.

The texts are from public threads, shortened; each is named beside it (owner/repository#number on GitHub).
"""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, read
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import node_captures, sysctl, tcpdump

# projectcalico/calico#2063
CERTIFICATE = (
    "2018-09-05 06:41:22.353 [INFO][56] watchercache.go 188: Failed to perform list of current data during resync "
    'ListRoot="/calico/resources/v3/projectcalico.org/profiles" error=connection is unauthorized: serviceaccounts is '
    'forbidden: User "system:node:kubernetes-master-ubuntu" cannot list serviceaccounts at the cluster scope\n'
)
# projectcalico/calico#7966
DISCOVERY = (
    "[ERROR][68] confd/discovery.go 126: Unable to get service endpoints from Kubernetes. "
    'error=endpoints "cni-endpoints" not found\n'
)
# rancher/rancher#18805
DISTRUST = (
    'E0311 21:48:11.879498   21676 reflector.go:134] object-"kube-system"/"kube-dns-token-5zn9c": Failed to list '
    "*v1.Secret: Get https://127.0.0.1:6443/api/v1/namespaces/kube-system/secrets?limit=500&resourceVersion=0: x509: "
    "certificate signed by unknown authority\n"
)
# aws/eks-charts#230
ANOTHER_POD = (
    "E0816 02:14:34.053996       1 reflector.go:125] "
    "github.com/kubernetes-incubator/cluster-proportional-autoscaler/pkg/autoscaler/k8sclient/k8sclient.go:96: Failed "
    "to list *v1.Node: Get https://172.20.0.1:443/api/v1/nodes: dial tcp 172.20.0.1:443: i/o timeout\n"
)
# k3s-io/k3s#201
IN_A_POD = """\
```
# sysctl net.ipv4.ip_forward
net.ipv4.ip_forward = 1
crictl exec -it pod bash
(In Pod) #  sysctl net.ipv4.ip_forward
net.ipv4.ip_forward = 0
```
"""
# projectcalico/calico#10692
PINGS_ONLY = """\
root@testing-05:~# tcpdump -ni ens160 udp port 4789
07:51:56.628895 IP 10.10.0.105.35736 > 10.10.0.101.4789: VXLAN, flags [I] (0x08), vni 4096
IP 10.233.65.64.65242 > 10.233.121.129.53: Flags [S], seq 3200239535, win 65495, length 0
07:51:57.485342 IP 10.10.0.101.38133 > 10.10.0.105.4789: VXLAN, flags [I] (0x08), vni 4096
IP 10.233.121.128 > 10.233.65.67: ICMP echo request, id 32420, seq 1, length 1430
07:51:57.485547 IP 10.10.0.105.41109 > 10.10.0.101.4789: VXLAN, flags [I] (0x08), vni 4096
IP 10.233.65.67 > 10.233.121.128: ICMP echo reply, id 32420, seq 1, length 1430
"""
# projectcalico/typha#345
SILENCE = (
    "2019-11-28 06:51:48.973 [FATAL][90] client.go 165: Failed to connect to Typha error=dial tcp 100.67.253.90:5473: "
    "i/o timeout\n"
)
# projectcalico/calico#1927
REFUSED = (
    "2018-04-21 06:03:32.454 [ERROR][71] sync_client.go 132: Failed to connect to Typha, retrying... error=dial tcp "
    "10.99.40.16:5473: getsockopt: connection refused\n"
)
NAMELESS = (
    "Warning  FailedScheduling  2m (x33 over 12m)  default-scheduler  0/1 nodes are available: 1 node(s) had taints "
    "that the pod didn't tolerate.\n"
)
RANGE = """\
apiVersion: projectcalico.org/v3
kind: BGPConfiguration
metadata:
  name: default
spec:
  serviceClusterIPs:
  - cidr: 10.32.0.0/11
"""
POOL = """\
# calicoctl get ippool -o wide
NAME                  CIDR             NAT    IPIPMODE      VXLANMODE   DISABLED   SELECTOR
default-ipv4-ippool   10.42.0.0/16     true   CrossSubnet   Never       false      all()
"""
ROUTES = "# ip route\ndefault via 192.168.9.1 dev eth0\nblackhole 10.32.0.0/11 proto bird\n"


def findings(texts):
    texts = {"paste.txt": texts} if isinstance(texts, str) else texts
    found = analyse(*evidence.evidence(read.sort(texts)))["findings"]
    return {one["fault"]: one for one in found}


def causes(texts):
    found = findings(texts).items()
    return [
        name for name, one in found if one["confidence"] > 0.5 and one["role"] == "cause" and name != "undetermined"
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (CERTIFICATE, "calico_node_refused"),
        (DISCOVERY, "typha_discovery_misconfigured"),
        (DISTRUST, "kubelet_not_ready"),
        (f"{REFUSED}\n```\n{NAMELESS}```\n", "typha_not_scheduled"),
    ],
)
def test_it_names_the_cause(text, fault):
    assert causes(text) == [fault]


@pytest.mark.parametrize("text", [ANOTHER_POD, IN_A_POD, SILENCE, PINGS_ONLY])
def test_it_is_not_sure_of_a_cause(text):
    assert causes(text) == []


@pytest.mark.parametrize(("text", "fault"), [(SILENCE, "typha_port_blocked"), (PINGS_ONLY, "checksum_offload")])
def test_it_names_what_may_be_behind(text, fault):
    assert fault in findings(text)


def test_a_pod_that_waits_for_a_ready_node_is_not_typhas():
    text = f"{REFUSED}\n```\n{NAMELESS.replace('had taints', 'had taint {node.kubernetes.io/not-ready: }')}```\n"
    assert causes(text) == ["typha_down"]


def test_the_black_hole_of_a_range_over_pods_is_its_consequence():
    found = findings({"bgp.yaml": RANGE, "pool.txt": POOL, "routes.txt": ROUTES})
    assert found["bgpconfig_service_cidr_contains_pods"]["role"] == "cause"
    assert found["calico_bug_service_blackhole"]["role"] == "consequence"


def test_an_answer_through_the_tunnel_acquits_the_checksums():
    taken = (
        "07:51:58.1 IP 10.10.0.101.1 > 10.10.0.105.4789: VXLAN, flags [I] (0x08), vni 4096\n"
        "IP a.53 > b.9: Flags [S.], seq 1\n"
    )
    assert "checksum_offload" not in findings(PINGS_ONLY + taken)


def test_a_setting_of_two_values_is_nobodys():
    found = sysctl.parse("net.ipv4.ip_forward = 1\nnet.ipv4.ip_forward = 0\nkernel.a = 1\nkernel/a = 1\n")
    assert found.value == {"kernel.a": "1"}
    assert [problem.line for problem in found.problems] == [2]


def test_what_is_in_vxlan_stands_in_the_next_line():
    opened, *_others = tcpdump.parse(PINGS_ONLY.partition("\n")[2]).value.packets
    assert opened.inner.startswith("IP 10.233.65.64.65242 > ")
    there, back = node_captures.facts({"tcpdump.txt": PINGS_ONLY})
    assert (there["inner_opens"], there["inner_echoes"], back["inner_pings"]) == (1, 1, 1)
    assert "inner_accepts" not in back
