# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import socket
import time

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts import (
    bgp,
    chrony,
    firewall,
    mtu,
    node,
    options,
)
from ansible_collections.netmedic.calico.plugins.module_utils._host import links, netlink

QUIET = {"probe": False, "timeout": 1}


@pytest.fixture(autouse=True)
def no_firewall(monkeypatch):
    """This machine's own rules are nobody's business here."""
    monkeypatch.setattr(firewall, "gather", lambda params, sources, *rest: sources.ok("rules") or {})


def params(bird_server, **more):
    return dict(QUIET, bird_socket=bird_server.path, bird6_socket=bird_server.path + "6", **more)


def gather(given, tmp_path, parts=node.PARTS):
    (tmp_path / "proc").mkdir(exist_ok=True)
    return node.gather(given, parts, str(tmp_path), str(tmp_path / "proc"))


def statuses(facts):
    return {entry["source"]: entry["status"] for entry in facts["sources"]}


def test_all_parts_are_stamped_and_plain_data(bird_server, tmp_path):
    facts = gather(params(bird_server.play("healthy")), tmp_path)

    assert set(facts) == {"calico_" + part for part in node.PARTS}
    assert json.loads(json.dumps(facts)) == facts
    for part in facts.values():
        assert part["schema"] == 1
        assert time.strptime(part["taken_at"], "%Y-%m-%dT%H:%M:%SZ")
        assert part["sources"]
    assert facts["calico_bgp"]["daemons"]["ipv4"]["peers"]["established"] == 1
    assert facts["calico_node"]["bgp_addresses"] == {"ipv4": "10.200.0.9"}


@pytest.mark.parametrize("part", node.PARTS)
def test_each_part_can_be_had_alone(bird_server, tmp_path, part):
    facts = gather(params(bird_server.play("healthy")), tmp_path, (part,))

    assert list(facts) == ["calico_" + part]
    assert facts["calico_" + part]["sources"]


def test_the_clock_needs_no_bird(bird_server, tmp_path):
    gather(params(bird_server.play("healthy")), tmp_path, ("chrony",))

    assert bird_server.commands == []


def test_peers_in_trouble_are_looked_at_and_those_asked_for(bird_server, tmp_path):
    facts = gather(
        params(bird_server.play("mixed"), peers=["192.0.2.99", "nonsense", "10.200.0.9"]), tmp_path, ("bgp",)
    )

    troubled = {entry["peer"] for entry in facts["calico_bgp"]["daemons"]["ipv4"]["troubled"] if entry["state"] != "up"}
    looked_at = {entry["peer"] for entry in facts["calico_bgp"]["peer_reachability"]}
    assert "192.0.2.99" in looked_at
    assert "10.200.0.2" in looked_at & troubled
    # Its session is established: nothing there needs a probe.
    assert "10.200.0.9" not in looked_at
    assert "nonsense" not in looked_at
    assert facts["calico_bgp"]["probes"] == []
    assert statuses(facts["calico_bgp"])["probes"] == "absent"


def test_one_part_that_breaks_costs_no_other(bird_server, tmp_path, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("surprise")

    for module in (mtu, chrony):
        monkeypatch.setattr(module, "gather", broken)

    facts = gather(params(bird_server.play("healthy")), tmp_path)

    assert statuses(facts["calico_mtu"])["mtu_facts"] == "failed"
    assert statuses(facts["calico_chrony"])["chrony_facts"] == "failed"
    assert "surprise" in json.dumps(facts["calico_mtu"]["sources"])
    assert facts["calico_bgp"]["daemons"]["ipv4"]["running"]


def test_bgp_that_breaks_costs_no_other(bird_server, tmp_path, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("surprise")

    monkeypatch.setattr(bgp, "gather", broken)

    facts = gather(params(bird_server), tmp_path)

    assert statuses(facts["calico_bgp"])["bgp_facts"] == "failed"
    assert facts["calico_node"]["hostname"]
    assert facts["calico_mtu"]["interfaces"] is not None


@pytest.mark.parametrize("where", [netlink.Netlink, links.read])
def test_without_netlink_the_rest_is_there(bird_server, tmp_path, monkeypatch, where):
    def refuse(*args, **kwargs):
        raise OSError(93, "Protocol not supported")

    if where is links.read:
        monkeypatch.setattr(links, "read", refuse)
    else:
        monkeypatch.setattr(netlink, "Netlink", refuse)

    facts = gather(params(bird_server.play("healthy")), tmp_path)

    assert statuses(facts["calico_node"])["netlink"] == "failed"
    assert facts["calico_mtu"]["configured"] == {}
    assert facts["calico_bgp"]["daemons"]["ipv4"]["peers"]["total"] == 1


def test_a_pass_that_takes_too_long_leaves_out_what_may_take_long(bird_server, tmp_path, monkeypatch):
    monkeypatch.setattr(node, "_PASS_SECONDS", -1.0)

    facts = gather(params(bird_server.play("healthy")), tmp_path)

    assert statuses(facts["calico_firewall"]) == {"firewall_facts": "failed"}
    assert facts["calico_chrony"]["service"]
    assert facts["calico_node"]["hostname"]
    assert facts["calico_node"]["host"]["kubelet"]
    assert facts["calico_bgp"]["daemons"]["ipv4"]["running"]


def test_no_socket_is_left_open(bird_server, tmp_path, monkeypatch):
    opened = []

    class Counted(socket.socket):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            opened.append(self)

    monkeypatch.setattr(socket, "socket", Counted)
    gather(params(bird_server.play("mixed")), tmp_path)

    ours = [each for each in opened if each.family == socket.AF_NETLINK]
    assert len(ours) == 1
    assert all(each.fileno() == -1 for each in ours)


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("timeout", 0, True),
        ("probe_timeout", -1.0, True),
        ("probe_rate", 0, True),
        ("log_window", 1, False),
        ("peers", ["10.200.0.300"], True),
        ("peers", ["10.200.0.9", "fd00::9"], False),
        ("peers", ["fe80::1%eth0"], False),
        ("peers", None, False),
    ],
)
def test_options_out_of_range_are_named(name, value, wrong):
    message = options.out_of_range({name: value})

    assert bool(message) == wrong
    assert not wrong or name in message


def test_a_modules_options_are_its_own_copy():
    options.spec("timeout")["timeout"]["default"] = 99

    assert options.spec("timeout") == {"timeout": {"type": "int", "default": 5}}
