# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixes say what to type: with the values that are known, at the owner of the setting, and what is to be filled in."""

from __future__ import annotations

import json
import shlex

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue import (
    agent_pod,
    api,
    commands,
    fix_lines,
    owner_lines,
)
from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue.faults import BY_ID, FAULTS
from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue.model import SEVERITIES
from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster.owners import Owner
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import Evidence
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import evidence_of
from ansible_collections.netmedic.calico.tests.unit.test_cases import CASES, read, report_on

NEVER = ("iptables -F", "iptables-nft -F", "flush ruleset", "nc -zv {} 179", "delete pods --all")
WORDS = {"calicoNetwork": {"mtu": None}}


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_no_recorded_case_leaves_a_word_open_without_saying_what_it_is(folder):
    _case, evidence = read(folder)
    for item in report_on(evidence)["findings"]:
        lines = item["fix"]["commands"]
        told = {word for line in lines for word in line.partition("   # ")[2].replace(":", " ").split()}
        for line in lines:
            assert not any(bad in line for bad in NEVER)
            assert " 179" not in line or "nc " not in line
            command = line.partition("   # ")[0]
            assert "NAMESPACE POD" not in command
            for word in ("POD", "NAMESPACE", "ADDRESS/LENGTH", "NODE", "NUMBER"):
                assert word not in command.split() or word in told


def test_a_pod_that_is_known_is_named_and_one_that_is_not_is_looked_for(mesh, kube):
    known = agent_pod.run(evidence_of(mesh, kube), "node-2", "sv up bird")
    assert known == "kubectl exec -n kube-system calico-node-00001 -c calico-node -- sv up bird"
    unknown = agent_pod.run(evidence_of(mesh), "node-2", "sv up bird")
    assert unknown.startswith("kubectl exec $(kubectl get pods -A -l 'k8s-app in (calico-node,canal)' ")
    assert "spec.nodeName=node-2 -o " in unknown
    assert "POD" not in unknown


def test_flannels_container_is_looked_for_where_its_pod_was_not_read(mesh, kube):
    assert "'app in (flannel" in agent_pod.logs(evidence_of(mesh, kube), "node-2", "--tail=5", agent_pod.FLANNEL)


def test_pods_of_many_nodes_are_made_anew_one_by_one(mesh):
    lines = agent_pod.delete_each(evidence_of(mesh), [f"node-{number}" for number in range(8)])
    assert len(lines) == agent_pod.FEW
    assert lines[-1].endswith("   # then likewise on 3 more, one at a time")
    assert agent_pod.delete_each(evidence_of(mesh), []) == []


def test_a_node_without_a_name_is_left_open():
    assert commands.on_node("unnamed-node", "ip route").startswith("ssh NODE ")
    assert commands.kube_name(Evidence({}), "unnamed-node-2") == "NODE"


def test_the_first_line_with_an_open_word_says_what_it_is():
    lines = commands.explained(
        ["kubectl logs -n NAMESPACE POD", "kubectl delete pod -n NAMESPACE POD   # at last", "kubectl get nodes"]
    )
    assert (
        lines[0]
        == "kubectl logs -n NAMESPACE POD   # NAMESPACE: that of calico-node; POD: as the command before shows it"
    )
    assert lines[1:] == ["kubectl delete pod -n NAMESPACE POD   # at last", "kubectl get nodes"]
    assert commands.explained(["kubectl delete node NAME   # NAME: the one that is gone"]) == [
        "kubectl delete node NAME   # NAME: the one that is gone"
    ]
    assert commands.explained(["kubectl get nodes -o custom-columns=NAME:.metadata.name"])[0].endswith("name")
    assert commands.is_open("a NODES b")
    assert not commands.is_open("a b   # NODES: c")
    assert commands.is_open("kubectl exec $(kubectl get pods)")


def test_without_the_daemonset_both_ways_are_told(mesh):
    plain, theirs = api.set_detection(evidence_of(mesh), "ipv4", "cidr=10.0.0.0/24")
    assert "daemonset/{.items[0].metadata.name}" in plain
    assert plain.endswith("# unless the operator runs (kubectl get installation)")
    assert json.loads(shlex.split(theirs, comments=True)[-1])["spec"]["calicoNetwork"]["nodeAddressAutodetectionV4"][
        "cidrs"
    ] == ["10.0.0.0/24"]


@pytest.mark.parametrize(
    ("owner", "line"),
    [
        (
            Owner("HelmChartConfig", "rke2-canal", "spec.valuesContent: calico.vethuMTU", "", "kube-system"),
            (
                "kubectl edit helmchartconfig -n kube-system rke2-canal   # so that it lasts, in spec.valuesContent: "
                "calico.vethuMTU: 0 (if there is none yet, in /var/lib/rancher/rke2/server/manifests)"
            ),
        ),
        (
            Owner("kubespray", "group_vars", "calico_mtu", "", reverted="It comes back."),
            "in kubespray's group_vars: calico_mtu: 0   # so that it lasts. It comes back.",
        ),
        (
            Owner("kops", "cluster", "spec.networking.calico.mtu", ""),
            "kops edit cluster   # so that it lasts: spec.networking.calico.mtu: 0; then kops update cluster --yes",
        ),
        (
            Owner("microk8s", "/x/cni.yaml", "veth_mtu", ""),
            "sudoedit /x/cni.yaml   # so that it lasts, on each node of the control plane: veth_mtu: 0",
        ),
        (
            Owner("Helm", "calico", "values: CNI_MTU", ""),
            (
                "helm get values calico -n NAMESPACE   # so that it lasts, helm upgrade with CNI_MTU: 0; "
                "NAMESPACE: as helm list -A shows it"
            ),
        ),
    ],
)
def test_an_installer_that_reads_later_is_told_after_what_helps_now(owner, line):
    assert owner_lines.lines(owner, ["now"], WORDS, "0") == ["now", line]


def test_what_the_operator_renders_is_changed_in_its_installation_only():
    patch = """kubectl patch installation default --type merge -p '{"spec": {"calicoNetwork": {"mtu": null}}}'"""
    assert owner_lines.lines(Owner("Installation", "default", "spec.x", ""), ["now"], WORDS, "0") == [patch]
    by_chart = Owner("Helm", "calico", "values: installation.calicoNetwork.mtu", "")
    now, lasting = owner_lines.lines(by_chart, ["now"], WORDS, "0")
    assert now == patch
    assert "helm upgrade calico CHART -n NAMESPACE --reuse-values --set-json 'installation={" in lasting
    forbidden = Owner("provider", "aks", "spec.x", "It forbids that.", allowed=False)
    assert owner_lines.lines(forbidden, ["now"], WORDS, "0") == ["ask aks to change spec.x: 0   # It forbids that."]


def test_every_pool_that_encapsulates_otherwise_is_named(mesh, kube):
    (line,) = fix_lines.pool_changes(evidence_of(mesh, kube), "Never", "Always")
    assert json.loads(shlex.split(line)[-1]) == {"spec": {"ipipMode": "Never", "vxlanMode": "Always"}}
    assert "NAME" not in line
    look, change = fix_lines.pool_changes(evidence_of(mesh), "Never", "Always")
    assert look.startswith("kubectl get ippools.")
    assert change.endswith("# NAME: each pool of the nodes' pods")


def test_the_installations_pools_are_changed_as_a_whole_list(mesh, kube):
    pools = [{"cidr": "10.244.0.0/16", "encapsulation": "None", "natOutgoing": "Enabled"}, {"cidr": "fd00::/48"}]
    kube.objects["ippools"] = []
    kube.objects["installations"] = [
        {"kind": "Installation", "metadata": {"name": "default"}, "spec": {"calicoNetwork": {"ipPools": pools}}}
    ]
    (line,) = fix_lines.pool_changes(evidence_of(mesh, kube), "Never", "CrossSubnet")
    told = json.loads(shlex.split(line)[-1])["spec"]["calicoNetwork"]["ipPools"]
    assert told == [{**pools[0], "encapsulation": "VXLANCrossSubnet"}, pools[1]]


def test_where_the_api_server_is_looked_for_when_nobody_tells(mesh):
    assert fix_lines.service_of_api(evidence_of(mesh)).startswith("$(kubectl get service kubernetes ")


def test_kube_proxy_is_made_anew_on_one_node_only(mesh):
    line = fix_lines.kube_proxy_anew(evidence_of(mesh), "node-2")
    assert line == "kubectl delete pod -n kube-system -l k8s-app=kube-proxy --field-selector spec.nodeName=node-2"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_how_bad_it_is_is_told_in_words(fault):
    told = fault.severities
    assert fault.severity in told
    assert fault.severity_says == fault.severity_says.strip(" .")
    assert len(told) > 1 or fault.severity_rule is None
    assert set(told) <= set(SEVERITIES)


def test_a_rule_of_severity_is_its_docstring():
    assert BY_ID["hold_timer_expired"].severity_says == "major where sessions are down, minor where they are up again"
    assert BY_ID["hold_timer_expired"].severities == ("minor", "major")
