# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node and the fabric are made of."""

from __future__ import annotations

import json

import pytest
import yaml

from lab import bird_config, datastore, fabric, node, topology

PLAN = topology.plan("two_subnets", 4)


def specification(name="node-2", plan=PLAN):
    planned = plan.node(name)
    bird = bird_config.render(datastore.seen_by(datastore.registered(plan), name), name)
    return node.specification(plan, planned, bird, "ssh-ed25519 KEY", "HOST KEY")


@pytest.fixture
def files():
    return {file.path: file for file in specification().files}


def test_it_travels_as_json():
    for each in (specification(), fabric.specification(PLAN)):
        assert json.loads(json.dumps(each._asdict()))["hostname"] == each.name


def test_calicos_files_are_where_calico_has_them(files):
    assert files["/var/lib/calico/nodename"].text == "node-2"
    assert files["/var/lib/calico/mtu"].text == "1500"
    conflist = json.loads(files["/etc/cni/net.d/10-calico.conflist"].text)
    assert [plugin["type"] for plugin in conflist["plugins"]] == ["calico", "portmap"]
    assert yaml.safe_load(files["/etc/cni/net.d/calico-kubeconfig"].text)["current-context"] == "calico-context"


def test_birds_files_are_not_where_the_host_would_look(files):
    assert "/opt/calico-node/etc/calico/confd/config/bird.cfg" in files
    assert not [path for path in files if path.startswith("/etc/calico/confd")]


def test_bird_runs_as_in_calico_node(files):
    run = files["/etc/service/enabled/bird/run"]
    assert run.mode == 0o755
    assert "exec bird -R -s /var/run/calico/bird.ctl -d -c /etc/calico/confd/config/bird.cfg" in run.text
    for variable in ("NODENAME=node-2", "CALICO_NETWORKING_BACKEND=bird", "IP=autodetect", "CLUSTER_TYPE=k8s,bgp"):
        assert variable in run.text
    assert "svlogd -ttt /var/log/calico/bird" in files["/etc/service/enabled/bird/log/run"].text


def test_a_process_in_confds_place_sees_what_bird_sees(files):
    bird, confd = (files[f"/etc/service/enabled/{name}/run"].text for name in ("bird", "confd"))
    assert "exec /run/calico-node/confd infinity" in confd
    assert confd.count("mount --bind /opt/calico-node/etc/calico /etc/calico") == 1
    assert bird.partition("env -i ")[2].partition("unshare")[0] == confd.partition("env -i ")[2].partition("unshare")[0]


def test_secrets_of_the_machine_are_its_own(files):
    assert files["/etc/ssh/ssh_host_ed25519_key"].mode == 0o600
    assert files["/root/.ssh/authorized_keys"].mode == 0o600


def test_no_chronyd_touches_the_clock(files):
    assert "chronyd -x" in files["/etc/service/enabled/chronyd/run"].text
    run = next(file for file in fabric.specification(PLAN).files if file.path.endswith("chronyd/run"))
    assert "chronyd -x" in run.text


def test_the_network_is_the_plans():
    host = specification().network[0].lines
    assert "address add 10.200.1.10/24 brd + dev eth0" in host
    assert "route add default via 10.200.1.254 dev eth0" in host


def test_the_fabric_has_a_bridge_and_an_address_per_subnet():
    lines = fabric.specification(PLAN).network[0].lines
    for subnet in PLAN.topology.subnets:
        assert f"link add {subnet.name} type bridge" in lines
        assert f"address add {subnet.gateway}/24 brd + dev {subnet.name}" in lines
    assert "route add 10.244.2.0/26 via 10.200.1.10" in lines


def test_a_small_lab_finds_its_neighbours_by_itself():
    assert node.neighbours(PLAN) == ""
    assert node.neighbours(PLAN, PLAN.nodes[0]) == ""


def test_a_big_lab_spares_the_hosts_neighbour_table():
    plan = topology.plan("two_subnets", 50)
    own = node.neighbours(plan, plan.nodes[0]).splitlines()
    assert len(own) == 24
    assert own[0].endswith("dev eth0 nud stale extern_learn")
    assert not any(f" {plan.nodes[0].address} " in line for line in own)
    assert len(node.neighbours(plan).splitlines()) == 50
