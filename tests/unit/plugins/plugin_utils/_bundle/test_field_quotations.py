# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single sentences of Calico's programs, as people quote them without time, level and place, and what comes of them.

The texts are from public threads, shortened; each is named beside it (owner/repository#number on GitHub).
"""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, pasted, read
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import bare_words, log, readiness, recognise


def findings(texts):
    texts = {"paste.txt": texts} if isinstance(texts, str) else texts
    return analyse(*evidence.evidence(read.sort(texts)))["findings"]


def first(texts):
    return findings(texts)[0]["fault"]


def guesses(texts):
    found = findings(texts)
    assert not any(one["confidence"] >= 0.5 for one in found if one["fault"] != "undetermined"), found
    return [one["fault"] for one in found if one["fault"] != "undetermined"]


DECIDED = {
    # projectcalico/calico#2166
    "Unable to auto-detect an IPv4 address using interface regexes [ib0]: no valid host interfaces found": (
        "autodetection_found_nothing"
    ),
    # projectcalico/calico#2720
    "[INFO][8] startup.go 365: Hit error connecting to datastore - retry error=Get "
    "https://172.32.0.1:443/api/v1/nodes/foo: dial tcp 172.32.0.1:443: connect: connection refused": (
        "apiserver_unreachable"
    ),
    # projectcalico/calico#4361
    'error getting ClusterInformation: Get "https://[100.64.0.1]:443/apis/crd.projectcalico.org/v1/'
    'clusterinformations/default": dial tcp 100.64.0.1:443: i/o timeout': "apiserver_unreachable",
    # projectcalico/calico#9428
    "Final result of CNI DEL was an error. error=error getting ClusterInformation: connection is unauthorized: "
    "Unauthorized": "cni_token_expired",
    # rancher/rancher#34300
    "[FATAL][1632] tunnel-ip-allocator/startsyncerclient.go 73: Failed to connect to Typha error=dial tcp "
    "192.168.124.167:5473: i/o timeout": "typha_port_blocked",
    # canonical/microk8s#3804
    "[WARNING][9] startup/autodetection_methods.go 140: Unable to auto-detect IPv4 address by connecting to "
    "2a01:4f8:242:3ce9::2: dial udp4: address 2a01:4f8:242:3ce9::2: no suitable address found": (
        "autodetection_found_nothing"
    ),
    # libcalico-go/lib/errors/errors.go and backend/k8s/resources/node.go; projectcalico/calico#4040
    "operation Create is not supported on Node(ip-10-12-40-102.usw23.saas.int)": "nodename_mismatch",
    # projectcalico/calico#7712
    "  Warning  Unhealthy  83s (x1234 over 7h22m)  kubelet  Readiness probe failed: calico/node is not ready: BIRD is "
    "not ready: Error querying BIRD: unable to connect to BIRDv4 socket: dial unix /var/run/calico/bird.ctl: connect: "
    "resource temporarily unavailable": "bird_hung",
    # projectcalico/calico#6407
    '{"level":"error","ts":1658610901.2112541,"logger":"typha_autoscaler","msg":"Failed to autoscale typha","error":'
    '"not enough linux nodes to schedule typha pods on, require 1 and have 0"}': "operator_migration_stuck",
    # kubernetes-sigs/kubespray#7707
    "2021-06-14 18:45:50.369 [WARNING][1] runconfig.go 155: unable to get KubeControllersConfiguration(default) "
    'error=Get "https://10.233.0.1:443/apis/crd.projectcalico.org/v1/kubecontrollersconfigurations/default": dial tcp '
    "10.233.0.1:443: connect: connection refused": "apiserver_unreachable",
}


@pytest.mark.parametrize(("text", "fault"), DECIDED.items(), ids=range(len(DECIDED)))
def test_a_sentence_alone_names_the_cause(text, fault):
    assert first(text + "\n") == fault


# projectcalico/calico#4818
def test_a_log_above_a_row_of_pods_is_read():
    row = (
        "2021-08-09 08:24:02.584 [INFO][8] startup.go 334: Hit error connecting to datastore - retry error=Get "
        "https://10.96.0.1:443/api/v1/nodes/foo: dial tcp 10.96.0.1:443: connect: network is unreachable\n"
    )
    pods = "calico-node-kcmqp  0/1     Running             17         49m\n"
    assert first(f"k -n kube-system logs -f calico-node-xxxx\n{row}{pods}") == "apiserver_unreachable"


@pytest.mark.parametrize("name", ["README.md", "notes.rst"])
def test_an_article_about_calico_is_no_log(name):
    assert recognise.recognise("Where it says Hit error connecting to datastore look at kube-proxy.", name) == ""


def test_what_is_long_is_no_quotation():
    text = "Hit error connecting to datastore\n" + "something else\n" * 60
    assert recognise.recognise(text, "paste.txt") == ""


def test_only_lines_without_a_level_of_their_own_get_one():
    told = "2021-08-09 08:24:02.584 [INFO][8] startup.go 334: Hit error connecting to datastore - retry"
    assert bare_words.marked(f"{told}\nHit error connecting to datastore") == (
        f"{told}\n{bare_words.MARK}Hit error connecting to datastore"
    )
    assert bare_words.marked("bird: Starting") == "bird: Starting"
    assert not bare_words.is_bare("E0113 00:53:29.569607   24742 x.go:70] error getting ClusterInformation: x")


def test_a_line_without_its_time_has_level_and_place():
    (entry,) = log.entries("[WARNING][9] startup/startup.go 505: Couldn't autodetect an IPv4 address.")
    assert (entry.at, entry.level, entry.place) == (None, "warning", "startup/startup.go 505")


# What stands before it is often left out: projectcalico/calico#4698, #4503, #4479.
@pytest.mark.parametrize(
    ("text", "among"),
    [
        (
            "unable to connect to BIRDv4 socket: dial unix /var/run/bird/bird.ctl: connect: no such file",
            "bird_not_running",
        ),
        ("calico/node is not ready: BIRD is not ready: BGP not established", "wrong_ip_autodetection"),
        ("BIRD is not ready: BGP not established with 1xx.2xx.3x.196 ....", "tcp179_blocked_host_firewall"),
    ],
)
def test_a_readiness_message_alone_gives_guesses(text, among):
    assert among in guesses(text + "\n")


def test_a_masked_peer_is_no_node():
    found = findings("BIRD is not ready: BGP not established with 1xx.2xx.3x.196 ....\n")
    assert not any(one["nodes"] for one in found)


@pytest.mark.parametrize(("family", "component"), [("4", "bird"), ("6", "bird6")])
def test_readiness_is_read_from_its_last_part(family, component):
    (told,) = readiness.read(f"unable to connect to BIRDv{family} socket: dial unix x: connect: connection refused")
    assert (told.component, told.reason) == (component, "refused")


# kubernetes/kops#2495
def test_a_kubelet_without_a_network_configuration_is_a_symptom():
    text = (
        "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin "
        "returns error: cni plugin not initialized\n"
    )
    assert {"apiserver_unreachable", "calico_node_not_scheduled", "daemonset_missing"} <= set(guesses(text))


# projectcalico/calico#6165
CONDITIONS = """  Type                 Status    LastHeartbeatTime                 LastTransitionTime                Reason              Message
  ----                 ------    -----------------                 ------------------                ------              -------
  NetworkUnavailable   False     Fri, 27 May 2022 17:07:15 +0800   Fri, 27 May 2022 17:07:15 +0800   CalicoIsUp          Calico is running on this node
  Ready                Unknown   Tue, 31 May 2022 10:23:23 +0800   Tue, 31 May 2022 10:28:34 +0800   NodeStatusUnknown   Kubelet stopped posting node status.
"""  # noqa: E501


@pytest.mark.parametrize("text", [CONDITIONS, f"Conditions:\n{CONDITIONS}"], ids=["bare", "headed"])
def test_conditions_alone_are_those_of_a_node(text):
    assert first(text) == "kubelet_not_ready"


# projectcalico/calico#1093
def test_a_host_on_record_by_both_its_names():
    names = "NAME\ncontrol-01.mydomain.com\nworker-02.mydomain.com\nworker-02\n"
    (found,) = findings({"calicoctl-get-nodes.txt": f"$ calicoctl get nodes\n{names}"})
    assert (found["fault"], found["nodes"]) == ("nodename_mismatch", ["worker-02"])


def test_two_hosts_of_one_short_name_are_two():
    head = "NAME        ASN       IPV4           IPV6\n"
    table = f"{head}w.example   (64512)   10.0.0.1/24\nw           (64512)   10.0.0.2/24\n"
    assert "nodename_mismatch" not in [one["fault"] for one in findings({"calicoctl-get-nodes.txt": table})]


# projectcalico/calicoctl#1822
def test_headings_in_bold_part_outputs():
    text = "**ip r**\ndefault via 10.1.2.1 dev eth0\n\n**sudo calicoctl node status**\nCalico process is running.\n"
    assert [part.command for part in pasted.parts(text)] == ["ip r", "sudo calicoctl node status"]


# projectcalico/calico#4698
def test_what_prose_quotes_between_outputs_is_read():
    said = "Readiness probe failed: calico/node is not ready: BIRD is not ready: BGP not established with 10.0.0.1"
    nodes = "```\nNAME   STATUS   ROLES   AGE   VERSION\na   Ready   <none>   1d   v1.24.2\n```\n"
    text = f"{nodes}and `{said}`\nor `kubectl get x`"
    assert said in [part.text for part in pasted.parts(text)]


# projectcalico/calicoctl#1194
def test_of_many_silent_peers_beside_one_that_answers_some_may_be_gone():
    rows = "".join(f"| 172.31.13.{n} | node-to-node mesh | start | 20:50:58 | Connect |\n" for n in range(4))
    up = "| 172.31.18.68 | node-to-node mesh | up | 20:51:02 | Established |\n"
    head = "IPv4 BGP status\n| PEER ADDRESS | PEER TYPE | STATE | SINCE | INFO |\n"
    alone, beside = guesses(head + rows), guesses(head + rows + up)
    assert "stale_node_in_mesh" in beside[:2]
    assert "stale_node_in_mesh" not in alone[:2]
