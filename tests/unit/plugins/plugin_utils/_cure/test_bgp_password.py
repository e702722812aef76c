# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role bgp_password does with secrets, and what it leaves to a person."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._object_change import planning
from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue.faults import BY_ID
from ansible_collections.netmedic.calico.plugins.plugin_utils._cure import bgp_password
from ansible_collections.netmedic.calico.plugins.plugin_utils._cure.model import Given

SYSTEM, OPERATORS = "kube-system", "calico-system"
SECRET = {"name": "bgp", "exists": True, "keys": ["password"], "readable": True, "why": ""}
REFERENCE = {"secretKeyRef": {"name": "bgp", "key": "password"}}
COPY = {
    "action": "copy_secret",
    "from": {"namespace": SYSTEM, "name": "bgp"},
    "to": {"namespace": OPERATORS, "name": "bgp"},
    "keys": ["password"],
}


def allow(namespace, name="bgp"):
    return {"action": "allow_secret", "namespace": namespace, "name": name, "service_account": "calico-node"}


@pytest.fixture
def kube(kube):
    kube.status["bgppeers"] = "ok"
    kube.objects["bgppeers"] = []
    return kube


def put(kube, kind, name, **spec):
    plural = {"BGPPeer": "bgppeers", "BGPConfiguration": "bgpconfigurations"}[kind]
    kube.objects[plural].append({"kind": kind, "metadata": {"name": name}, "spec": spec})


def mesh_password(kube, *secrets, operator=False):
    put(kube, "BGPConfiguration", "default", nodeMeshPassword=REFERENCE)
    kube.more["secrets"] = [{**SECRET, **one} for one in secrets]
    if operator:
        moved_by_operator(kube)


def moved_by_operator(kube):
    kube.objects["daemonsets"][0]["metadata"]["namespace"] = OPERATORS
    kube.template()["containers"][0]["env"].append({"name": "NAMESPACE", "value": OPERATORS})


def told(mesh, kube):
    return dataclasses.replace(mesh.evidence(), cluster=kube.cluster())


def decide(mesh, kube, **options):
    evidence = told(mesh, kube)
    done = bgp_password.changes(Given("", tuple(mesh.addresses), mesh.facts, {}, evidence, {}, options))
    for one in done.changes:
        assert planning.trouble(one) == ""
    return done


def test_nothing_is_done_where_all_is_read(mesh, kube):
    mesh_password(kube, {"namespace": SYSTEM})
    assert decide(mesh, kube).as_dict() == {"changes": [], "says": [], "refused": "", "expect": [], "ask": False}


def test_what_may_not_be_read_is_allowed(mesh, kube):
    mesh_password(kube, {"namespace": SYSTEM, "readable": False})
    done = decide(mesh, kube)
    assert done.changes == [allow(SYSTEM)]
    assert done.says == ["calico-node in kube-system allowed to get, list and watch the secret kube-system/bgp"]
    # Whether it exists this account may not even ask; calico-node may not either, which is known.
    kube.more["secrets"] = [{**SECRET, "namespace": SYSTEM, "exists": None, "keys": [], "readable": False}]
    assert decide(mesh, kube).changes == [allow(SYSTEM)]


def test_what_was_left_behind_is_copied(mesh, kube):
    behind = {"namespace": SYSTEM, "readable": None}
    mesh_password(kube, {"namespace": OPERATORS, "exists": False, "keys": [], "readable": False}, behind, operator=True)
    assert decide(mesh, kube).changes == [COPY, allow(OPERATORS)]
    kube.more["secrets"][0].update(exists=True, keys=["other"], readable=True)
    assert decide(mesh, kube).changes == [COPY]
    # The right one of two is not guessed.
    kube.more["secrets"].append({**SECRET, "namespace": "bgp"})
    done = decide(mesh, kube)
    assert (done.changes, "bgp_password_from" in done.refused) == ([], True)
    assert decide(mesh, kube, **{"from": SYSTEM}).changes == [COPY]


def test_a_place_of_the_callers_own(mesh, kube):
    mesh_password(kube, {"namespace": SYSTEM})
    assert decide(mesh, kube, namespace=OPERATORS).changes == [COPY, allow(OPERATORS)]


def test_while_two_daemonsets_are_there_both_places_count(mesh, kube):
    old = kube.objects["daemonsets"][0]
    new = {**old, "metadata": {**old["metadata"], "namespace": OPERATORS}}
    kube.objects["daemonsets"].append(new)
    mesh_password(kube, {"namespace": SYSTEM}, {"namespace": OPERATORS, "exists": False, "keys": [], "readable": False})
    assert decide(mesh, kube).changes == []  # without NAMESPACE confd looks in kube-system from anywhere
    template = {
        **kube.template(),
        "containers": [{"name": "calico-node", "env": [{"name": "NAMESPACE", "value": OPERATORS}]}],
    }
    new["spec"] = {"template": {**old["spec"]["template"], "spec": template}}
    assert decide(mesh, kube).changes == [COPY, allow(OPERATORS)]


@pytest.mark.parametrize(
    ("told", "words", "line"),
    [
        ({"exists": False, "keys": []}, "does not exist", "| kubectl apply -f -"),
        ({"keys": ["other"]}, 'has no key "password"', "| kubectl patch secret bgp -n kube-system"),
    ],
)
def test_a_password_that_is_nowhere_is_a_persons(mesh, kube, told, words, line):
    mesh_password(kube, {"namespace": SYSTEM, **told})
    done = decide(mesh, kube)
    assert (done.changes, words in done.refused) == ([], True)
    (made,) = [one for one in done.says if one.startswith("kubectl create secret")]
    assert "--from-file=password=bgp-password --dry-run=client" in made
    assert line in made


def peers(kube, mine, theirs):
    """node-1 and node-2 by a BGPPeer from each side; what they refer to."""
    put(kube, "BGPConfiguration", "default", nodeToNodeMeshEnabled=False)
    for name, node, peer, password in (("a", "node-1", "10.0.0.10", mine), ("b", "node-2", "10.0.0.9", theirs)):
        put(kube, "BGPPeer", name, node=node, peerIP=peer, asNumber=64512, password=password)


def test_one_side_refers_to_what_is_not_there(mesh, kube):
    peers(kube, {"secretKeyRef": {"name": "bgp", "key": "typo"}}, REFERENCE)
    kube.more["secrets"] = [{**SECRET, "namespace": SYSTEM}]
    (change,) = decide(mesh, kube).changes
    assert (change["action"], change["kind"], change["name"]) == ("patch", "BGPPeer", "a")
    assert change["patch"] == {"spec": {"password": REFERENCE}}
    assert change["expect"] == {"spec": {"password": {"secretKeyRef": {"name": "bgp", "key": "typo"}}}}


def test_nobody_knows_which_of_two_is_right(mesh, kube):
    peers(kube, REFERENCE, {"secretKeyRef": {"name": "other", "key": "password"}})
    kube.more["secrets"] = [{**SECRET, "namespace": SYSTEM}, {**SECRET, "name": "other", "namespace": SYSTEM}]
    assert decide(mesh, kube).changes == []
    kube.objects["bgppeers"][1]["spec"].pop("password")
    kube.more["secrets"][0]["keys"] = ["x"]
    done = decide(mesh, kube)
    assert (done.changes, bool(done.refused)) == ([], True)


def test_a_router_that_has_no_password_keeps_its_session(mesh, kube):
    put(kube, "BGPPeer", "tor", node="node-1", peerIP="10.0.0.254", asNumber=64600, password=REFERENCE)
    kube.more["secrets"] = [{**SECRET, "namespace": SYSTEM, "readable": False}]
    assert decide(mesh, kube).changes == [allow(SYSTEM)]
    packed = mesh.daemon("node-1")["peers"].setdefault("packed", {})
    packed["Node"] = {"10.0.0": "254"}
    done = decide(mesh, kube)
    assert (done.changes, "which it would lose" in done.refused) == ([], True)
    assert decide(mesh, kube, despite_sessions=True).changes == [allow(SYSTEM)]
    mesh.daemon("node-1")["config"]["password"] = "all"
    assert decide(mesh, kube).changes == [allow(SYSTEM)]


def test_without_the_api_nothing_is_done(mesh, kube):
    evidence = mesh.evidence()
    done = bgp_password.changes(Given("", tuple(mesh.addresses), mesh.facts, {}, evidence, {}, {}))
    assert (list(done.changes), done.more) == ([], {"ask": True})
    kube.status["bgppeers"] = "forbidden"
    mesh_password(kube, {"namespace": SYSTEM, "readable": False})
    assert "bgppeers" in decide(mesh, kube).refused


def test_a_secret_that_nothing_refers_to(mesh, kube):
    mesh_password(kube, {"namespace": SYSTEM, "readable": False})
    done = decide(mesh, kube, secrets=["bpg"])
    assert (done.changes, done.says) == ([], ["No BGPConfiguration and no BGPPeer refers to the secret bpg."])


def test_the_catalogue_names_the_role_where_it_can_do_something(mesh, kube):
    fault = BY_ID["bgp_password_secret_unreadable"]
    mesh_password(kube, {"namespace": SYSTEM, "readable": False})
    evidence = told(mesh, kube)
    (subject,) = fault.subjects(evidence)
    found = fault.fix.remedy(evidence, subject)
    assert (found.role, found.variables, found.hosts) == ("bgp_password", {"bgp_password_secrets": ["bgp"]}, ())
    kube.more["secrets"] = [{**SECRET, "namespace": SYSTEM, "exists": False, "keys": []}]
    evidence = told(mesh, kube)
    (subject,) = fault.subjects(evidence)
    assert fault.fix.remedy(evidence, subject) is None
    assert any(line.startswith("kubectl create secret generic bgp") for line in fault.fix.commands(evidence, subject))
