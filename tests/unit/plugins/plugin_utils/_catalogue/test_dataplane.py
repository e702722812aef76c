# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of what is lost while BGP is well: from nodes' facts, objects, loose texts and what was tried by hand."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence as bundles
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle.read import sort
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._catalogue.settings import put
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import commands, host, log, summary, told

RULE = {"backend": "iptables-nft", "family": "ipv4", "table": "filter", "rule": 3, "owner": "unknown"}


def rule(chain, text, owner="unknown", **more):
    return {**RULE, "chain": chain, "text": f"-A {chain} {text}", "owner": owner, "path": [f"{chain} 3"], **more}


def filters(mesh, name="node-2", **parts):
    mesh.facts[name]["calico_firewall"].update(parts)


def of_bundle(environment="", **texts):
    """The findings of a bundle with these texts of node-1, by fault."""
    named = {f"nodes/node-1/{name.replace('__', '.').replace('_', '-')}": text for name, text in texts.items()}
    found, now = bundles.evidence(sort({**named, "environment.yml": environment}))
    report = analyse(found, now)
    return {one["fault"]: one for one in report["findings"] if one["confidence"] >= 0.5}


# --- IPIP ---


def ipip(mesh, kube, **block):
    put(kube, "IPPool", "default-ipv4-ippool", cidr="10.244.0.0/16", ipipMode="Always", vxlanMode="Never")
    entry = {"flows": ["ipip"], "verdict": "drop", "family": "ipv4", "rule": rule("INPUT", "-p 4 -j DROP"), **block}
    filters(mesh, flows={"accepted": ["udp4789"], "inbound": [entry]})


def test_a_rule_that_drops_ipip_is_named(mesh, kube):
    ipip(mesh, kube)
    item = told(mesh, kube)["ipip_blocked"]
    assert item.subject.nodes == ("node-2",)
    assert item.subject.where["text"] == "-A INPUT -p 4 -j DROP"
    assert "-I INPUT 1 -p 4 -s 10.0.0.1" in commands(mesh, kube, "ipip_blocked")


def test_where_ipip_is_not_used_its_rule_harms_nobody(mesh, kube):
    ipip(mesh, kube)
    put(kube, "IPPool", "default-ipv4-ippool", cidr="10.244.0.0/16", ipipMode="Never", vxlanMode="Never")
    assert "ipip_blocked" not in told(mesh, kube)


@pytest.mark.parametrize(("owner", "words"), [("ufw", "before.rules"), ("firewalld", "protocol value=4")])
def test_the_owner_of_the_firewall_is_told(mesh, kube, owner, words):
    ipip(mesh, kube, rule=rule("INPUT", "-j DROP", owner))
    assert words in commands(mesh, kube, "ipip_blocked")


def test_felix_own_rule_points_to_the_senders_address(mesh, kube):
    text = '-p 4 -m comment --comment "Drop IPIP packets from non-Calico hosts" -j DROP'
    ipip(mesh, kube, rule=rule("cali-INPUT", text, "calico"))
    # Felix does not run in these facts: the rule would be a leftover.
    mesh.facts["node-2"]["calico_node"].setdefault("calico", {})["felix_running"] = True
    assert "addresses are not those" in summary(mesh, kube, "ipip_blocked")


def test_azure_carries_no_ipip():
    found = of_bundle("provider: azure\nencapsulation: ipip\n", os_release__txt='NAME="Debian"\nID=debian\n')
    assert list(found) == ["ipip_blocked"]


@pytest.mark.parametrize(
    "tried",
    [
        "{check: ping, from: pod-on-node-1, to: pod-on-node-2, result: open}",
        "{check: tcp, port: 80, from: pod-on-node-1, to: pod-on-node-2, result: open}",
    ],
)
def test_pods_that_reach_each_other_clear_it(tried):
    assert "ipip_blocked" not in of_bundle(f"provider: azure\nencapsulation: ipip\nobservations:\n  - {tried}\n")


def test_what_the_other_side_opens_lacks_a_rule_for_what_comes_in():
    ping = "{{check: ping, from: tunl0-on-{}, to: tunl0-on-{}, result: {}}}"
    tried = [ping.format("a", "b", "timeout"), ping.format("b", "a", "open"), ping.format("a", "b", "open")]
    found = of_bundle("encapsulation: ipip\nobservations: [" + ", ".join(tried) + "]\n")
    assert list(found) == ["ipip_blocked"]


def test_one_lost_ping_alone_decides_nothing():
    assert "ipip_blocked" not in of_bundle(
        "encapsulation: ipip\nobservations:\n  - {check: ping, from: pod-on-a, to: pod-on-b, result: timeout}\n"
    )


# --- rules that stop pods ---


def pods(mesh, name="node-2", **entry):
    filters(
        mesh, name, pods={"not_accepted": [{"ways": ["pods to eth0"], "verdict": "drop", "family": "ipv4", **entry}]}
    )


def test_the_hosts_own_rule_stops_pods(mesh):
    pods(mesh, rule=rule("FORWARD", "-j DROP"))
    item = told(mesh)["host_firewall_blocks_pod_interfaces"]
    assert (item.subject.nodes, item.subject.where["chain"], item.severity) == (("node-2",), "FORWARD", "major")
    assert "-o cali+" in commands(mesh, None, "host_firewall_blocks_pod_interfaces")


def test_a_host_that_only_keeps_pods_from_itself_may_mean_it(mesh):
    pods(mesh, ways=["pods to host"], rule=rule("INPUT", "-j DROP", "ufw"))
    assert told(mesh)["host_firewall_blocks_pod_interfaces"].severity == "minor"
    assert "ufw allow in on cali+" in commands(mesh, None, "host_firewall_blocks_pod_interfaces")


def test_rules_of_a_plugin_that_is_gone_are_leftovers(mesh):
    pods(mesh, rule=rule("KUBE-POD-FW-X", "-j REJECT", "kube-router"))
    found = told(mesh)
    assert list(found) == ["leftover_iptables_rules"]
    assert "-D KUBE-POD-FW-X 3" in commands(mesh, None, "leftover_iptables_rules")


def test_a_plugin_that_runs_leaves_nothing_behind(mesh):
    pods(mesh, rule=rule("CILIUM_FORWARD", "-j DROP", "cilium"))
    host(mesh, "node-2")["other_plugins"] = {"cilium": {"rules": True, "running": True}}
    assert list(told(mesh)) == ["host_firewall_blocks_pod_interfaces"]


def test_felix_rules_in_the_older_backend_are_leftovers(mesh):
    old = rule("cali-from-wl-dispatch", "-j DROP", "calico", backend="iptables-legacy")
    owners = {"iptables_legacy": {"rules": 9, "owners": ["calico"]}, "iptables_nft": {"rules": 9, "owners": ["calico"]}}
    mesh.facts["node-2"]["calico_node"].setdefault("calico", {})["felix_running"] = True
    filters(mesh, pods={"felix_rules": [{"ways": ["pods to eth0"], "verdict": "drop", "rule": old}]}, backends=owners)
    assert told(mesh)["leftover_iptables_rules"].subject.where["backend"] == "iptables-legacy"


def test_rules_that_stop_nothing_are_no_finding(mesh):
    host(mesh, "node-2")["other_plugins"] = {"weave": {"rules": True, "interfaces": ["weave"]}}
    assert told(mesh) == {}


# --- kube-proxy, connections seen by halves, checksums ---


def test_a_proxy_that_masquerades_everything(mesh):
    host(mesh, "node-2")["kube_proxy"] = {"masquerade_all": True, "why": "kube-proxy (process 7) runs so"}
    item = told(mesh)["kube_proxy_masquerade_all"]
    assert (item.subject.nodes, item.severity) == (("node-2",), "minor")


def invalid(mesh, grew, packets=900):
    drop = rule("KUBE-FORWARD", "-m conntrack --ctstate INVALID -j DROP", "kube-proxy", packets=packets)
    filters(mesh, invalid_dropped=[{"way": "through this host", "rule": drop}])
    host(mesh, "node-2")["conntrack"] = {"count": 9, "max": 99, "invalid": {"total": 1000, "grew": grew}}


def test_packets_that_fit_no_connection(mesh):
    invalid(mesh, grew=40)
    item = told(mesh)["conntrack_invalid"]
    assert (item.subject.where["chain"], item.severity) == ("KUBE-FORWARD", "minor")


def test_stray_packets_are_met_by_any_host(mesh):
    invalid(mesh, grew=1)
    assert told(mesh) == {}


CAPTURE = "14:02:11.3 IP 10.0.0.{}.50078 > 10.0.0.{}.4789: [{}] VXLAN, flags [I] (0x08), vni 4096\n"
RIGHT, WRONG = "udp sum ok", "bad udp cksum 0xbd67 -> 0x4e7f!"


def test_some_checksums_right_and_some_wrong():
    text = CAPTURE.format(1, 2, RIGHT) + CAPTURE.format(1, 2, WRONG)
    assert next(iter(of_bundle(tcpdump__txt=text))) == "checksum_offload"


def test_wrong_checksums_where_they_are_sent_are_usual():
    text = CAPTURE.format(1, 2, WRONG) * 3
    addresses = '[{"ifname": "eth0", "addr_info": [{"family": "inet", "local": "10.0.0.1", "prefixlen": 24}]}]'
    assert "checksum_offload" not in of_bundle(tcpdump__txt=text, ip_addr__json=addresses)


# --- MTU ---


def test_a_value_that_is_larger_than_the_interface(mesh):
    mesh.facts["node-2"]["calico_mtu"] = {
        "automatic": {"host": 1500, "interface": "eth0", "pods": 1500},
        "configured": {"cni": {"path": "/etc/cni/net.d/10-calico.conflist", "mtu": 9000}},
    }
    item = told(mesh)["mtu_misconfigured_value"]
    assert item.subject.where["value"] == "9000"


@pytest.mark.parametrize(("value", "odd"), [(0, False), (1440, False), (400, True), (-1, True), (70000, True)])
def test_values_of_felix_configuration(kube, mesh, value, odd):
    for config in kube.objects.get("configmaps", []):
        config.get("data", {}).pop("veth_mtu", None)
    put(kube, "FelixConfiguration", "default", ipipMTU=value)
    assert ("mtu_misconfigured_value" in told(mesh, kube)) is odd


def test_a_sharp_threshold_of_size():
    tried = "{{check: tcp, size: {}, from: a, to: b, result: {}}}"
    found = of_bundle(f"observations: [{tried.format(1400, 'open')}, {tried.format(1401, 'timeout')}]\n")
    assert "1400 bytes" in found["mtu_mismatch"]["summary"]


# --- next hops ---


def refused(mesh, **routes):
    line = {"kind": "kernel_route", "value": "Network is unreachable", "text": "Netlink: Network is unreachable"}
    mesh.facts["node-2"]["calico_bgp"]["log"] = [line]
    mesh.facts["node-2"]["calico_mtu"] = {"encapsulation": {"kind": "none", "overhead": 0}}
    host(mesh, "node-2")["routes"] = {"ipv4": {"bird": 3, **routes}}


def test_the_kernel_refuses_next_hops(mesh):
    refused(mesh, not_in_kernel={"exported": 3, "in_kernel": 1, "missing": ["10.244.1.0/26"]})
    assert told(mesh)["no_encap_next_hop_not_onlink"].subject.nodes == ("node-2",)


def test_what_it_refused_and_has_by_now_is_no_matter(mesh):
    refused(mesh)
    assert "no_encap_next_hop_not_onlink" not in told(mesh)


# --- clouds and hypervisors ---


def test_a_cloud_that_checks_addresses():
    said = "provider: aws\nencapsulation: none\n"
    lost = "observations:\n  - {check: works-only, scope: same-node}\n"
    assert "cloud_source_dest_check" not in of_bundle(said)
    assert "cloud_source_dest_check" in of_bundle(said + lost)


def test_a_hypervisor_lets_pings_pass_only():
    tried = "{{check: {}, from: pod-on-a, to: pod-on-b, result: {}}}"
    lost = f"observations: [{tried.format('ping', 'open')}, {tried.format('tcp', 'timeout')}]\n"
    assert "hypervisor_iptables" in of_bundle("provider: libvirt\nencapsulation: none\n" + lost)


# --- no faults ---

ASKED = "Error querying BIRD: unable to connect to BIRDv4 socket: dial unix {}: connect: no such file or directory\n"
RUNS = "UID PID PPID C STIME TTY TIME CMD\nroot 2811 2796 0 08:02 ? 00:00:01 bird -R -s {} -d -c /etc/bird.cfg\n"


def test_a_tool_that_looked_elsewhere():
    status = "Calico process is running.\n\nIPv4 BGP status\n" + ASKED.format("/var/run/bird/bird.ctl")
    found = of_bundle(calicoctl_node_status__txt=status, processes__txt=RUNS.format("/var/run/calico/bird.ctl"))
    assert list(found) == ["benign_tool_artifact"]
    assert found["benign_tool_artifact"]["severity"] == "info"


def test_a_bird_that_is_not_there_is_not_found_in_any_place():
    status = "Calico process is running.\n\nIPv6 BGP status\n" + ASKED.format("/var/run/bird/bird6.ctl").replace(
        "v4", "v6"
    )
    found = of_bundle(calicoctl_node_status__txt=status, processes__txt=RUNS.format("/var/run/calico/bird.ctl"))
    assert "benign_tool_artifact" not in found


def test_a_socket_that_the_host_does_not_see(mesh):
    mesh.facts["node-2"]["calico_bgp"]["daemons"]["ipv4"]["socket_hidden"] = True
    assert list(told(mesh)) == ["benign_tool_artifact"]


def test_a_probe_that_could_not_be_run(mesh):
    log(mesh, "node-2", "kubelet", "probe_errored", 'ExecSync cmd=["/bin/calico-node","-bird-ready"] failed')
    item = told(mesh)["probe_exec_failure"]
    assert (item.subject.nodes, item.role) == (("node-2",), "not_a_fault")


def test_old_stamps_without_a_year_are_read():
    said = "error getting ClusterInformation: connection is unauthorized: Unauthorized"
    assert list(of_bundle(kubelet__log=f"Nov 08 10:15:02 node-1 kubelet[1120]: {said}")) == ["cni_token_expired"]


def test_pods_may_be_silent_where_a_firewall_is_on():
    said = 'Error getting cluster information error=Get "https://10.0.0.1:443/": context deadline exceeded'
    silent = f"2020-11-11 16:40:22.815 [ERROR][1] client.go 255: {said}"
    found = of_bundle(calico_kube_controllers__log=silent, ufw_status__txt="Status: active\n")
    assert list(found) == ["host_firewall_blocks_pod_interfaces"]
