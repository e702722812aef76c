# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events that do not say what they are about, firewalls and counters that stop pods' packets, ports and names tried.

The texts are from public threads, shortened; each is named beside it (owner/repository#number on GitHub).
"""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, read
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.shown import findings


def confidence(texts, fault):
    found = findings(texts)
    return found[fault]["confidence"] if fault in found else 0.0


EVENTS = """Events:
  Type     Reason            Age                    From                  Message
  ----     ------            ----                   ----                  -------
"""
# kyverno/kyverno#11122
WEBHOOK = (
    "  Warning  FailedCreate      19m (x95 over 7h57m)  daemonset-controller  Error creating: Internal error occurred: "
    'failed calling webhook "validate.kyverno.svc-fail": failed to call webhook: Post '
    '"https://kyverno-svc.kyverno.svc:443/validate/fail?timeout=10s": no endpoints available for service '
    '"kyverno-svc"\n'
)
DAEMONSET = "Name:           calico-node\nSelector:       k8s-app=calico-node\nNode-Selector:  kubernetes.io/os=linux\n"


def test_a_webhook_is_told_and_surer_with_the_daemonset_that_it_is_about():
    unnamed = confidence({"cluster/events.txt": EVENTS + WEBHOOK}, "admission_webhook_blocks_pods")
    named = confidence({"kubectl-describe-ds.txt": DAEMONSET + EVENTS + WEBHOOK}, "admission_webhook_blocks_pods")
    assert 0 < unnamed < named
    assert named >= 0.5


# kubernetes-sigs/cluster-api-provider-azure#3323
IMAGE = (
    "  Warning  Failed     5m27s                  kubelet            Failed to pull image "
    '"docker.io/{}:v3.25.0": rpc error: code = Unknown desc = failed to pull and unpack image '
    '"docker.io/{}:v3.25.0": failed to copy: httpReadSeeker: failed open: unexpected status code '
    "https://registry-1.docker.io/v2/{}/blobs/sha256:5a11: 429 Too Many Requests\n"
)
# projectcalico/calico#12886
SHARED = (
    '  Warning  Failed   12s (x4 over 49s)  kubelet  Error: failed to start container "{}": Error response from '
    "daemon: path /sys/fs is mounted on /sys but it is not a shared mount\n"
)


@pytest.mark.parametrize(
    ("event", "ours"),
    [
        (IMAGE.replace("{}", "calico/pod2daemon-flexvol"), True),
        (IMAGE.replace("{}", "calico/cni"), True),
        (IMAGE.replace("{}", "library/nginx"), False),
        (SHARED.format("mount-bpffs"), True),
        (SHARED.format("app"), False),
    ],
    ids=["flexvol", "cni", "another's image", "container", "another's container"],
)
def test_images_and_containers_of_calicos_are_known_without_their_pod(event, ours):
    found = findings({"describe.txt": EVENTS + event})
    assert list(found) == (["calico_pod_not_starting"] if ours else [])


TABLE = "NAMESPACE     LAST SEEN   TYPE      REASON    OBJECT                  MESSAGE\n"
FAILED = "kube-system   12s         Warning   Failed    pod/calico-node-8xk2l   Error: {}\n"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("failed to create containerd task: failed to create shim: OCI runtime create failed: starting", True),
        ('failed to reserve container name "calico-node_calico-node-8xk2l": name is reserved', False),
        ("ImagePullBackOff", False),
    ],
)
def test_a_container_that_the_runtime_cannot_start(error, told):
    found = findings({"events.txt": TABLE + FAILED.format(error)})
    assert ("calico_pod_not_starting" in found) is told


# projectcalico/calico#8368
INSTALL = (
    "2024-09-10 09:48:43.673 [INFO][1] cni-installer/install.go 228: Installed /host/opt/cni/bin/bandwidth\n"
    "2024-09-10 09:48:43.974 [FATAL][1] cni-installer/<nil> <nil>: Unable to create token for CNI kubeconfig "
    "error=Unauthorized\n"
)
# projectcalico/calico#7584
WATCH = (
    "2023-04-24 20:01:50.051 [ERROR][76] cni-config-monitor/token_watch.go 130: Failed to update CNI token, "
    'retrying... error=serviceaccounts "calico-node" is forbidden: User '
    '"system:serviceaccount:kube-system:calico-node" cannot create resource "serviceaccounts/token" in API group "" '
    'in the namespace "kube-system"\n'
)


@pytest.mark.parametrize("text", [{"install-cni.log": INSTALL}, {"calico-node.log": WATCH}], ids=["install", "watch"])
def test_the_plugins_installer_asks_with_calico_nodes_own_account(text):
    found = findings(text)
    assert found["calico_node_refused"]["confidence"] > found.get("cni_token_expired", {}).get("confidence", 0)


# flannel-io/flannel#423
PORTS = """provider: vsphere
encapsulation: vxlan
observations:
  - {check: ping, from: pod-on-host-a, to: pod-on-host-b, result: timeout}
  - {check: udp, port: 8472, from: host-a, to: host-b, result: timeout}
  - {check: udp, port: 8473, from: host-a, to: host-b, result: %s}
"""


def test_vxlans_port_that_alone_is_lost_is_stopped_for_itself():
    alone = confidence({"environment.yml": PORTS % "open"}, "vxlan_udp_blocked")
    among_others = confidence({"environment.yml": PORTS % "timeout"}, "vxlan_udp_blocked")
    assert alone >= 0.5
    assert among_others < alone


# projectcalico/calico#11197
SERVICES = """calico_version: 3.22.4
encapsulation: vxlan
observations:
  - {check: udp, port: 53, from: node-a, to: service, result: timeout}
  - {check: tcp, port: 53, from: node-a, to: service, result: open}
  - {check: udp, port: 53, from: node-a, to: pod-on-node-b, result: open}
"""


def test_services_that_are_lost_where_pods_answer_leave_the_tunnels_port_alone():
    found = findings({"environment.yml": SERVICES})
    assert found["checksum_offload"]["confidence"] > found.get("vxlan_udp_blocked", {}).get("confidence", 0)


# projectcalico/calico#7727
ASKED = "root@node1:~# {}\n;; connection timed out; no servers could be reached\n"


def test_names_that_a_pod_cannot_look_up_are_a_symptom_and_those_of_a_host_are_not():
    pod = findings(
        "root@node1:~# ufw enable\n" + ASKED.format("kubectl exec -it dnsutils -- nslookup kubernetes.default")
    )
    assert pod
    assert not findings(ASKED.format("nslookup google.com"))


# k3s-io/k3s#8785 and projectcalico/calico#7727
LOGGED = (
    "Sep 13 10:01:22 node1 kernel: [ 8123.123] [{}] IN=cali3f2a1b0c9d8 OUT=ens160 MAC=ee:ee:ee:ee:ee:ee:aa:1f:8b:bd:"
    "98:39:08:00 SRC=192.168.36.71 DST=10.35.2.34 LEN=60 TOS=0x00 PREC=0x00 TTL=63 ID=1234 DF PROTO=TCP SPT=41122 "
    "DPT=5432 WINDOW=64400 RES=0x00 {} URGP=0 {}\n"
)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (LOGGED.format("UFW BLOCK", "SYN", ""), True),
        (LOGGED.format("UFW BLOCK", "ACK FIN", ""), False),
        (LOGGED.format("UFW ALLOW", "SYN", ""), False),
        (LOGGED.format("UFW BLOCK", "SYN", "MARK=0x10000"), False),
        (LOGGED.format("UFW BLOCK", "SYN", "").replace("IN=cali3f2a1b0c9d8", "IN=docker0"), False),
    ],
    ids=["begins", "ends", "allowed", "accepted by Calico", "docker's"],
)
def test_pods_packets_that_a_firewall_logs_as_stopped(line, told):
    found = findings({"syslog": line})
    assert list(found) == (["host_firewall_blocks_pod_interfaces"] if told else [])


def test_parts_of_lines_tell_less():
    part = "Nov 07 02:22:53 vultr kernel: [UFW BLOCK] IN=cni0 OUT=cni0 PHYSIN=veth11b9bf43\n"
    whole = confidence({"syslog": LOGGED.format("UFW BLOCK", "SYN", "")}, "host_firewall_blocks_pod_interfaces")
    assert 0 < confidence({"syslog": part * 5}, "host_firewall_blocks_pod_interfaces") <= whole


# projectcalico/calico#4511 (one that loses most) and #2866 (one that loses few)
LOSES_MOST = """Chain cali-tw-cali6a1050b7e5b (1 references)
 pkts bytes target     prot opt in     out     source               destination
    1    84 ACCEPT     all  --  any    any     anywhere             anywhere             /* cali:5cZ8cKpJVXzdmGD5 */ ctstate RELATED,ESTABLISHED
   20  1200 DROP       all  --  any    any     anywhere             anywhere             /* cali:p_bDOMcSsa0hVMVl */ ctstate INVALID
    1    84 MARK       all  --  any    any     anywhere             anywhere             /* cali:Jf4Es6GIbSl5q34X */ MARK and 0xfffeffff
    1    84 cali-pri-kns.pdns-dev  all  --  any    any     anywhere             anywhere             /* cali:l4id1_TKkZ7iwQn8 */
"""  # noqa: E501
LOSES_FEW = """[235934:9493268] -A cali-fw-cali9b66e62ea5a -m comment --comment "cali:GO5eoLd8UfBNJnN4" -m conntrack --ctstate INVALID -j DROP
[549303159:40938536026] -A cali-fw-cali9b66e62ea5a -m comment --comment "cali:QDhKnLPfL9-IId8u" -j MARK --set-xmark 0x0/0x10000
[549303159:40938536026] -A cali-fw-cali9b66e62ea5a -m comment --comment "cali:EW9feZikViJrSPGW" -j cali-pro-kns.default
"""  # noqa: E501


def test_pods_that_lose_most_of_what_they_meet_as_invalid():
    assert "conntrack_invalid" in findings({"iptables-list.txt": LOSES_MOST})
    assert "conntrack_invalid" not in findings({"iptables-save -c.txt": LOSES_FEW})


# kubernetes/kubernetes#39658
FORWARD = """$ sudo iptables -t filter -v --line-numbers -L FORWARD
Chain FORWARD (policy {} 0 packets, 0 bytes)
num   pkts bytes target     prot opt in     out     source               destination
1        0     0 felix-FORWARD  all  --  any    any     anywhere             anywhere
2      540 34911 DOCKER-ISOLATION  all  --  any    any     anywhere             anywhere
3        0     0 DOCKER     all  --  any    docker0  anywhere             anywhere
"""
SAME_NODE = "distribution: kubeadm\nobservations:\n  - {check: works-only, scope: same-node}\n"


def test_a_policy_of_forward_that_drops_makes_a_firewall_likelier():
    told = {
        policy: confidence(
            {"forward.txt": FORWARD.format(policy), "environment.yml": SAME_NODE}, "host_firewall_blocks_pod_interfaces"
        )
        for policy in ("DROP", "ACCEPT")
    }
    assert told["DROP"] > told["ACCEPT"]


# canonical/microk8s#4142
UNDERLAY = """2: ens3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1442 qdisc fq_codel state UP group default qlen 1000
    link/ether fa:16:3e:1d:77:bb brd ff:ff:ff:ff:ff:ff
{}"""
ADDRESS = "    inet 192.168.122.91/24 metric 100 brd 192.168.122.255 scope global dynamic ens3\n"
POD = """11: cali8f849197aa4@if3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default
    link/ether ee:ee:ee:ee:ee:ee brd ff:ff:ff:ff:ff:ff link-netns cni-a0090244-f7d3-e0dd-6738-7bcc89313657
"""
VXLAN = """12: vxlan.calico: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1392 qdisc noqueue state UNKNOWN group default
    link/ether 66:76:5b:16:16:8d brd ff:ff:ff:ff:ff:ff
"""
SIX = "    inet6 fe80::6476:5bff:fe16:168d/64 scope link\n       valid_lft forever preferred_lft forever\n"
NAMES_ONLY = "".join(line + "\n" for line in (UNDERLAY + POD + VXLAN).splitlines() if " mtu " in line)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (UNDERLAY.format(ADDRESS) + POD + VXLAN, False),
        (UNDERLAY.format("") + POD + VXLAN, False),
        ("# ip a | grep mtu\n" + NAMES_ONLY, False),
        (UNDERLAY.format(ADDRESS) + VXLAN + SIX + POD, True),
    ],
    ids=["ends before", "ip link", "grep", "shown"],
)
def test_a_tunnel_lacks_an_address_only_where_addresses_are_shown(text, told):
    assert ("tunnel_device_missing" in findings({"nodes/a/ip-a.txt": text})) is told


def test_pods_sizes_are_read_from_what_tells_no_kinds():
    told, _ = evidence.evidence(read.sort({"nodes/a/ip-a.txt": UNDERLAY.format(ADDRESS) + POD + VXLAN}))
    assert told.nodes["a"].sizes.workloads == {1500: 1}


def test_the_older_word_for_no_pools():
    line = (
        "2017-05-04 08:14:13.477 [ERROR][675] calico-ipam.go 1: Error assigning address. No configured Calico pools\n"
    )
    assert "ipam_exhausted" in findings({"kubelet-cni.log": line})


# projectcalico/calico#3145
CALL = """11:51:31.656705 IP (tos 0x0, ttl 64, id 59791, offset 0, flags [none], proto UDP (17), length 102)
    nodeC.local.26898 > nodeA.local.4789: [bad udp cksum 0xffff -> 0x76dc!] VXLAN, flags [I] (0x08), vni 4096
IP (tos 0x0, ttl 64, id 8153, offset 0, flags [DF], proto TCP (6), length 52)
    10.244.90.192.39274 > 10.244.143.193.http: Flags [S], cksum 0xe849 (correct), seq 2295512834, win 43690, length 0
"""


def test_a_call_that_is_repeated_with_wrong_checksums_is_dropped_for_them():
    once, again = findings({"capture.txt": CALL}), findings({"capture.txt": CALL + CALL.replace("31.656", "32.657")})
    assert once["checksum_offload"]["confidence"] < 0.5 <= again["checksum_offload"]["confidence"]
