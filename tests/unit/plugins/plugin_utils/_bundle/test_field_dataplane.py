# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Excerpts of public reports on Felix, hosts and the data plane, as their authors pasted them, shortened.

Each has the number of the report that it is from; where that says more, it is not used.
"""

# ruff: noqa: E501 - lines as programs wrote them
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, read

TOKEN = (
    'Unable to create token for CNI kubeconfig error=Post "https://{0}:443/api/v1/namespaces/kube-system/'
    'serviceaccounts/calico-node/token": dial tcp {0}:443: i/o timeout'
)
SANDBOX = (
    "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "
    '"b6385006e8b3eedeaa1fd60e3e69afc9fb758a27666c93708a9211b3c988ab34": plugin type="calico" failed (add): '
    "error getting ClusterInformation: "
)
SILENT = (
    'Get "https://10.233.0.1:443/apis/crd.projectcalico.org/v1/clusterinformations/default": '
    "dial tcp 10.233.0.1:443: i/o timeout"
)
LOADED = "[INFO][1] main.go 92: Loaded configuration from environment config=&config.Config{}"
CONTROLLERS = (
    f"2021-07-26 15:42:17.175 {LOADED}\n"
    "2021-07-26 15:42:27.178 [FATAL][1] main.go 118: Failed to initialize Calico datastore "
    'error=Get "https://10.96.0.1:443/apis/crd.projectcalico.org/v1/clusterinformations/default": '
    "context deadline exceeded\n"
)

# (report, what it shows, the fault that it proves)
PROVEN = [
    (
        "projectcalico/calico 7122",
        f"2022-12-22 10:29:47.681 [FATAL][1] cni-installer/<nil> <nil>: {TOKEN.format('10.96.0.1')}\n",
        "apiserver_unreachable",
    ),
    (
        "projectcalico/calico 6115: a line of docker's log, of which the beginning was cut off",
        (
            "{startup/startup.go 374: Hit error connecting to datastore - retry error=Get "
            'https://192.168.0.1:443/api/v1/nodes/foo: dial tcp 192.168.0.1:443: i/o timeout\\n","stream":"stdout","time"}\n'
        ),
        "apiserver_unreachable",
    ),
    (
        "projectcalico/calico 10538",
        (
            "2025-06-09 14:29:29.873 [FATAL][15383] status-reporter/startsyncerclient.go 49: Typha discovery enabled but "
            'discovery failed. error=Get "https://172.20.0.1:443/api/v1/namespaces/calico-system/endpoints/calico-typha": '
            "dial tcp 172.20.0.1:443: connect: connection timed out\n"
        ),
        "apiserver_unreachable",
    ),
    (
        "kubernetes-sigs/kubespray 9897",
        (
            "Events:\n"
            "  Type     Reason                  Age   From               Message\n"
            "  ----     ------                  ----  ----               -------\n"
            "  Normal   Scheduled               72s   default-scheduler  Successfully assigned kube-system/p to node5\n"
            f"  Warning  FailedCreatePodSandBox  12s   kubelet            {SANDBOX}{SILENT}\n"
        ),
        "apiserver_unreachable",
    ),
    (
        "projectcalico/calico 9215: one row without its head",
        f"```\n  Warning  FailedCreatePodSandBox  33s    kubelet     {SANDBOX}connection is unauthorized: Unauthorized\n```\n",
        "cni_token_expired",
    ),
    (
        "aws/eks-charts 337",
        (
            "2020-11-10 11:16:34.719 [FATAL][2865] tunnel-ip-allocator/startsyncerclient.go 47: Typha discovery enabled but "
            'discovery failed. error=services "calico-typha" not found\n'
        ),
        "typha_discovery_misconfigured",
    ),
    (
        "harvester/harvester 10188",
        (
            "2026-03-11 22:43:11.380 [ERROR][53] felix/discovery.go 245: Didn't find any ready Typha instances.\n"
            "2026-03-11 22:43:11.380 [ERROR][53] felix/daemon.go 337: Typha discovery enabled but discovery failed. "
            "error=missing Kubernetes service IP or port\n"
        ),
        "typha_down",
    ),
    (
        "projectcalico/calico 10036: what Typha says at level INFO",
        (
            "2025-03-21 20:35:50.023 [INFO][1] typha/sync_server.go 857: Failed to read from client "
            'client=172.16.1.133:29648 connID=0x12bab error=remote error: tls: bad certificate thread="read"\n'
        ),
        "typha_tls_mismatch",
    ),
    (
        "tigera/operator 1564: JSON of the operator",
        (
            '{"level":"error","ts":1634287159.190339,"logger":"controller_installation","msg":"error migrating resources to '
            'calico-system","error":"the kube-system node DaemonSet is not ready with the updated nodeSelector"}\n'
        ),
        "operator_migration_stuck",
    ),
    (
        "projectcalico/felix 2083",
        (
            " calicoctl node checksystem\nChecking kernel modules...\n"
            "WARNING: Unable to detect the xt_set module as Loaded/Builtin module or lsmod\n\t\txt_set    \t\t\tFAIL\n"
        ),
        "kernel_module_missing",
    ),
    (
        "flannel-io/flannel 1502",
        (
            "root@k3s-master:~# modprobe vxlan\n"
            "modprobe: FATAL: Module vxlan not found in directory /lib/modules/5.13.0-1008-raspi\n"
        ),
        "kernel_module_missing",
    ),
    (
        "flannel-io/flannel 441",
        (
            "I0524 09:44:25.025686 08893 main.go:130] Determining IP address of default interface\n"
            "E0524 09:44:25.040006 08893 vxlan.go:104] VXLAN init: operation not supported\n"
        ),
        "kernel_module_missing",
    ),
    (
        "xunholy/k8s-gitops 98",
        (
            "2020-11-04 12:00:27.044 [ERROR][74] felix/daemon.go 337: BPF dataplane mode enabled but not supported by the "
            "kernel.  Disabling BPF mode.\n"
        ),
        "kernel_module_missing",
    ),
    (
        "projectcalico/calicoctl 1082: Felix in Python",
        "2016-07-28 18:19:24,684 [CRITICAL][307/4] calico.felix.devices 70: Kernel's RPF check is set to 'loose'.\n",
        "rp_filter_loose",
    ),
    (
        "kubernetes/kubernetes 71261: dmesg -T",
        "[Tue Nov 20 22:30:22 2018] nf_conntrack: table full, dropping packet\n",
        "conntrack_full",
    ),
    (
        "poseidon/typhoon 1007: nmcli alone",
        'nmcli\ncali1a81d481534: connecting (getting IP configuration) to Wired connection 3\n        "cali1a81d481534"\n',
        "host_network_manager_interference",
    ),
    (
        "projectcalico/calicoctl 256: NetworkManager 0.9",
        (
            "Jul  3 18:25:51 nithya NetworkManager[6043]: <info> (calid55687f8218): device state change: unavailable -> "
            "disconnected (reason 'carrier-changed') [20 30 40]\n"
        ),
        "host_network_manager_interference",
    ),
    (
        "flannel-io/flannel 1125",
        (
            "I0411 06:25:44.372548       1 main.go:244] Created subnet manager: Kubernetes Subnet Manager - ip-172-31-23-54\n"
            "E0411 06:25:44.372839       1 main.go:289] Error registering network: failed to acquire lease: node "
            '"ip-172-31-23-54" pod cidr not assigned\n'
        ),
        "node_podcidr_missing",
    ),
    (
        "projectcalico/node 511: Felix says that it is about to end",
        (
            "2020-06-03 04:36:29.611 [ERROR][4089] table.go 891: Failed to program iptables, loading diags before panic. "
            'error=exit status 2 ipVersion=0x6 table="raw"\n'
        ),
        "felix_crash_loop",
    ),
]
# (report, what it shows, what is among the first of what it may be)
SUGGESTED = [
    (
        "tigera/operator 1324: a probe that printed nothing",
        (
            "  Type     Reason     Age                     From           Message\n"
            "  ----     ------     ----                    ----           -------\n"
            "  Warning  Unhealthy  2m20s (x6668 over 19h)  kubelet, vm03  Readiness probe failed:\n"
        ),
        "probe_exec_failure",
    ),
    (
        "projectcalico/calico 4605",
        (
            "  Warning  Unhealthy  36s (x17 over 9m24s)  kubelet  Liveness probe failed: calico/node is not ready: Felix is "
            "not live: liveness probe reporting 503\n"
        ),
        "typha_port_blocked",
    ),
    (
        "projectcalico/calico 8463: rows of pods without their head",
        "calico-node-784sk        0/1     Init:CrashLoopBackOff   4 (32s ago)    6m13s   10.10.101.44   worker-44   <none>\n",
        "apiserver_unreachable",
    ),
    ("projectcalico/calico 2818: kube-controllers", CONTROLLERS, "host_firewall_blocks_pod_interfaces"),
    (
        "tigera/operator 2137",
        (
            "2022-08-24 13:47:18.821 [FATAL][2338] felix/daemon.go 532: Failed to connect to Typha error=connection to typhas "
            "([{node-3:5473 node-3 0xc0005ec640}]) failed\n"
        ),
        "typha_port_blocked",
    ),
    (
        "projectcalico/calico 6157",
        (
            "2022-05-30 09:28:54.110 [WARNING][51] vxlan_mgr.go 375: Failed configure VXLAN tunnel device, retrying... "
            "error=can't locate created vxlan device vxlan.calico\n"
        ),
        "tunnel_device_missing",
    ),
    (
        "projectcalico/calico 6309",
        (
            "2022-07-01 09:31:06.551 [ERROR][40353] plugin.go 121: Final result of CNI ADD was an error. error=stat "
            "/var/lib/calico/nodename: no such file or directory: check that the calico/node container is running\n"
        ),
        "apiserver_unreachable",
    ),
]


def report_on(folder, **files):
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    found = read.read(str(folder))
    told, now = evidence.evidence(found)
    return analyse(told, now), found


@pytest.mark.parametrize(("text", "fault"), [pytest.param(*rest, id=name) for name, *rest in PROVEN])
def test_what_a_paste_proves_comes_first(tmp_path, text, fault):
    report, bundle = report_on(tmp_path, pasted__txt=text)
    first = report["findings"][0]
    assert (first["fault"], first["confidence"] > 0.5, bundle.unrecognised) == (fault, True, [])


@pytest.mark.parametrize(("text", "fault"), [pytest.param(*rest, id=name) for name, *rest in SUGGESTED])
def test_what_a_paste_suggests_is_told_and_never_claimed(tmp_path, text, fault):
    report, bundle = report_on(tmp_path, pasted__txt=text)
    told = {one["fault"]: one["confidence"] for one in report["findings"]}
    assert fault in list(told)[:4]
    assert "undetermined" in told
    assert max(share for name, share in told.items() if name != "undetermined") < 0.5
    assert bundle.unrecognised == []


def test_what_probes_said_is_no_matter_where_all_pods_are_ready(tmp_path):
    """projectcalico/calico 3420: pods that are Ready, with failures of weeks in their events."""
    pods = (
        "NAME                READY   STATUS    RESTARTS   AGE\ncalico-node-7k2mx   1/1     Running   0          39d\n"
    )
    events = (
        "  Warning  Unhealthy  50m (x789 over 39d)  kubelet, w4r008  Liveness probe failed: calico/node is not ready: "
        "Felix is not live: Get http://localhost:9099/liveness: dial tcp [::1]:9099: connect: connection refused\n"
    )
    report, _bundle = report_on(tmp_path, pods__txt=pods, events__txt=events)
    assert {one["severity"] for one in report["findings"]} <= {"info"}


def test_a_paste_of_several_outputs_is_taken_apart_at_its_empty_lines(tmp_path):
    """tigera/operator 2137: a log and a table, and between them nothing but an empty line."""
    text = (
        "2022-08-24 13:47:18.821 [FATAL][2338] felix/daemon.go 532: Failed to connect to Typha error=connection failed\n"
        "\n"
        "NAME                           READY   STATUS    RESTARTS   AGE   IP       NODE\n"
        "calico-node-59vg6              1/1     Running   0          77m   node-3   node-3\n"
    )
    _report, bundle = report_on(tmp_path, pasted__txt=text)
    assert [list(node.texts) for node in bundle.nodes.values()] == [["calico-node.log"]]
    assert len(bundle.cluster) == 1


def test_nobody_outside_a_tunnel_tells_its_pings_from_its_connections(tmp_path):
    """projectcalico/calico 9433: VXLAN on vSphere carries ICMP only; it was the card's offload, no filter."""
    environment = (
        "provider: vsphere\nencapsulation: vxlan\nobservations:\n"
        "  - {check: ping, from: pod-on-node-1, to: pod-on-node-2, result: open}\n"
        "  - {check: tcp, port: 80, from: pod-on-node-1, to: pod-on-node-2, result: timeout}\n"
    )
    report, _bundle = report_on(tmp_path, environment__yml=environment)
    assert [one["fault"] for one in report["findings"]][:1] == ["checksum_offload"]
    bare = environment.replace("encapsulation: vxlan", "encapsulation: none")
    report, _bundle = report_on(tmp_path, environment__yml=bare)
    assert report["findings"][0]["fault"] == "hypervisor_iptables"


def test_routes_alone_tell_which_encapsulation_is_in_use(tmp_path):
    """projectcalico/calico 2630: Azure, of which only the routes are shown."""
    routes = (
        "default via 172.28.240.1 dev eth0\n"
        "172.28.240.0/20 dev eth0 proto kernel scope link src 172.28.240.61\n"
        "172.40.21.0/26 via 172.28.240.64 dev tunl0 proto bird onlink\n"
    )
    only = "provider: azure\nobservations:\n  - {check: works-only, scope: same-node}\n"
    report, _bundle = report_on(tmp_path, routes__txt=routes, environment__yml=only)
    assert report["findings"][0]["fault"] == "ipip_blocked"


def test_pools_are_read_from_the_table_of_calicoctl(tmp_path):
    """projectcalico/calico 3271."""
    table = (
        "NAME                      CIDR            NAT    IPIPMODE   VXLANMODE   DISABLED   SELECTOR   \n"
        "default-ipv4-ippool       172.29.0.0/16   true   Never      Always      false      all()      \n"
    )
    (tmp_path / "pools.txt").write_text(table, encoding="utf-8")
    told, _now = evidence.evidence(read.read(str(tmp_path)))
    pools = told.cluster.pools
    assert [(one.name, one.cidr, one.vxlan, one.ipip, one.disabled) for one in pools] == [
        ("default-ipv4-ippool", "172.29.0.0/16", "Always", "Never", False)
    ]


def test_events_of_one_pod_are_of_the_node_that_it_was_given(tmp_path):
    """projectcalico/calico 8379."""
    text = (
        "Events:\n"
        "  Type     Reason                  Age               From               Message\n"
        "  ----     ------                  ----              ----               -------\n"
        "  Normal   Scheduled               61s               default-scheduler  Successfully assigned default/m to chef\n"
        f"  Warning  FailedCreatePodSandBox  60s               kubelet            {SANDBOX}connection is unauthorized: "
        "Unauthorized\n"
    )
    report, _bundle = report_on(tmp_path, events__txt=text)
    assert [(one["fault"], one["nodes"]) for one in report["findings"]] == [("cni_token_expired", ["chef"])]
