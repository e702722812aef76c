# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outputs that prove a cause by themselves, in the form in which people post them.

The programs' words are those of their source: calico-node, confd, Felix, Typha and the CNI plugin of 3.20 to 3.31,
BIRD 1.6, kubectl 1.27, client-go, the kernel. Names and addresses are nobody's.
"""

# ruff: noqa: E501 - lines as programs wrote them
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, pasted, read

DESCRIBED_POD = """$ kubectl -n kube-system describe pod calico-node-7xkrz
Name:                 calico-node-7xkrz
Namespace:            kube-system
Node:                 {node}
Status:               {status}
Controlled By:        DaemonSet/calico-node
Containers:
  calico-node:
    Image:          docker.io/calico/node:v3.27.0
    Ready:          False
    Readiness:      exec [/bin/calico-node -felix-ready -bird-ready] delay=0s timeout=10s period=10s #success=1 #failure=3
    Environment:
      DATASTORE_TYPE:             kubernetes
      CALICO_NETWORKING_BACKEND:  {backend}
      NODENAME:                    (v1:spec.nodeName)
Conditions:
  Type           Status
  PodScheduled   {placed}
Events:
  Type     Reason            Age                  From               Message
  ----     ------            ----                 ----               -------
  Warning  {event}
"""
NO_SOCKET = (
    "Unhealthy         3s (x121 over 20m)   kubelet            Readiness probe failed: calico/node is not ready: BIRD is "
    "not ready: Error querying BIRD: unable to connect to BIRDv4 socket: dial unix /var/run/calico/bird.ctl: connect: no "
    "such file or directory"
)
NO_ROOM = (
    "FailedScheduling  114s (x30 over 31m)  default-scheduler  0/5 nodes are available: 1 Insufficient cpu, 4 node(s) "
    "didn't match Pod's node affinity/selector."
)
SETS = """$ kubectl get ds -A
NAMESPACE     NAME          DESIRED   CURRENT   READY   UP-TO-DATE   AVAILABLE   NODE SELECTOR            AGE
kube-system   calico-node   {count}         {count}         {count}       2            2           network=calico           200d
kube-system   kube-proxy    3         3         3       3            3           kubernetes.io/os=linux   200d
"""
LABELLED = """$ kubectl get nodes --show-labels
NAME   STATUS     ROLES           AGE    VERSION   LABELS
k1     Ready      control-plane   200d   v1.25.9   kubernetes.io/hostname=k1,kubernetes.io/os=linux,network=calico
k2     Ready      <none>          200d   v1.25.9   kubernetes.io/hostname=k2,kubernetes.io/os=linux,network=calico
k3     NotReady   <none>          3h     v1.25.9   kubernetes.io/hostname=k3,kubernetes.io/os=linux
"""
PLACED = """$ kubectl -n kube-system get pods -o wide | grep calico-node
calico-node-2bcxd   1/1   Running   0   20d   10.0.9.1   k1   <none>   <none>
calico-node-99fzk   1/1   Running   0   20d   10.0.9.2   k2   <none>   <none>
"""
WEBHOOK = """# kubectl -n kube-system describe ds calico-node | tail -5
Events:
  Type     Reason        Age                   From                  Message
  ----     ------        ----                  ----                  -------
  Warning  FailedCreate  2m11s (x19 over 24m)  daemonset-controller  Error creating: Internal error occurred: \
failed calling webhook "pods.hook.example": failed to call webhook: Post \
"https://hook.policies.svc:443/mutate?timeout=10s": dial tcp 10.107.33.20:443: connect: connection refused
"""
TYPHA_WAITS = """Name:                 calico-typha-5c8fd6b9d7-p2n4q
Namespace:            calico-system
Node:                 <none>
Status:               Pending
Containers:
  calico-typha:
    Image:      docker.io/calico/typha:v3.26.3
Conditions:
  Type           Status
  PodScheduled   False
Events:
  Type     Reason            Age   From               Message
  ----     ------            ----  ----               -------
  Warning  FailedScheduling  67s   default-scheduler  0/8 nodes are available: 8 node(s) had untolerated taint {team: x}.
"""
SELECTS_NONE = f"""```yaml
apiVersion: projectcalico.org/v3
items:
- apiVersion: projectcalico.org/v3
  kind: BGPPeer
  metadata:
    name: to-reflectors
  spec:
    nodeSelector: "!has(route-reflector)"
    peerSelector: has(route-reflector)
kind: BGPPeerList
```
```
{LABELLED}
```
```
$ sudo calicoctl node status
Calico process is running.

IPv4 BGP status
No IPv4 peers found.

IPv6 BGP status
No IPv6 peers found.
```
"""
NO_NODE = """Warning  FailedCreatePodSandBox  2s (x9 over 14s)  kubelet  (combined from similar events): Failed \
to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "77c1": plugin \
type="calico" failed (add): failed to request IPv4 addresses: Assigning to the host Worker-3 failed: resource \
does not exist: Node(Worker-3) with error: nodes "Worker-3" not found
"""
PANIC = """[calico-node-aaf12 calico-node]  2022-01-12 12:33:00.902 [INFO][380] felix/int_dataplane.go 1500: Applying
[calico-node-aaf12 calico-node]  panic: runtime error: invalid memory address or nil pointer dereference
[calico-node-aaf12 calico-node]  [signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1653dc8]
[calico-node-aaf12 calico-node]
[calico-node-aaf12 calico-node]  goroutine 65 [running]:
[calico-node-aaf12 calico-node]  github.com/projectcalico/calico/felix/dataplane/linux.(*vxlanManager).getParentInterface(0x4)
"""
OF_THE_FUTURE = """root@w7:~# calicoctl ipam configure --strictaffinity=false
Error: Get "https://10.233.0.1:443/apis/crd.projectcalico.org/v1/ipamconfigs/default": x509: certificate has \
expired or is not yet valid: current time 2006-10-04T09:11:54Z is before 2022-05-14T06:25:00Z
"""
HOLE = """# ip route
default via 10.30.0.1 dev eth0
blackhole 10.96.0.0/12 proto bird
192.168.40.64/26 via 10.30.1.22 dev tunl0 proto bird onlink
blackhole 192.168.41.0/26 proto bird

# kubectl logs calico-node-8sxkd | tail -1
2021-03-02 11:02:11.510 [ERROR][57] felix/watchercache.go 227: Failed to create watcher \
ListRoot="/calico/resources/v3/projectcalico.org/nodes" error=Get \
"https://10.96.0.1:443/api/v1/nodes?watch=true": dial tcp 10.96.0.1:443: connect: invalid argument
"""
NO_RULES = """2023-05-11 01:59:29.468 [ERROR][442] felix/route_rule.go 248: Failed to list routing rules, \
retrying... error=address family not supported by protocol ipVersion=4
2023-05-11 01:59:29.469 [WARNING][442] felix/int_dataplane.go 1905: Failed to synchronize routing table, will retry...
"""
OTHER_AS = """bird: Mesh_10_4_0_7: Error: Bad peer AS: 64600
bird: Mesh_10_4_0_7: State changed to stop
bird: Mesh_10_4_0_7: State changed to down
"""
MALFORMED = """2024-04-02 09:12:40.112 [ERROR][71] confd/client.go 560: PeerIP is not assigned or is malformed

$ calicoctl get bgppeer tor -o yaml
apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata:
  name: tor
spec:
  asNumber: 65010
  peerIP: 10.70.0.1/24
"""


def told(tmp_path, text):
    """The findings of a bundle of one pasted text."""
    (tmp_path / "paste.txt").write_text(text)
    return analyse(*evidence.evidence(read.read(str(tmp_path))))["findings"]


@pytest.mark.parametrize(
    ("text", "fault", "nodes"),
    [
        (DESCRIBED_POD.format(node="vx-2/10.5.0.12", status="Running", backend="vxlan", placed="True", event=NO_SOCKET), "bird_probe_without_bird", ["vx-2"]),
        (DESCRIBED_POD.format(node="<none>", status="Pending", backend="bird", placed="False", event=NO_ROOM), "calico_node_not_scheduled", []),
        (SETS.format(count=2) + LABELLED + PLACED, "calico_node_not_scheduled", ["k3"]),
        (WEBHOOK, "admission_webhook_blocks_pods", []),
        (TYPHA_WAITS, "typha_not_scheduled", []),
        (SELECTS_NONE, "bgppeer_selects_nothing", ["k1", "k2", "k3"]),
        (NO_NODE, "nodename_mismatch", ["unnamed-node"]),
        (PANIC, "felix_crash_loop", ["unnamed-node"]),
        (OF_THE_FUTURE, "clock_skew", ["w7"]),
        (HOLE, "calico_bug_service_blackhole", ["unnamed-node"]),
        (NO_RULES, "kernel_module_missing", ["unnamed-node"]),
        (OTHER_AS, "as_mismatch", ["unnamed-node"]),
        (MALFORMED, "bgppeer_wrong_address", ["unnamed-node"]),
    ],
)  # fmt: skip
def test_what_proves_a_cause_names_it_first(tmp_path, text, fault, nodes):
    first = told(tmp_path, text)[0]
    assert (first["fault"], first["nodes"]) == (fault, nodes)
    assert first["confidence"] > 0.8


def test_a_pod_that_probes_for_a_bird_that_is_wanted_is_no_wrong_probe(tmp_path):
    text = DESCRIBED_POD.format(node="n-2/10.5.0.12", status="Running", backend="bird", placed="True", event=NO_SOCKET)
    assert "bird_probe_without_bird" not in [one["fault"] for one in told(tmp_path, text)]


def test_a_table_with_labels_tells_nothing_of_annotations(tmp_path):
    """No table has them: their absence there is no loss of what Calico has on record."""
    assert "datastore_lost_data" not in [
        one["fault"] for one in told(tmp_path, SETS.format(count=2) + LABELLED + PLACED)
    ]


def test_pods_that_were_not_shown_are_not_missing(tmp_path):
    """By its counts the DaemonSet has three pods; somebody shows two of them."""
    found = told(tmp_path, SETS.format(count=3) + LABELLED + PLACED)
    assert "calico_node_not_scheduled" not in [one["fault"] for one in found]


def test_one_described_pod_is_not_all_of_them(tmp_path):
    text = DESCRIBED_POD.format(node="k1/10.5.0.12", status="Running", backend="bird", placed="True", event=NO_SOCKET)
    assert "calico_node_not_scheduled" not in [one["fault"] for one in told(tmp_path, text + LABELLED)]


def test_a_certificate_past_its_end_accuses_no_clock(tmp_path):
    text = OF_THE_FUTURE.replace("2006-10-04T09:11:54Z is before", "2022-08-13T07:01:19Z is after")
    assert told(tmp_path, text)[0]["fault"] == "certificate_expired"


def test_a_certificate_of_a_moment_ago_accuses_no_clock(tmp_path):
    text = OF_THE_FUTURE.replace("2006-10-04T09:11:54Z", "2022-05-14T06:24:30Z")
    assert "clock_skew" not in [one["fault"] for one in told(tmp_path, text)]


def test_a_part_of_a_configuration_is_not_compared_with_what_runs(tmp_path):
    """Peers that somebody left out when he showed bird.cfg are not missing in it."""
    (tmp_path / "bird.cfg").write_text(
        "router id 10.44.7.11;\n...\nprotocol bgp Node_10_44_7_19 from bgp_template {\n  neighbor 10.44.7.19 as 64512;\n}\n"
    )
    (tmp_path / "birdcl-protocols.txt").write_text(
        "BIRD v0.3.3+birdv1.6.8 ready.\n"
        "name     proto    table    state  since       info\n"
        "Node_10_44_7_19 BGP      master   up     2024-03-01  Established\n"
        "Node_10_44_7_20 BGP      master   up     2024-03-01  Established\n"
    )
    found = analyse(*evidence.evidence(read.read(str(tmp_path))))["findings"]
    assert "bird_reload_stuck" not in [one["fault"] for one in found]


def test_interfaces_that_were_named_tell_nothing_of_the_others(tmp_path):
    line = (
        "2022-12-30 08:44:25.004 [WARNING][9] startup/autodetection_methods.go 113: Unable to auto-detect an IPv4 "
        "address{}: no valid IPv4 addresses found on the host interfaces\n"
    )
    some = [one["fault"] for one in told(tmp_path, line.format(" using interface regexes [eth1]"))]
    assert some == ["autodetection_found_nothing"]


def test_a_log_of_birds_alone_is_as_old_as_its_last_line(tmp_path):
    line = "2021-06-16_07:08:2{}.62971 bird: Mesh_10_1_5_102: Socket error: bind: Address not available\n"
    text = "# cat /var/log/calico/bird/current\n" + "".join(line.format(second) for second in range(3))
    assert "node_ip_not_on_host" in [one["fault"] for one in told(tmp_path, text)]


def test_a_file_with_one_log_is_not_the_name_of_a_node(tmp_path):
    text = "$ kubectl -n calico-system logs calico-node-lwz4b\n" + NO_RULES
    assert told(tmp_path, text)[0]["nodes"] == ["unnamed-node"]


@pytest.mark.parametrize(
    "before",
    [
        "[calico-node-aaf12 calico-node]  ",
        "[calico-node-aaf12] ",
        "calico-node-aaf12 calico-node ",
        "kube-system calico-node-aaf12 calico-node ",
    ],
)
def test_what_stern_and_kubetail_put_before_lines(before):
    rows = "2022-01-12 12:33:00.902 [INFO][380] felix/a.go 1: x\nbird: Started\n"
    assert (
        pasted.cleaned("".join(f"{before}{row}\n" for row in rows.splitlines())).replace("\n ", "\n").lstrip() == rows
    )


def test_rows_of_pods_keep_their_names():
    rows = "calico-node-2bcxd   1/1   Running   0   20d\ncalico-node-99fzk   1/1   Running   0   20d\n"
    assert pasted.cleaned(rows) == rows
