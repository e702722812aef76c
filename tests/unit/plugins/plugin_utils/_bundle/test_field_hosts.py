# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Excerpts of further public reports on hosts, kubelet, CoreDNS and the data plane, as pasted, shortened.

Each has the number of the report that it is from.
"""

# ruff: noqa: E501 - lines as programs wrote them
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, read

NO_MATCH = (
    "2022-11-27 18:24:44.086 [WARNING][1065] felix/table.go 1321: Failed to execute ip(6)tables-restore command "
    "error=exit status 2 errorOutput=\"iptables-restore v1.8.4 (legacy): Couldn't load match `set':No such file or "
    'directory\\n\\nError occurred at line: 8\\n"\n'
)
NFT_PANIC = (
    "2023-09-17 16:22:39.290 [WARNING][12833] felix/table.go 765: iptables-nft-save command failed error=iptables-save "
    'failed because there are incompatible nft rules in the table ipVersion=0x4 stderr="" table="filter"\n'
    "2023-09-17 16:22:39.290 [PANIC][12833] felix/table.go 771: iptables-nft-save command failed after retries "
    'ipVersion=0x4 table="filter"\n'
    "panic: (*logrus.Entry) 0x400035db90\n"
)
REFUSED = (
    '  Warning  FailedCreate  4m58s (x9 over 10m)  daemonset-controller  Error creating: pods "calico-node-" is '
    "forbidden: PodSecurityPolicy: unable to admit pod: [spec.securityContext.hostNetwork: Invalid value: true: Host "
    "network is not allowed to be used]\n"
)
PLEG = (
    "$ kubectl describe nodes\n[...]\nName:               etkhub\nRoles:              master\n"
    "  Type             Status  LastHeartbeatTime                 LastTransitionTime                Reason                       Message\n"
    "  ----             ------  -----------------                 ------------------                ------                       -------\n"
    "  OutOfDisk        False   Mon, 03 Jun 2019 13:54:18 +0000   Tue, 20 Nov 2018 09:40:53 +0000   "
    "KubeletHasSufficientDisk     kubelet has sufficient disk space available\n"
    "  Ready            False   Mon, 03 Jun 2019 13:54:18 +0000   Sun, 02 Jun 2019 21:39:37 +0000   "
    "KubeletNotReady              PLEG is not healthy: pleg was last seen active 16h17m50.791825508s ago; "
    "threshold is 3m0s\n"
)
RUNC = (
    'rpc error: code = Unknown desc = failed to exec in container: failed to start exec \\"71\\": OCI runtime exec '
    "failed: exec failed: unable to start container process: error executing setns process: exit status 1: unknown"
)
TWO_CLOCKS = (
    'Apr 29 14:58:44 w21 containerd[4982]: time="2026-04-29T14:58:44.671872620-04:00" level=error msg="ExecSync for '
    '\\"b9\\" failed" error="failed to exec in container"\n\n'
    'Apr 29 14:58:44 w21 kubelet[7116]: E0429 14:58:44.720292    7116 log.go:32] "ExecSync cmd from runtime service '
    f'failed" err="{RUNC}" containerID="b9" cmd=["/bin/calico-node","-felix-ready","-bird-ready"]\n'
)
FRAMED = (
    "│   Warning  Unhealthy  8m9s (x258 over 48m)   kubelet  Readiness probe errored: rpc error: code = Unknown desc = "
    "command error: EOF, stdout: , stderr: , exit code -1          ││   Warning  Unhealthy  3m6s (x270 over 47m)   "
    "kubelet  Liveness probe errored: rpc error: code = Unknown desc = command error: EOF, stdout: , stderr: , exit "
    "code -1  \n\n"
    "kube-system          calico-node-77knt        0/1     Running                    2                   28h\n"
)
LINKED = (
    '```\nfelix/daemon.go 245: Failed to get config from datastore error=Get "[https://172.20.0.1:443/apis/crd.'
    "projectcalico.org/v1/clusterinformations/default](https://172.20.0.1/apis/crd.projectcalico.org/v1/"
    'clusterinformations/default)": dial tcp 172.20.0.1:443: i/o timeout\n```\n'
)
REVISION = "ipset {}: Kernel and userspace incompatible: settype hash:ip with revision 6 not supported by userspace.\\n"

# (report, what it shows, the fault that it proves)
PROVEN = [
    (
        "flannel-io/flannel 1279: the kernel of a receiver",
        "```\n[ 1423.035722] UDP: bad checksum. From 172.16.9.99:27503 to 172.16.80.252:8472 ulen 75\n```\n",
        "checksum_offload",
    ),
    (
        "projectcalico/calico 2102: Felix names the Node",
        (
            "2018-08-06 23:01:08.025 [WARNING][69] node.go 224: Node worker312 does not have podCIDR to use to calculate "
            "the IPIP Tunnel Address\n"
        ),
        "node_podcidr_missing",
    ),
    (
        "projectcalico/calico 2418: and so does the CNI plugin",
        "NetworkPlugin cni failed to set up pod xxxx network: no podCidr for node yyyy\n",
        "node_podcidr_missing",
    ),
    (
        "projectcalico/calico 10676: a stamp of which the beginning was cut off",
        (
            "25-07-15 08:54:52.832 [ERROR][546413] felix/ipsets.go 671: Bad return code from 'ipset list cali40this-host'. "
            f'error=exit status 1 family="inet" stderr="{REVISION.format("v7.11")}"\n'
        ),
        "ipset_version_mismatch",
    ),
    (
        "canonical/hotsos 101: a line of the kernel without its date",
        "kernel: [1694413.644132] nf_conntrack: nf_conntrack: table full, dropping packet\n",
        "conntrack_full",
    ),
    ("gardener/gardener-extension-networking-calico 212", REFUSED, "calico_node_not_scheduled"),
    ("projectcalico/calico 7028", NO_MATCH, "kernel_module_missing"),
    ("projectcalico/calico 8025", NFT_PANIC, "iptables_backend_mismatch"),
    ("jupyter-et 13: describe nodes", PLEG, "kubelet_not_ready"),
    ("projectcalico/calico 12530: a journal in local time, stamps with their zone", TWO_CLOCKS, "probe_exec_failure"),
    ("cri-o/cri-o 9074: rows in a frame", FRAMED, "probe_exec_failure"),
    ("projectcalico/calico 7414: a URL that the forum made a link", LINKED, "apiserver_unreachable"),
    (
        "projectcalico/calico 2322: the Node's state cannot be written",
        (
            "2020-08-28 03:03:39.803 [WARNING][8] startup.go 1176: Failed to set NetworkUnavailable to False; will retry "
            "error=Patch https://10.233.0.1:443/api/v1/nodes/kube01/status?timeout=2s: net/http: request canceled while "
            "waiting for connection (Client.Timeout exceeded while awaiting headers)\n"
        ),
        "apiserver_unreachable",
    ),
]
ASKED = (
    "E0403 14:36:29.616270       1 reflector.go:125] github.com/coredns/coredns/plugin/kubernetes/controller.go:260: "
    "Failed to list *v1.Service: Get https://10.96.0.1:443/api/v1/services?limit=500&resourceVersion=0: dial tcp "
    "10.96.0.1:443: connect: {}\n"
)
# (report, what it shows, what is among the first of what it may be)
SUGGESTED = [
    (
        "projectcalico/calico 5836: CoreDNS, which a firewall turns away",
        ASKED.format("no route to host"),
        "host_firewall_blocks_pod_interfaces",
    ),
    (
        "projectcalico/calico 5123: client-go as CoreDNS has it built in",
        (
            "E1202 10:45:03.506949       1 reflector.go:127] pkg/mod/k8s.io/client-go@v0.19.2/tools/cache/reflector.go:156: "
            'Failed to watch *v1.Endpoints: failed to list *v1.Endpoints: Get "https://10.152.183.1:443/api/v1/endpoints": '
            "dial tcp 10.152.183.1:443: i/o timeout\n"
        ),
        "host_firewall_blocks_pod_interfaces",
    ),
    (
        "canonical/microk8s 2110: ipset on a kernel without ip_set",
        (
            "2021-09-21 13:50:32.656 [ERROR][16144] ipsets.go 561: Bad return code from 'ipset list'. error=exit status 1 "
            'family="inet" stderr="ipset v6.38: Kernel error received: Invalid argument\\n"\n'
        ),
        "kernel_module_missing",
    ),
    (
        "projectcalico/cni-plugin 90: modules of another kernel",
        "[29850.417971] ip_set_hash_net: disagrees about version of symbol ip_set_elem_len\n",
        "kernel_module_missing",
    ),
    (
        "k3s-io/k3s 5013: flannel's port, which tcpdump takes for another protocol",
        (
            "18:31:53.180221 IP (tos 0x0, ttl 64, id 24670, offset 0, flags [none], proto UDP (17), length 110)\n"
            "    10.210.6.13.52459 > 10.210.6.15.8472: [bad udp cksum 0x8a24 -> 0x7c00!] OTV, flags [I] (0x08), overlay 0, "
            "instance 1\n"
            "IP (tos 0x0, ttl 63, id 57249, offset 0, flags [DF], proto TCP (6), length 60)\n"
            "    10.42.2.101.43072 > 10.42.6.240.9093: Flags [S], cksum 0x1dd7 (incorrect -> 0x0fb3), seq 2391451916, win "
            "28200, length 0\n"
        ),
        "checksum_offload",
    ),
    (
        "projectcalico/calico 4262",
        (
            "2020-12-17 18:44:37.836 [ERROR][43] felix/route_table.go 920: Failed to get link attributes error=interface not "
            'present ifaceRegex="^vxlan.calico$" ipVersion=0x4\n'
        ),
        "tunnel_device_missing",
    ),
    (
        "kubernetes/kubernetes 45419: what kubelet says of its Node",
        (
            "May 05 13:59:56 ip-10-50-20-208 kubelet[2858]: I0505 13:59:56.872908    2858 kubelet_node_status.go:682] Node "
            "became not ready: {Type:Ready Status:False LastHeartbeatTime:2017-05-05 13:59:56.872865742 +0000 UTC "
            "LastTransitionTime:2017-05-05 13:59:56.872865742 +0000 UTC Reason:KubeletNotReady Message:PLEG is not healthy: "
            "pleg was last seen active 3m7.629592089s ago; threshold is 3m0s}\n"
        ),
        "kubelet_not_ready",
    ),
    (
        "projectcalico/calico 8767: a log that was wrapped, with a link in it",
        (
            "2024-04-26 19:49:21.632 [ERROR][1] client.go 290: Error getting cluster information config "
            'ClusterInformation="default" error=Get "\n'
            '[https://10.96.0.1:443/apis/crd.projectcalico.org/v1/clusterinformations/default":](https://10.96.0.1/apis/crd.'
            "projectcalico.org/v1/clusterinformations/default%22:)\n"
            "dial tcp 10.96.0.1:443: i/o timeout\n"
        ),
        "apiserver_unreachable",
    ),
]
# (report, what it shows): nothing of it tells a cause.
OPEN = [
    (
        "projectcalico/felix 2403: Nodes of etcd that have no podCIDR because none is used",
        (
            '2020-06-26 11:27:38.645 [WARNING][35] felix/felixnodeprocessor.go 232: Failed to parse Node PodCIDR CIDR="" '
            "error=invalid CIDR address:\n"
        ),
    ),
    (
        "projectcalico/calico 4703: what the CNI plugin says of every pod",
        (
            "Jun 24 11:51:00 master kubelet[2178]: 2021-06-24 11:51:00.023 [INFO][9687] dataplane_linux.go 420: Disabling "
            'IPv4 forwarding ContainerID="bef" Namespace="ricplt" Pod="mec-0"\n'
        ),
    ),
    (
        "coredns/coredns 3402: servers of names outside of the cluster",
        (
            "[ERROR] plugin/errors: 2 7893400373289152203.6025455479212086695. HINFO: unreachable backend: read udp "
            "10.244.1.3:38701->192.168.65.1:53: i/o timeout\n"
        ),
    ),
]


def told_of(folder, text):
    (folder / "pasted.txt").write_text(text, encoding="utf-8")
    found = read.read(str(folder))
    told, now = evidence.evidence(found)
    return analyse(told, now)["findings"], found.unrecognised


@pytest.mark.parametrize(("text", "fault"), [pytest.param(*rest, id=name) for name, *rest in PROVEN])
def test_what_a_paste_proves_comes_first(tmp_path, text, fault):
    findings, rest = told_of(tmp_path, text)
    assert (findings[0]["fault"], findings[0]["confidence"] > 0.5, rest) == (fault, True, [])


@pytest.mark.parametrize(("text", "fault"), [pytest.param(*rest, id=name) for name, *rest in SUGGESTED])
def test_what_a_paste_suggests_is_among_the_first(tmp_path, text, fault):
    findings, rest = told_of(tmp_path, text)
    first = [one["fault"] for one in findings[:3]]
    assert (fault in first, rest) == (True, [])


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in OPEN])
def test_what_tells_no_cause_is_not_made_one(tmp_path, text):
    findings, _rest = told_of(tmp_path, text)
    assert not [one for one in findings if one["fault"] != "undetermined" and one["confidence"] > 0.5]


@pytest.mark.parametrize("ending", ["no route to host", "connection timed out"])
def test_lines_of_coredns_are_not_taken_for_kubelets(tmp_path, ending):
    """projectcalico/calico 5836: a pod that is turned away, where the node itself reaches the API server."""
    findings, _rest = told_of(tmp_path, ASKED.format(ending))
    assert not [one for one in findings if one["fault"] == "apiserver_unreachable" and one["confidence"] > 0.5]


def test_felix_that_ends_over_rules_it_cannot_read_is_a_consequence(tmp_path):
    """projectcalico/calico 8025."""
    findings, _rest = told_of(tmp_path, NFT_PANIC)
    roles = {one["fault"]: one["role"] for one in findings}
    assert roles["iptables_backend_mismatch"] == "cause"
    assert roles.get("felix_crash_loop") in (None, "consequence")


def test_a_node_that_a_log_names_is_the_one_without_a_podcidr(tmp_path):
    """projectcalico/calico 2102: one pod's log tells of several Nodes."""
    text = "".join(
        f"2018-08-06 23:01:0{second}.025 [WARNING][69] node.go 224: Node {name} does not have podCIDR to use to calculate "
        "the IPIP Tunnel Address\n"
        for second, name in enumerate(("worker3", "worker8"))
    )
    findings, _rest = told_of(tmp_path, text)
    named = {node for one in findings if one["fault"] == "node_podcidr_missing" for node in one["nodes"]}
    assert named == {"worker3", "worker8"}
