# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nobody told is no evidence: parts of what a healthy node told blame nobody."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, read
from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster import from_bundle, objects
from ansible_collections.netmedic.calico.plugins.plugin_utils._raw import script
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.kube import Kube

MARK = "-0123456789abcdef0123456789abcdef"
HEALTHY = script.cut(
    (Path(__file__).parents[1] / "_raw" / "recorded" / "healthy" / "output.txt").read_text(encoding="utf-8"), MARK
).texts
NAMES = ("node-1", "node-2")


def blamed(texts):
    """The faults above info that a bundle of these texts is told to have, but that it is not known."""
    told, now = evidence.evidence(read.sort(texts))
    found = analyse(told, now)["findings"]
    return {item["fault"] for item in found if item["severity"] != "info"} - {"undetermined"}


def taken(names, nodes=NAMES):
    return {f"nodes/{node}/{name}": HEALTHY[name] for node in nodes for name in names}


@pytest.mark.parametrize("nodes", [NAMES[:1], NAMES], ids=["one node", "two nodes"])
@pytest.mark.parametrize("number", [1, 2])
def test_some_texts_of_a_healthy_node_blame_nobody(number, nodes):
    wrong = {
        names: found
        for names in itertools.combinations(sorted(HEALTHY), number)
        # Two nodes with the same addresses are a fault of their own.
        if (found := blamed(taken(names, nodes)) - {"duplicate_node_ip", "duplicate_router_id"})
    }
    assert wrong == {}


@pytest.mark.parametrize("name", sorted(HEALTHY))
def test_what_is_missing_of_a_healthy_nodes_texts_blames_nobody(name):
    assert blamed(taken(set(HEALTHY) - {name}, NAMES[:1])) == set()


@pytest.mark.parametrize("kind", ["nodes", "pods", "daemonsets", "ippools", "blockaffinities", "clusterinformations"])
def test_objects_of_one_kind_blame_nobody(kind):
    found = Kube({"node-1": "10.0.0.9", "node-2": "10.0.0.10"}).objects[kind]
    told = json.dumps({"apiVersion": "v1", "kind": "List", "items": found})
    assert blamed({f"cluster/{kind}.json": told}) == set()


PROCESSES = """\
  PID COMMAND
{first}    900 /usr/bin/containerd
   1200 /usr/local/bin/felix
"""
MORE = "".join(f"   13{number:02} /usr/bin/app\n" for number in range(12))


@pytest.mark.parametrize(
    ("first", "more", "told"),
    [("", MORE, None), ("      1 /sbin/init\n", MORE, False), ("      1 /sbin/init\n", "", None)],
)
def test_only_a_list_of_all_processes_tells_who_does_not_run(first, more, told):
    texts = {
        "processes.txt": PROCESSES.format(first=first) + more,
        "uname.txt": "Linux a 6.1.0 #1 SMP x86_64 GNU/Linux\n",
    }
    found, _now = evidence.evidence(read.sort({f"nodes/a/{name}": text for name, text in texts.items()}))
    clock = found.nodes["a"].clock
    assert (clock.running if clock else None) is told
    assert found.nodes["a"].processes_listed is (told is False)


def test_a_configuration_alone_does_not_tell_whether_bird_runs():
    found, _now = evidence.evidence(read.sort(taken(["bird.cfg"], NAMES[:1])))
    (daemon,) = found.nodes["node-1"].daemons.values()
    assert daemon.running is None
    assert daemon.socket_state == ""


def test_a_client_that_was_refused_tells_that_no_bird_runs():
    said = "Unable to connect to server control socket (/var/run/calico/bird.ctl): Connection refused\n"
    assert blamed({**taken(["bird.cfg"], NAMES[:1]), "nodes/node-1/birdcl-status.txt": said}) == {"bird_not_running"}


PODS = """\
NAMESPACE     NAME                READY   STATUS    RESTARTS   AGE   IP          NODE     NOMINATED NODE   READINESS GATES
kube-system   calico-node-aaaaa   1/1     Running   0          1d    {first}      node-1   <none>           <none>
kube-system   calico-node-bbbbb   1/1     Running   0          1d    {second}      node-2   <none>           <none>
"""  # noqa: E501 - as it is printed


@pytest.mark.parametrize("addresses", [("<none>", "<none>"), ("10.0.0.9", "10.0.0.10")])
def test_a_pod_without_an_address_is_one_that_is_told_to_have_none(addresses):
    text = PODS.format(first=addresses[0], second=addresses[1])
    cluster = objects.read(from_bundle.fact({"cluster/pods.txt": text}, ""))
    assert [pod.addressless for pod in cluster.pods] == [one == "<none>" for one in addresses]
    expected = {"node_has_no_internal_ip"} if "<none>" in addresses else set()
    assert blamed({"cluster/pods.txt": text}) == expected
