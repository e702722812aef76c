# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loose texts, pastes and the layouts of other collectors: what they are, and which node they are about.

The texts are the recorded ones of tests/unit/texts; the names of files are those of calicoctl's source (see layouts).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import layouts, pasted, read

TEXTS = Path(__file__).parents[3] / "texts"
STARTUP = "2026-11-21 00:00:00.000 [INFO][9] startup/startup.go 243: Using node name: worker-1\n"
FELIX = "2026-11-21 00:00:01.000 [INFO][88] felix/int_dataplane.go 548: Finished applying updates to dataplane.\n"
BIRD = "bird: Mesh_10_0_0_2: Received: Bad peer AS: 64513\n"
NODES = "NAME       STATUS   ROLES    AGE   VERSION   INTERNAL-IP   EXTERNAL-IP\n" + "".join(
    f"worker-{number}   Ready    <none>   10d   v1.29.1   10.0.0.{number}      <none>\n" for number in (1, 2, 3)
)


def recorded(kind, case):
    return next((TEXTS / kind / case).glob("input.*")).read_text(encoding="utf-8")


STATUS = recorded("calicoctl-node-status", "healthy")
RULES = recorded("iptables-save", "1.8.9-nft-counters")
ROUTES = "default via 10.0.0.254 dev eth0 proto dhcp src 10.0.0.1 metric 100\n"
ADDRESSES = "2: eth0: <BROADCAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP\n    inet 10.0.0.1/24 scope global eth0\n"


def names(bundle):
    return {name: sorted(told.texts) for name, told in bundle.nodes.items()}


def node_diags(node):
    return {
        "diagnostics/date": "Sat Nov 21 00:00:00 UTC 2026\n",
        "diagnostics/hostname": f"{node}\n",
        "diagnostics/ipv4_addr": ADDRESSES,
        "diagnostics/ipv6_addr": "",
        "diagnostics/ipv4_route": ROUTES,
        "diagnostics/ipv6_route": "fe80::/64 dev eth0 proto kernel metric 256 pref medium\n",
        "diagnostics/ipv4_tables": RULES,
        "diagnostics/ipsets": "",
        "diagnostics/logs/bird/current": "2026-11-21_00:00:00.00000 " + BIRD,
        "diagnostics/logs/felix/current": FELIX,
        "diagnostics/logs/felix/@400000005f8e2c3a1b2c3d4e.s": FELIX.replace("[INFO]", "[WARNING]"),
        "diagnostics/logs/container_creation_time": "k8s_calico-node_x: 2026-11-20\n",
    }


def test_calicoctl_node_diags_is_read_as_it_comes():
    bundle = read.sort(node_diags("worker-1"))
    assert names(bundle) == {
        "worker-1": [
            "bird.log",
            "calico-node.log",
            "ip-addr.txt",
            "ip-route.txt",
            "ip6-route.txt",
            "ipset.txt",
            "iptables-save.txt",
        ]
    }
    assert bundle.unrecognised == []
    # Older parts of a log come before newer ones.
    assert bundle.nodes["worker-1"].texts["calico-node.log"].startswith("2026-11-21 00:00:01.000 [WARNING]")


def test_several_node_diags_in_one_folder_are_of_several_nodes():
    texts = {
        f"diags-2026112{number}_000000.tar.gz/{path}": text
        for number in (1, 2)
        for path, text in node_diags(f"worker-{number}").items()
    }
    assert list(read.sort(texts).nodes) == ["worker-1", "worker-2"]


def test_calicoctl_cluster_diags_is_read_as_it_comes():
    pod = "Name:         calico-node-x2b4z\nNamespace:    calico-system\nNode:         worker-1/10.0.0.1\nContainers:\n"
    bundle = read.sort(
        {
            "cluster/kubernetes/nodes.txt": NODES,
            "cluster/version.yaml": "clientVersion:\n  gitVersion: v1.29.1\n",
            "nodes/worker-1/iptables-legacy-save.txt": "*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n",
            "nodes/worker-1/iptables-nft-save.txt": RULES,
            "nodes/worker-1/ip-route.txt": ROUTES,
            "nodes/worker-1/conntrack-list.txt": "tcp 6 431999 ESTABLISHED src=10.0.0.1\n",
            "nodes/worker-1/tc-qdisc.txt": "qdisc noqueue 0: dev lo root refcnt 2\n",
            "nodes/worker-1/calico-system/calico-node-x2b4z.log": STARTUP + BIRD,
            "nodes/worker-1/calico-system/calico-node-x2b4z.calico-node.previous.log": FELIX,
            "nodes/worker-1/calico-system/calico-node-x2b4z.txt": pod + "  calico-node:\n    State: Running\n",
        }
    )
    assert names(bundle) == {"worker-1": ["calico-node.log", "ip-route.txt", "iptables-save.txt"]}
    own = bundle.nodes["worker-1"].texts
    assert own["calico-node.log"] == FELIX + STARTUP + BIRD
    assert "*nat" in own["iptables-save.txt"]
    assert RULES in own["iptables-save.txt"]
    assert "nodes/worker-1/calico-system/calico-node-x2b4z.txt" in bundle.cluster
    assert bundle.unrecognised == []


def test_the_logs_of_the_iks_runbook_are_those_of_the_pods_node():
    logs = {
        "calico-node-x2b4z.log": FELIX + BIRD,
        "calico-node-x2b4z-cni.log": "2026-11-21 00:00:00.000 [INFO][1] cni-installer/install.go 140: Installed\n",
        "calico-node-x2b4z-ext.log": "2026-11-21T00:00:00Z extension started\n",
    }
    wanted = ["calico-extension.log", "calico-node.log", "install-cni.log"]
    assert names(read.sort(logs)) == {"calico-node-x2b4z": wanted}
    described = (
        "Name:         calico-node-x2b4z\nNamespace:    kube-system\nNode:         10.1.2.3/10.1.2.3\nContainers:\n"
    )
    assert names(read.sort({**logs, "describe-pod.txt": described + "  calico-node:\n"})) == {"10.1.2.3": wanted}
    pods = (
        "NAMESPACE     NAME                READY   STATUS    RESTARTS   AGE   IP         NODE       NOMINATED NODE\n"
        "kube-system   calico-node-x2b4z   1/1     Running   0          1d    10.1.2.3   worker-7   <none>\n"
    )
    assert names(read.sort({**logs, "pods.txt": pods})) == {"worker-7": wanted}


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        ({"a.txt": STATUS, "x.log": STARTUP + FELIX}, "worker-1"),
        ({"worker-2.log": FELIX, "nodes.txt": NODES}, "worker-2"),
        ({"x.txt": ADDRESSES, "nodes.txt": NODES}, "worker-1"),
        ({"x.txt": STARTUP + FELIX}, "worker-1"),
        ({"worker-9/status.txt": STATUS}, "worker-9"),
        ({"10.0.0.7/status.txt": STATUS}, "10.0.0.7"),
        ({"worker-9-iptables-save.txt": RULES}, "worker-9"),
        ({"iptables-save.worker-9.txt": RULES}, "worker-9"),
        ({"out/logs/status.txt": STATUS}, "unnamed-node"),
        ({"x.txt": "[root@worker-3 ~]# calicoctl node status\n" + STATUS}, "worker-3"),
        ({"x.txt": "Nov 21 00:00:00 worker-4 kubelet[812]: E1121 00:00:00.0 1 kubelet.go:1: x\n" * 3}, "worker-4"),
        ({"x.txt": "[pod/calico-node-x2b4z/calico-node] " + FELIX}, "unnamed-node"),
    ],
)
def test_a_loose_text_is_of_the_node_that_it_names(texts, wanted):
    bundle = read.sort(texts)
    assert wanted in bundle.nodes
    assert len(bundle.nodes) == 1


def test_a_table_of_a_full_mesh_is_of_the_node_that_it_lacks():
    table = STATUS.splitlines()
    row = next(line for line in table if "node-to-node mesh" in line)
    peer = row.split("|")[1].strip()
    text = "\n".join(line for line in table if "node-to-node" not in line or line is row)
    addresses = ("10.0.0.1", peer, "10.0.0.3")
    rows = "".join(
        f"n{number}  Ready  <none>  1d  v1.29  {address}  <none>\n" for number, address in enumerate(addresses)
    )
    nodes = "NAME STATUS ROLES AGE VERSION INTERNAL-IP EXTERNAL-IP\n".replace(" ", "  ") + rows
    # Two are missing: which of them it is nobody knows.
    assert list(read.sort({"x.txt": text, "nodes.txt": nodes}).nodes) == ["unnamed-node"]


def test_two_outputs_of_one_kind_that_nobody_can_place_are_of_two_nodes():
    bundle = read.sort({"a.txt": STATUS, "b.txt": STATUS.replace("up", "start")})
    assert list(bundle.nodes) == ["unnamed-node", "unnamed-node-2"]


PASTE = (
    f"root@worker-1:~# calicoctl node status\n{STATUS}root@worker-1:~# ip route\n{ROUTES}"
    f"[root@worker-2 ~]# iptables-save -c\n{RULES}"
    f"$ kubectl get nodes -o wide\n{NODES}$ kubectl logs -n kube-system calico-node-x2b4z\n{FELIX}"
)


@pytest.mark.parametrize("change", [str, lambda text: text.replace("\n", "\r\n"), lambda text: "\ufeff" + text])
def test_a_paste_of_several_outputs_is_taken_apart(change):
    bundle = read.sort({"ticket.txt": change(PASTE)})
    assert names(bundle)["worker-1"] == ["calicoctl-node-status.txt", "ip-route.txt"]
    assert names(bundle)["worker-2"] == ["iptables-save.txt"]
    assert len(bundle.cluster) == 1
    assert bundle.unrecognised == []


def test_quotations_and_fences_are_taken_off():
    text = f"Hi,\nI see this on one node:\n\n```\n$ sudo calicoctl node status\n{STATUS}```\nand thanks\n"
    plain = names(read.sort({"x.md": text}))
    assert plain == {"unnamed-node": ["calicoctl-node-status.txt"]}
    assert names(read.sort({"x.md": "".join(f"> {line}" for line in text.splitlines(keepends=True))})) == plain
    assert pasted.cleaned("a: \u201cb\u201d\n") == 'a: "b"\n'


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ("cat /etc/calico/confd/config/bird.cfg", "/etc/calico/confd/config/bird.cfg"),
        ("sudo tail -n 100 kubelet.log | grep x", "kubelet.log"),
        ("kubectl logs -n kube-system calico-node-x2b4z -c install-cni", "install-cni.log"),
        ("journalctl -u kubelet", "kubelet.log"),
        ("calicoctl node status", ""),
    ],
)
def test_a_command_may_name_what_it_prints(command, path):
    assert pasted.named(command) == path


def test_a_manifest_with_comments_is_one_text():
    assert len(pasted.parts("# a comment\napiVersion: v1\nkind: Node\n# $x\n")) == 1


def test_what_nobody_knows_is_listed():
    bundle = read.sort({f"junk/{number}.dat": f"something {number}\n" for number in range(300)})
    assert len(bundle.unrecognised) == 300
    assert not bundle.nodes


def test_two_clusters_in_one_bundle_are_told():
    other = NODES.replace("worker", "other")
    assert "two clusters" in read.sort({"nodes.txt": NODES, "b/nodes.txt": other}).remarks[0]
    head = "apiVersion: crd.projectcalico.org/v1\nkind: ClusterInformation\nmetadata: {name: default}\n"
    info = head + "spec: {clusterGUID: %s}\n"
    bundle = read.sort({"cluster/a.yaml": info % ("a" * 32), "cluster/b.yaml": info % ("b" * 32)})
    assert "2 clusters" in bundle.remarks[0]
    assert not read.sort({"nodes.txt": NODES, "cluster/a.yaml": info % ("a" * 32)}).remarks


@pytest.mark.parametrize(
    ("base", "text", "wanted"),
    [
        ("x.log", FELIX, "calico-node.log"),
        ("x.log", BIRD, "calico-node.log"),
        ("calico-typha-6b8f7c9d4-x2b4z.log", "[INFO][7] sync_server.go 300: x\n", "typha.log"),
        (
            "calico-kube-controllers-x.log",
            "[INFO][1] main.go 88: Loaded configuration\n",
            "calico-kube-controllers.log",
        ),
        ("containerd.log", 'time="2026" level=info msg="calico"\n', ""),
    ],
)
def test_logs_are_told_by_what_stands_in_them(base, text, wanted):
    assert layouts.of_log(base, text) == wanted


@pytest.mark.parametrize("path", ["docs/bgp.md", "ops/runbooks/bgp/down.txt", "bgp-runbook.md", "Runbook BGP.txt"])
def test_the_examples_of_a_manual_are_no_evidence_beside_some(path):
    manual = f"# If a session is down\n\n```\n$ calicoctl node status\n{STATUS}```\n"
    bundle = read.sort({"nodes/n1/calicoctl-node-status.txt": STATUS, path: manual})
    assert names(bundle) == {"n1": ["calicoctl-node-status.txt"]}
    assert bundle.refused == [(path, "a manual; the outputs in it are examples")]
    assert read.sort({path: manual}).nodes
    assert read.sort({path: manual, "environment.yml": "installer: kubeadm"}).nodes


@pytest.mark.parametrize("path", ["notes.md", "docs.txt", "nodes/docs/calicoctl-node-status.txt2", "README.md"])
def test_what_else_people_write_is_read(path):
    assert read.sort({"hostname": "n1", path: STATUS}).refused == []
