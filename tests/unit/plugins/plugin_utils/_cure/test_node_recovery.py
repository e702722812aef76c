# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which node is the bad one, and when it is left alone."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster.model import (
    CalicoNode,
    Cluster,
    Condition,
    KubeNode,
    Pod,
)
from ansible_collections.netmedic.calico.plugins.plugin_utils._cure import node_recovery
from ansible_collections.netmedic.calico.plugins.plugin_utils._cure.model import Given

PLANE = {"node-role.kubernetes.io/control-plane": ""}


def api(mesh, plane=(), not_ready=(), unready_pods=(), reflectors=(), cordoned=()):
    names = list(mesh.facts)
    return Cluster(
        True,
        nodes={
            name: KubeNode(
                name,
                labels=PLANE if name in plane else {},
                conditions=(Condition("Ready", "False" if name in not_ready else "True"),),
                unschedulable=name in cordoned,
            )
            for name in names
        },
        calico_nodes={
            name: CalicoNode(
                name,
                f"{mesh.addresses[name]}/24",
                route_reflector_cluster_id="244.0.0.1" if name in reflectors else "",
            )
            for name in names
        },
        pods=tuple(
            Pod("kube-system", f"pod-{name}", "calico-node", name, ready=name not in unready_pods, uid=f"uid-{name}")
            for name in names
        ),
    )


def ask(mesh, cluster, host="", **options):
    evidence = dataclasses.replace(mesh.evidence(), cluster=cluster)
    missing = {one.name: one.why for one in mesh.missing}
    wishes = {"bundle_dir": "/var/lib/bundle", **options}
    return node_recovery.changes(Given(host, (*mesh.facts, *missing), mesh.facts, {}, evidence, missing, wishes))


def hang(mesh, name="node-2"):
    daemon = mesh.daemon(name)
    daemon.update(socket_state="no_answer", start_ticks=4711)
    del daemon["peers"], daemon["troubled"]


def test_where_all_is_well_nothing_is_done_also_to_a_node_that_is_named(mesh):
    for wish in ({}, {"node": "node-2"}):
        done = ask(mesh, api(mesh), **wish)
        assert (done.more["node"], done.refused) == ("", "")


def test_the_one_bad_node_is_found_cordoned_and_gets_another_pod(mesh):
    hang(mesh)
    done = ask(mesh, api(mesh))
    assert done.refused == ""
    assert done.more["node"] == "node-2"
    assert done.more["cordon"] == [{"action": "cordon", "name": "node-2"}]
    pod = {"namespace": "kube-system", "name": "pod-node-2", "uid": "uid-node-2"}
    assert done.more["restart"] == [{"action": "restart_pod", **pod}]
    assert done.more["sessions"] == ["10.0.0.11", "10.0.0.12", "10.0.0.9"]
    assert done.more["replaced"] == {"ipv4": 4711}
    assert len(done.says) == 1
    assert "stays so" in ask(mesh, api(mesh, cordoned=["node-2"])).says[1]


def test_a_pod_that_is_not_ready_for_want_of_sessions_is_no_reason(mesh):
    assert ask(mesh, api(mesh, unready_pods=["node-2"])).more["node"] == "node-2"
    for peer in ("node-1", "node-3", "node-4"):
        mesh.break_session("node-2", peer)
    assert ask(mesh, api(mesh, unready_pods=["node-2"])).more["node"] == ""


@pytest.mark.parametrize(
    ("cluster", "wish", "words"),
    [
        ({}, {"bundle_dir": ""}, "give node_recovery_bundle_dir"),
        ({}, {"node": "node-9"}, "node_recovery_node names node-9"),
        ({"not_ready": ["node-3"]}, {"node": "node-2"}, "not only node-2 is in trouble, but node-3"),
        ({"plane": ["node-2"]}, {}, "the only node of the control plane"),
        ({"plane": ["node-1", "node-2"], "reflectors": []}, {}, ""),
        ({"not_ready": ["node-2"]}, {}, "its pod cannot be replaced, for its kubelet is not Ready"),
        ({"not_ready": ["node-2"]}, {"reboot": True}, ""),
    ],
)
def test_what_would_make_it_worse_is_refused(mesh, cluster, wish, words):
    hang(mesh)
    done = ask(mesh, api(mesh, **cluster), **wish)
    assert words in done.refused
    assert bool(done.refused) == bool(words)
    assert bool(done.more["node"]) != bool(words)


def test_a_reflector_that_still_serves_needs_a_partner(mesh):
    mesh.break_session("node-1", "node-4")
    cluster = api(mesh, reflectors=["node-1", "node-2"], unready_pods=["node-2"])
    assert ask(mesh, cluster).refused == (
        "node-2: its pod cannot be replaced, for it is a route reflector, and no other one has all of its sessions"
    )


def test_without_the_api_or_the_node_it_says_so(mesh):
    hang(mesh)
    assert "the Kubernetes API was not asked" in ask(mesh, None).refused
    mesh.lose("node-3")
    assert ask(mesh, None, node="node-3").refused.startswith("node-3 cannot be read (unreachable: timed out).")


def test_it_stays_cordoned_until_it_is_well(mesh):
    def settled(**wish):
        told = {"stage": "settled", "bgp": mesh.bgp("node-2"), "sessions": ["10.0.0.9"], **wish}
        return ask(mesh, None, "node-2", **told).refused

    assert settled() == ""
    mesh.trouble("node-2", "node-1", "Connect")
    assert "no session with 10.0.0.9. A reboot may help" in settled()
    assert "A reboot" not in settled(reboot=True)
    assert "It stays cordoned." in settled(reboot=True)
