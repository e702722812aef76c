# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects that a lab's cluster begins with."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from lab import topology
from lab.api import admission, bootstrap, kinds
from lab.api.rules.validation import Schemas
from lab.api.store import Store
from lab.controller import cluster, seeding
from lab.controller.cluster.daemons import revision_hash
from lab.state import State

SCHEMAS = Path(__file__).resolve().parents[5] / "shared" / "calico" / "crds"
NAMES = [each.name for each in topology.TOPOLOGIES]


def store(schemas=None, calico="crd"):
    made = Store(kinds.served(calico))
    made.admit = admission.Admission(made, schemas)
    bootstrap.fill(made)
    return made


def seeded(tmp_path, name="one_subnet", nodes=4, **more):
    state = State(tmp_path / "lab")
    state.create()
    state.write("lab.json", {"topology": name, "nodes": nodes, "image": "", "complete": False})
    made = store(**more)
    seeding.seed(state, made)
    return made


@pytest.mark.parametrize("name", NAMES)
def test_the_same_plan_gives_the_same_objects(name):
    def identities():
        return [(each["kind"], each["metadata"]["name"], each["metadata"]["uid"]) for each in objects]

    objects = cluster.objects(topology.plan(name, 4))
    before = identities()
    objects = cluster.objects(topology.plan(name, 4))
    assert identities() == before
    assert len({uid for _kind, _name, uid in before}) == len(before)


@pytest.mark.parametrize("count", [1, 4, 30])
def test_every_node_has_its_pods_and_its_block(count):
    found = Counter(each["kind"] for each in cluster.objects(topology.plan("one_subnet", count)))
    assert found["Node"] == found["Lease"] == found["IPAMBlock"] == found["BlockAffinity"] == count
    assert found["Pod"] == 4 * count + 1 + min(2, count)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.skipif(not SCHEMAS.is_dir(), reason="Calico's schemas are not at hand")
def test_they_are_as_the_real_schemas_want_them(name, tmp_path):
    made = seeded(tmp_path, name, schemas=Schemas.load(SCHEMAS))
    assert len(made.list(made.kinds.find("nodes"))) == 4
    # With Canal addresses come from the Nodes' podCIDRs.
    assert bool(made.list(made.kinds.find("ippools"))) == (name != "canal")


def test_templates_are_what_their_pods_are_made_of_once_the_api_has_completed_them(tmp_path):
    made = seeded(tmp_path)
    daemonset = made.get(made.kinds.find("daemonsets"), "kube-system", "calico-node")
    wanted = revision_hash(daemonset)
    pods = made.list(made.kinds.find("pods"), "kube-system", labels={"k8s-app": "calico-node"})
    assert {each["metadata"]["labels"]["controller-revision-hash"] for each in pods} == {wanted}
    assert {each["metadata"]["ownerReferences"][0]["uid"] for each in pods} == {daemonset["metadata"]["uid"]}


def test_native_v3_objects(tmp_path):
    made = seeded(tmp_path, "route_reflectors", calico="native")
    (peer,) = made.list(made.kinds.find("bgppeers.projectcalico.org"))
    assert peer["apiVersion"] == "projectcalico.org/v3"


def test_the_environment_is_that_of_the_daemonset():
    plan = topology.plan("dual_stack", 2)
    found = cluster.environment(plan, plan.nodes[1])
    assert (found["NODENAME"], found["IP"], found["IP6"]) == ("node-2", "autodetect", "autodetect")
    assert found["CALICO_NETWORKING_BACKEND"] == "bird"
    assert "IP6" not in cluster.environment(topology.plan("one_subnet", 1), plan.nodes[0])


def test_the_shipped_rbac_is_bound_to_the_labs_own_subject(tmp_path):
    path = tmp_path / "rbac.yml"
    path.write_text(
        "items: [{kind: ClusterRole, metadata: {name: reader}}, {kind: Namespace, metadata: {name: netmedic}}]\n"
    )
    found = seeding.bound(seeding.shipped(path))
    assert [each["kind"] for each in found] == ["Namespace", "ClusterRole", "ClusterRoleBinding"]
    assert found[-1]["subjects"] == [{"kind": "ServiceAccount", "name": "netmedic", "namespace": "netmedic"}]
    assert seeding.shipped(tmp_path / "absent") == []
