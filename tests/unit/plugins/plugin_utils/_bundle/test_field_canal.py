# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people paste of Canal's flannel, of refusals and of clocks, and what must come of it.

The texts are from public threads, shortened; each is named beside it (owner/repository#number on GitHub).
"""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, layouts, read


def findings(texts):
    return analyse(*evidence.evidence(read.sort(texts)))["findings"]


def causes(texts):
    return [(one["fault"], one["confidence"] >= 0.5) for one in findings(texts) if one["fault"] != "undetermined"]


# rancher/rke2#1998
NO_INTERFACE = """\
k -n kube-system logs -f rke2-canal-wm4xd kube-flannel
I1021 09:44:56.166674       1 main.go:212] Could not find valid interface matching netk8s03@eno2: error looking up \
interface netk8s03@eno2: route ip+net: no such network interface
E1021 09:44:56.166906       1 main.go:236] Failed to find interface to use that matches the interfaces and/or regexes \
provided
"""
# flannel-io/flannel#1262
NO_ROUTE = """\
E0307 08:20:38.533747       1 reflector.go:201] github.com/coreos/flannel/subnet/kube/kube.go:310: Failed to list \
*v1.Node: Get https://10.96.0.1:443/api/v1/nodes?resourceVersion=0: dial tcp 10.96.0.1:443: connect: no route to host
"""
# flannel-io/flannel#1785
NO_ANSWER = """\
E0716 13:09:49.360285       1 main.go:229] Failed to create SubnetManager: error retrieving pod spec for \
'kube-flannel/kube-flannel-ds-z8lxw': Get \
"https://10.96.0.1:443/api/v1/namespaces/kube-flannel/pods/kube-flannel-ds-z8lxw": dial tcp 10.96.0.1:443: i/o timeout
"""


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("rke2-canal.log", NO_INTERFACE, "autodetection_found_nothing"),
        ("flannel-pod.log", NO_ROUTE, "apiserver_unreachable"),
        ("out.txt", NO_ANSWER, "apiserver_unreachable"),
    ],
)
def test_what_flannel_says_when_it_ends_is_read(name, text, fault):
    assert causes({name: text}) == [(fault, True)]


def test_what_flannel_lacks_is_told_as_flannels():
    (found,) = findings({"rke2-canal.log": NO_INTERFACE})
    assert "flannel finds no interface" in found["summary"]
    assert any("canal_iface" in line for line in found["fix"]["commands"])
    assert "remedy" not in found["fix"] or not found["fix"]["remedy"]


def test_an_interface_that_another_program_does_not_find_is_not_flannels():
    other = NO_INTERFACE.replace("main.go", "proxy.go").replace("interfaces and/or regexes", "rules")
    assert causes({"other.log": other.replace("Failed to find interface to use", "Failed to find what to use")}) == []
    assert layouts.of_log("other.log", NO_ROUTE.replace("coreos/flannel", "weaveworks/weave")) != "kube-flannel.log"


# rancher/rancher-docs#303: what client-go writes before a message that stands for many
SANDBOX = (
    "(combined from similar events): Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup "
    'network for sandbox "f9c75ee773ea1117e53202689b907c0ff7286535728c07aaaa3e7e8ca6d9e5aa": error getting '
    "ClusterInformation: connection is unauthorized: Unauthorized\n"
)


@pytest.mark.parametrize("name", ["events", "cluster/events.txt", "error.txt"])
def test_an_event_that_stands_for_many_is_read_without_its_columns(name):
    assert causes({name: SANDBOX}) == [("cni_token_expired", True)]


# projectcalico/calico#10211
ENDS = (
    "2025-04-24 10:00:00.000 [WARNING][9] startup/startup.go 469: Connection to the datastore is unauthorized "
    "error=connection is unauthorized: Unauthorized\n"
)
# The same answer, met by a program that goes on
GOES_ON = (
    "2025-04-24 10:00:00.000 [WARNING][71] felix/watchercache.go 186: Failed to perform list of current data during "
    'resync ListRoot="/calico/resources/v3/projectcalico.org/nodes" error=connection is unauthorized: Unauthorized\n'
)


def test_a_refusal_that_ends_calico_node_is_more_than_one_that_may_be_over():
    assert causes({"calico-node.log": ENDS}) == [("calico_node_refused", True)]
    assert causes({"calico-node.log": GOES_ON}) == [("calico_node_refused", False)]
    later = '2025-04-24 10:20:00.000 [INFO][71] felix/health.go 150: Overall health summary="live"\n'
    assert ("calico_node_refused", True) not in causes({"calico-node.log": f"{ENDS}{later}"})


# siderolabs/talos#7369, and the same with clocks farther apart
def not_yet(begins):
    return (
        "2023-06-13 15:30:51.000 [ERROR][1] client.go 295: Error getting cluster information config error=x509: "
        f"certificate has expired or is not yet valid: current time 2023-06-13T15:30:51Z is before {begins}\n"
    )


@pytest.mark.parametrize(
    ("begins", "first"),
    [
        ("2023-06-13T15:30:52Z", []),
        ("2023-06-13T15:32:00Z", [("clock_skew", True)]),
        ("2023-06-13T18:00:00Z", [("clock_skew", True)]),
    ],
)
def test_a_certificate_that_begins_within_seconds_is_valid_by_now(begins, first):
    assert causes({"calico-node.log": not_yet(begins)})[:1] == first


# gardener/gardener#672
NO_FILE = "bird: Unable to open configuration file /etc/calico/confd/config/bird6.cfg: No such file or directory\n"


@pytest.mark.parametrize(("times", "severity"), [(1, "info"), (6, "critical")])
def test_what_bird_says_at_every_start_is_no_more_than_a_note(times, severity):
    begins = "2019-01-28 07:45:48.950 [INFO][9] startup.go 169: Using node name: my-node-name\n"
    found = findings({"calico-node.log": f"{begins}Calico node started successfully\n{NO_FILE * times}"})
    assert [one["severity"] for one in found if one["fault"] == "confd_cannot_render"] == [severity]
    assert {one["severity"] for one in found} == {severity}


# Kubelet's words of prober.go, kuberuntime_image.go and kuberuntime_sandbox.go, of what is no API server's
PROBE = (
    'E0429 14:58:44.720329    7116 prober.go:107] "Probe failed" probeType="Liveness" pod="default/web" output="Get '
    '\\"http://10.244.1.5:8080/\\": dial tcp 10.244.1.5:8080: connect: connection refused"\n'
)
PULL = (
    'E0429 14:58:44.720329    7116 kuberuntime_image.go:55] "Failed to pull image" err="rpc error: code = Unknown desc '
    '= failed to do request: Head \\"https://registry-1.docker.io/v2/library/nginx/manifests/latest\\": dial tcp '
    '44.208.254.194:443: i/o timeout" image="nginx:latest"\n'
)
PAUSE = (
    "Warning  FailedCreatePodSandBox  2m (x10 over 4m)  kubelet  Failed to create pod sandbox: rpc error: code = "
    'Unknown desc = failed to get sandbox image "registry.k8s.io/pause:3.6": failed to do request: Head '
    '"https://registry.k8s.io/v2/pause/manifests/3.6": dial tcp 142.250.157.82:443: i/o timeout\n'
)
NODE_STATUS = (
    'E0429 14:58:44.720329    7116 kubelet_node_status.go:540] "Error updating node status, will retry" err="error '
    'getting node \\"w1\\": Get \\"https://10.0.0.1:6443/api/v1/nodes/w1\\": dial tcp 10.0.0.1:6443: i/o timeout"\n'
)


@pytest.mark.parametrize(
    ("name", "text", "faults"),
    [
        ("kubelet.log", f"Apr 29 14:58:44 w1 kubelet[7116]: {PROBE}", []),
        ("kubelet.log", f"Apr 29 14:58:44 w1 kubelet[7116]: {PULL}", []),
        ("events.txt", PAUSE, []),
        ("kubelet.log", f"Apr 29 14:58:44 w1 kubelet[7116]: {NODE_STATUS}", ["apiserver_unreachable"]),
    ],
    ids=["probe", "image", "sandbox image", "API server"],
)
def test_not_all_that_a_kubelet_dials_is_the_api_server(name, text, faults):
    assert [fault for fault, believed in causes({name: text}) if believed] == faults


# The words of checkConnection() in startup.go, which asks until it is answered
@pytest.mark.parametrize(
    "said",
    [
        (
            'Hit error connecting to datastore - retry error=Get "https://10.96.0.1:443/api/v1/nodes/foo": dial tcp '
            "10.96.0.1:443: connect: connection refused"
        ),
        "Connection to the datastore is unauthorized error=connection is unauthorized: Unauthorized",
    ],
)
def test_what_a_start_complained_of_is_over_when_the_datastore_is_verified(said):
    complaint = f"2025-04-24 10:00:00.000 [WARNING][9] startup/startup.go 469: {said}\n"
    verified = "2025-04-24 10:00:10.000 [INFO][9] startup/startup.go 454: Datastore connection verified\n"
    assert any(believed for _fault, believed in causes({"calico-node.log": complaint}))
    assert causes({"calico-node.log": f"{complaint}{verified}"}) == []
    assert any(believed for _fault, believed in causes({"calico-node.log": f"{verified}{complaint}"}))


def test_a_flannel_that_started_since_has_an_interface():
    later = "I1021 09:59:08.878686       1 main.go:246] Created subnet manager: Kubernetes Subnet Manager - n157\n"
    assert causes({"kube-flannel.log": NO_INTERFACE}) == [("autodetection_found_nothing", True)]
    assert ("autodetection_found_nothing", True) not in causes({"kube-flannel.log": f"{NO_INTERFACE}{later}"})
