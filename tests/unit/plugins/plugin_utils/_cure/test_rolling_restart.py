# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role rolling_restart does: who, in which order, up to which rung, and when it goes on."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts.packing import pack
from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue.bgp_ports import PORT_LISTEN_CHANGED
from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue.bird_confd import (
    BIRD_HUNG,
    BIRD_NOT_RUNNING,
    BIRD_RELOAD_STUCK,
    PORT179_CONFLICT,
)
from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue.cni_token import CNI_TOKEN_EXPIRED
from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster.model import (
    CalicoNode,
    Cluster,
    Condition,
    Container,
    ContainerState,
    KubeNode,
    Pod,
    Webhook,
    Workload,
)
from ansible_collections.netmedic.calico.plugins.plugin_utils._cure import rolling_restart
from ansible_collections.netmedic.calico.plugins.plugin_utils._cure.model import Given

RUNGS = ("reload", "protocol", "bird", "pod")


def ask(mesh, host="", cluster=None, **options):
    evidence = mesh.evidence()
    if cluster is not None:
        evidence = dataclasses.replace(evidence, cluster=cluster)
    missing = {one.name: one.why for one in mesh.missing}
    hosts = (*mesh.facts, *missing)
    return rolling_restart.changes(
        Given(host, hosts, mesh.facts, {}, evidence, missing, {"max_unavailable": 1, "to": "pod", **options})
    )


def step(mesh, rung, host="node-2", taken=(), cluster=None, **options):
    sessions = ask(mesh, cluster=cluster, **options).more["sessions"].get(host, [])
    chosen = {"stage": "step", "rung": rung, "taken": list(taken), "sessions": sessions}
    return ask(mesh, host, cluster, **{**chosen, **options})


def api(mesh, zones=(), reflectors=(), **more):
    names = list(mesh.facts)
    ready = (Condition("Ready", "True"),)
    zone = {name: {"topology.kubernetes.io/zone": where} for name, where in zip(names, zones, strict=False)}
    pods = [
        Pod("kube-system", f"calico-node-{name}", "calico-node", name, owner="DaemonSet/calico-node", uid=f"uid-{name}")
        for name in names
    ]
    told = {
        "nodes": {name: KubeNode(name, labels=zone.get(name, {}), conditions=ready) for name in names},
        "calico_nodes": {
            name: CalicoNode(
                name,
                f"{mesh.addresses[name]}/24",
                route_reflector_cluster_id="244.0.0.1" if name in reflectors else "",
            )
            for name in names
        },
        "pods": tuple(pods),
    }
    return Cluster(True, **{**told, **more})


def hang(mesh, name="node-2"):
    daemon = mesh.daemon(name)
    daemon.update(socket_state="no_answer", start_ticks=4711)
    del daemon["peers"], daemon["troubled"]


def stop(mesh, name="node-2"):
    config = {"path": "/etc/calico/confd/config/bird.cfg", "local_address": mesh.addresses[name]}
    mesh.bgp(name)["daemons"]["ipv4"] = {"running": False, "socket_state": "absent", "config": config}
    mesh.bgp(name)["listeners"] = []


def leave_unread(mesh, name="node-2"):
    mesh.daemon(name)["config"].update(newer_than_running=True, modified_seconds_ago=300, path="/bird.cfg")


def test_nothing_is_restarted_that_is_well(mesh):
    plan = ask(mesh, cluster=api(mesh))
    assert (plan.more["waves"], plan.says, plan.refused) == ([], [], "")


def test_a_bird_that_hangs_is_killed_and_its_sessions_are_waited_for(mesh):
    hang(mesh)
    plan = ask(mesh)
    assert plan.more["waves"] == [["node-2"]]
    assert plan.says == ["node-2: bird (process 40) hangs"]
    assert plan.more["sessions"] == {"node-2": ["10.0.0.11", "10.0.0.12", "10.0.0.9"]}
    assert [len(step(mesh, rung).changes) for rung in ("reload", "protocol")] == [0, 0]
    done = step(mesh, "bird")
    assert done.changes == [{"kind": "signal", "pid": 40, "started": 4711, "signal": "KILL"}]
    assert done.more == {"replaced": {"ipv4": 4711}}


def test_a_session_that_something_else_stops_is_not_waited_for(mesh):
    hang(mesh)
    mesh.trouble("node-3", "node-2", "Active")
    mesh.trouble("node-4", "node-2", "Active")
    mesh.block("node-3", ["node-2"])
    assert ask(mesh).more["sessions"]["node-2"] == ["10.0.0.12", "10.0.0.9"]


def test_a_bird_that_was_stopped_is_started_by_its_supervisor(mesh):
    stop(mesh)
    assert step(mesh, "bird").changes == [{"kind": "calico_service", "service": "bird", "run": "started"}]


def test_a_configuration_that_was_not_read_and_a_protocol_that_was_switched_off(mesh):
    leave_unread(mesh)
    assert step(mesh, "reload").changes == [{"kind": "bird", "family": "ipv4", "command": "configure"}]
    mesh.trouble("node-3", "node-2", "Down", state="down")
    (change,) = step(mesh, "reload", host="node-3").changes
    assert change == {"kind": "bird", "family": "ipv4", "command": "enable", "protocol": "Mesh_10_0_0_10"}


def test_each_rung_only_if_the_one_before_has_not_helped(mesh):
    leave_unread(mesh)
    mesh.break_session("node-1", "node-2")
    mesh.daemon("node-2")["start_ticks"] = 9
    sessions = ask(mesh).more["sessions"]["node-2"]
    mesh.daemon("node-2")["config"]["newer_than_running"] = False
    after = {"stage": "step", "sessions": sessions}
    (change,) = ask(mesh, "node-2", rung="protocol", taken=["reload"], **after).changes
    assert change == {"kind": "bird", "family": "ipv4", "command": "restart", "protocol": "Mesh_10_0_0_9"}
    (change,) = ask(mesh, "node-2", rung="bird", taken=["reload", "protocol"], **after).changes
    assert change["signal"] == "KILL"
    # Not beyond the last rung that is allowed, and not at all once the session is there.
    assert ask(mesh, "node-2", rung="bird", taken=["reload"], **{**after, "to": "protocol"}).changes == ()
    assert ask(mesh, "node-2", rung="bird", taken=["reload"], **{**after, "sessions": sessions[:2]}).changes == ()
    # In check mode nothing has helped yet, and what would be needed then is not known.
    assert ask(mesh, "node-2", rung="protocol", taken=["reload"], check=True, **after).changes == ()


def test_zone_after_zone_the_first_alone_and_reflectors_last(mesh):
    cluster = api(mesh, zones=("b", "a", "a", "b"))
    assert ask(mesh, cluster=cluster, force=True).more["waves"] == [["node-2"], ["node-3"], ["node-1"], ["node-4"]]
    waves = ask(mesh, cluster=cluster, force=True, max_unavailable=5).more["waves"]
    assert waves == [["node-2"], ["node-3"], ["node-1", "node-4"]]
    cluster = api(mesh, zones=("b", "a", "a", "b"), reflectors=("node-1", "node-2"))
    plan = ask(mesh, cluster=cluster, force=True, max_unavailable=5)
    assert plan.more["waves"] == [["node-3"], ["node-4"], ["node-1"], ["node-2"]]
    assert sorted(plan.more["peers"]["node-4"][:2]) == ["node-1", "node-2"]


def test_a_reflector_is_restarted_only_while_another_one_is_well(mesh):
    cluster = api(mesh, reflectors=("node-1", "node-2"))
    wish = {"cluster": cluster, "force": True, "nodes": ["node-1"]}
    assert ask(mesh, **wish, **{"from": "bird"}).refused == ""
    mesh.break_session("node-2", "node-4")
    plan = ask(mesh, **wish, **{"from": "bird"})
    assert plan.refused == "node-1: it is a route reflector, and no other one has all of its sessions"
    # What serves nobody can lose nothing.
    hang(mesh, "node-1")
    assert ask(mesh, **wish).refused == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pods": ()}, "tells of no pod of calico-node"),
        ({"nodes": {}}, "its kubelet is not Ready"),
        ({"webhooks": (Webhook("w", "w.example", "v", policy="Fail", endpoints_ready=0),)}, "the webhook w.example"),
        (
            {"calico_nodes": {name: CalicoNode(name, "10.0.0.9/24") for name in ("a", "b")}},
            "the address 10.0.0.9 is registered for 2 nodes",
        ),
    ],
)
def test_no_pod_is_deleted_that_would_not_come_again(mesh, change, words):
    wish = {"force": True, "from": "pod", "nodes": ["node-2"]}
    assert words in ask(mesh, cluster=api(mesh, **change), **wish).refused
    done = step(mesh, "pod", cluster=api(mesh), **wish)
    pod = {"namespace": "kube-system", "name": "calico-node-node-2", "uid": "uid-node-2"}
    assert done.changes == [{"action": "restart_pod", **pod}]


def test_bird_is_not_killed_where_it_would_not_start(mesh):
    hang(mesh)
    mesh.daemon("node-2")["config"].update(path="/bird.cfg", unbalanced="a brace is missing")
    plan = ask(mesh, to="bird")
    assert plan.refused == "node-2: BIRD would not start with /bird.cfg: a brace is missing"
    assert plan.more["waves"] == []


def test_an_older_image_only_where_the_daemonset_replaces_no_pods(mesh):
    agent = Workload(
        "DaemonSet",
        "kube-system",
        "calico-node",
        "calico-node",
        containers=(Container("calico-node", "node:2"),),
        strategy="OnDelete",
    )
    cluster = api(mesh, workloads=(agent,))
    pods = [
        dataclasses.replace(one, containers=(ContainerState("calico-node", image="node:2"),)) for one in cluster.pods
    ]
    pods[1] = dataclasses.replace(pods[1], containers=(ContainerState("calico-node", image="node:1"),))
    cluster = dataclasses.replace(cluster, pods=tuple(pods))
    assert ask(mesh, cluster=cluster).more["waves"] == [["node-2"]]
    rolling = dataclasses.replace(cluster, workloads=(dataclasses.replace(agent, strategy="RollingUpdate"),))
    assert ask(mesh, cluster=rolling).more["waves"] == []


def settled(mesh, name="node-2", **options):
    return ask(mesh, name, stage="settled", bgp=mesh.bgp(name), **options).refused


def test_the_next_has_its_turn_when_all_is_as_it_was(mesh):
    wanted = ["10.0.0.9", "10.0.0.11"]
    assert settled(mesh, sessions=wanted) == ""
    daemon = mesh.daemon("node-2")
    daemon["start_ticks"] = 5
    assert "the bird of before still runs" in settled(mesh, sessions=wanted, replaced={"ipv4": 5})
    assert settled(mesh, sessions=wanted, replaced={"ipv4": 4}) == ""
    # Of four peers one is down for good: the new BIRD waits for it, and nobody else should.
    mesh.trouble("node-2", "node-4", "Connect")
    daemon["graceful_restart"] = {"waiting_for": 1}
    assert settled(mesh, sessions=wanted) == ""
    daemon["graceful_restart"] = {"waiting_for": 2}
    assert "has not heard all of its peers' routes yet" in settled(mesh, sessions=wanted)
    assert "no session with 10.0.0.12" in settled(mesh, sessions=["10.0.0.12"])
    assert settled(mesh, sessions=["10.0.0.12"], check=True) == ""
    hang(mesh)
    assert "bird does not answer" in settled(mesh, sessions=[])


def test_the_peers_are_asked_too(mesh):
    told = {"rolling_restart_peer": "node-1", "ansible_facts": {"calico_bgp": mesh.bgp("node-1")}}
    wish = {"addresses": ["10.0.0.10"], "heard": [told]}
    assert ask(mesh, stage="peers", bgp=mesh.bgp("node-1"), **wish).refused == ""
    assert ask(mesh, "node-2", stage="heard", **wish).refused == ""
    mesh.trouble("node-1", "node-2", "Active")
    assert ask(mesh, stage="peers", bgp=mesh.bgp("node-1"), **wish).refused != ""
    assert ask(mesh, "node-2", stage="heard", **wish).refused.startswith("node-1 still has no session with node-2.")


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"from": "pod", "to": "bird"}, "comes after rolling_restart_to=bird"),
        ({"to": "node"}, "rolling_restart_to knows reload, protocol, bird, pod, not node"),
        ({"max_unavailable": 0}, "a number from 1 on, not 0"),
    ],
)
def test_contradictory_wishes_are_refused(mesh, wish, words):
    with pytest.raises(ValueError, match=words):
        ask(mesh, **wish)


def test_nodes_that_are_unknown_or_unread_are_named(mesh):
    lost = ask(mesh, nodes=["node-9"])
    assert lost.refused.startswith("rolling_restart_nodes names node-9")
    assert (lost.more["waves"], lost.more["api"]) == ([], True)
    mesh.lose("node-3")
    plan = ask(mesh, nodes=["node-3"], force=True)
    assert plan.more["waves"] == []
    assert plan.says[0].startswith("node-3: nothing is done, for it told nothing")


def remedies(mesh, fault, cluster=None):
    evidence = dataclasses.replace(mesh.evidence(), cluster=cluster)
    return [fault.fix.remedy(evidence, subject) for subject in fault.subjects(evidence)]


def rungs(first, last):
    return {"rolling_restart_from": first, "rolling_restart_to": last}


def test_which_faults_a_restart_repairs(mesh):
    hang(mesh)
    (one,) = remedies(mesh, BIRD_HUNG)
    assert (one.role, one.variables, one.hosts) == ("rolling_restart", rungs("bird", "bird"), ("node-2",))
    mesh.daemon("node-2")["config"]["unbalanced"] = "a brace"
    assert remedies(mesh, BIRD_HUNG) == [None]
    leave_unread(mesh, "node-3")
    (one,) = remedies(mesh, BIRD_RELOAD_STUCK)
    assert one.variables == rungs("reload", "reload")


def test_a_bird_that_its_configuration_stops_is_not_started(mesh):
    stop(mesh)
    assert [one.variables for one in remedies(mesh, BIRD_NOT_RUNNING)] == [rungs("bird", "bird")]
    assert [one.variables for one in remedies(mesh, BIRD_NOT_RUNNING, api(mesh))] == [rungs("bird", "pod")]
    mesh.bgp("node-2")["log"] = [{"kind": "config_error", "text": "bird.cfg:9 syntax error"}]
    assert remedies(mesh, BIRD_NOT_RUNNING) == [None]


def test_bird_listens_again_once_the_port_is_free(mesh):
    mesh.trouble("node-2", "node-1", "Down", "No listening socket", state="down")
    mesh.bgp("node-2")["listeners"] = []
    assert [one.variables for one in remedies(mesh, PORT179_CONFLICT)] == [rungs("reload", "reload")]
    assert step(mesh, "reload").changes == [{"kind": "bird", "family": "ipv4", "command": "configure"}]
    mesh.bgp("node-2")["listeners"] = [{"address": "0.0.0.0", "port": 179, "pid": 7, "process": "speaker"}]
    assert remedies(mesh, PORT179_CONFLICT) == [None]
    assert step(mesh, "reload").changes == ()


@pytest.mark.parametrize(("port", "cured"), [(1790, True), (179, False)])
def test_a_new_bird_takes_the_new_port_where_its_peers_dial_that(mesh, port, cured):
    mesh.daemon("node-2")["config"].update(path="/bird.cfg", listen_port=1790)
    mesh.trouble("node-2", "node-1", "Passive")
    mesh.trouble("node-1", "node-2", "Connect", "Socket: Connection refused", port=port)
    found = [one for one in remedies(mesh, PORT_LISTEN_CHANGED) if one is not None]
    assert [one.variables for one in found] == ([rungs("bird", "bird")] if cured else [])
    assert "listens on port 179" in ask(mesh, nodes=["node-2"]).says[0]


def test_the_pod_whose_token_is_past_its_end(mesh):
    mesh.facts["node-2"]["calico_node"]["host"] = {"cni": {"token_expires_in_seconds": -60}}
    assert remedies(mesh, CNI_TOKEN_EXPIRED) == [None]
    assert [one.variables for one in remedies(mesh, CNI_TOKEN_EXPIRED, api(mesh))] == [rungs("pod", "pod")]
    assert ask(mesh, cluster=api(mesh)).says == ["node-2: the CNI plugin's token is past its end"]


def test_established_peers_are_kept_but_for_those_that_the_file_no_longer_has(mesh):
    leave_unread(mesh)
    mesh.daemon("node-2")["config"]["only_running"] = ["Mesh_10_0_0_12"]
    assert ask(mesh).more["sessions"]["node-2"] == ["10.0.0.11", "10.0.0.9"]
    mesh.daemon("node-2")["peers"]["packed"]["Global"] = pack(["192.0.2.1"])
    assert "192.0.2.1" in ask(mesh).more["sessions"]["node-2"]
