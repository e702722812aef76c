# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The judging of what hosts told, in the shapes that listeners and probers of the kernel tests and the lab returned."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from datetime import UTC, datetime

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._preflight.masks import as_text, mask
from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.failure import failure
from ansible_collections.netmedic.calico.plugins.plugin_utils._preflight import addresses, asking, plan, read, ways
from ansible_collections.netmedic.calico.plugins.plugin_utils._preflight.judge import judge
from ansible_collections.netmedic.calico.plugins.plugin_utils._preflight.reach import Reach
from ansible_collections.netmedic.calico.plugins.plugin_utils._render.formats import FILES, Wanted, rendered
from ansible_collections.netmedic.calico.plugins.plugin_utils._render.terminal import lines

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
WAYS = ("tcp179", "tcp5473", "udp4789", "udp8472", "ipip")


class Hosts:
    """The variables of hosts between which all is open, and what is to be otherwise."""

    def __init__(self, count):
        self.names = [f"node-{at}" for at in range(1, count + 1)]
        everyone = set(range(count))
        self.variables = {}
        for at, name in enumerate(self.names):
            address = f"192.0.2.{at + 9}"
            others = as_text(mask(everyone - {at}))
            heard = {where: dict.fromkeys(WAYS, others) for where in ("before", "behind")}
            facts = {
                "calico_node": {
                    "schema": 1,
                    "taken_at": "2026-11-22T02:59:00Z",
                    "hostname": name,
                    "boot_id": f"boot-{at}",
                    "privileged": True,
                    "addresses": [{"address": address, "prefix": 24, "interface": "eth0", "position": 1, "up": True}],
                },
                "calico_preflight": {
                    "schema": 1,
                    "token": f"{at:016x}",
                    "folder": f"/run/netmedic-preflight-{at}",
                    "pid": 100 + at,
                    "seconds": 180,
                    "calico": False,
                },
            }
            self.variables[name] = {
                "ansible_host": address,
                "ansible_facts": facts,
                "preflight_listened": {"ansible_facts": facts},
                "preflight_probed": {
                    "ways": {way: {"open": others} for way in WAYS},
                    "heard": heard,
                    "mtu": {"ok": {"1500": others}},
                },
                "preflight_told": {"skipped": True},
            }

    def probed(self, prober, listener, way, result, **details):
        """A prober's result, and the listener stopped: it has heard all others, and this one not."""
        own, other = self.variables[self.names[prober]], self.variables[self.names[listener]]
        found = own["preflight_probed"]["ways"][way]
        found["open"] = as_text(int(found["open"], 16) & ~(1 << listener))
        found[result] = as_text(int(found.get(result, "0"), 16) | 1 << listener)
        if details:
            told = {"host": listener, "way": way, "result": result, **details}
            own["preflight_probed"].setdefault("details", []).append(told)
        heard = other["preflight_probed"]["heard"]
        for where in heard:
            heard[where][way] = as_text(int(heard[where][way], 16) & ~(1 << prober))
        # What was heard in the end is told once: what the test says of an earlier probe stays.
        in_the_end = other["preflight_told"].get("heard") or json.loads(json.dumps(heard))
        for where in in_the_end:
            in_the_end[where][way] = as_text(int(in_the_end[where][way], 16) & ~(1 << prober))
        other["preflight_told"] = {"heard": in_the_end}

    def heard(self, prober, listener, way, *where):
        for name in where:
            told = self.variables[self.names[listener]]["preflight_told"]["heard"][name]
            told[way] = as_text(int(told[way], 16) | 1 << prober)

    def ports(self, at, *entries):
        self.variables[self.names[at]]["preflight_listened"]["ansible_facts"]["calico_preflight"]["ports"] = list(
            entries
        )

    def report(self, **planned):
        return judge(read.scene(self.variables, self.names, planned, NOW))

    def found(self, **planned):
        return {(one["fault"], tuple(one["nodes"])): one for one in self.report(**planned)["findings"]}


def test_open_hosts_pass_the_gate():
    hosts = Hosts(4)
    report = hosts.report()
    assert report["findings"] == []
    assert report["verdict"] == "healthy"
    assert failure(report, "major", False) == ""
    assert report["preflight"]["matrix"]["ways"]["tcp179"] == {"called": "TCP 179 (BGP)", "pairs": 12, "open": 12}
    assert plan.unfinished(read.hosts(hosts.variables, hosts.names, {}), {}) == []


def test_a_drop_at_the_listener_is_told_there():
    hosts = Hosts(4)
    hosts.probed(0, 1, "tcp179", "silent")  # .9 dials .10
    hosts.heard(0, 1, "tcp179", "before")
    found = hosts.found()
    assert list(found) == [("tcp179_blocked_host_firewall", ("node-2",))]
    assert "node-2's own packet filter drops TCP 179 (BGP) from node-1" in found.popitem()[1]["summary"]
    assert failure(hosts.report(), "major", False).startswith("1 finding(s)")


def test_a_block_towards_the_one_that_only_dials_is_latent_and_fails_the_gate():
    hosts = Hosts(4)
    hosts.probed(1, 0, "tcp179", "silent")  # .10 does not dial .9
    hosts.heard(1, 0, "tcp179", "before")
    found = hosts.found()
    assert list(found) == [("tcp179_latent_one_way_block", ("node-1",))]
    assert found.popitem()[1]["role"] == "latent"
    assert failure(hosts.report(), "major", False)


def test_a_block_in_both_directions_is_none_that_is_latent():
    hosts = Hosts(3)
    for prober, listener in ((0, 1), (1, 0)):
        hosts.probed(prober, listener, "tcp179", "silent")
    assert list(hosts.found()) == [("tcp179_blocked_network", ("node-1", "node-2"))]


def test_what_never_arrives_was_lost_between_the_hosts():
    hosts = Hosts(4)
    hosts.probed(0, 1, "udp4789", "rejected", **{"from": "198.51.100.1", "detail": "ICMP type 3 code 13"})
    one = hosts.found()["vxlan_udp_blocked", ("node-1", "node-2")]
    assert "does not arrive in one direction (node-1 to node-2); refused by 198.51.100.1" in one["summary"]


def test_ipip_and_vxlan_are_open_if_they_arrive_even_if_no_answer_comes():
    hosts = Hosts(4)
    for way in ("ipip", "udp8472"):
        hosts.probed(0, 1, way, "silent")
        hosts.heard(0, 1, way, "before", "behind")
    assert hosts.found() == {}


def test_answers_that_do_not_come_back_break_tcp():
    hosts = Hosts(4)
    hosts.probed(0, 1, "tcp179", "silent")
    hosts.heard(0, 1, "tcp179", "before", "behind")
    assert "the answers do not come back" in hosts.found()["tcp179_blocked_network", ("node-1",)]["summary"]


def test_a_kernels_reset_is_as_good_as_an_answer_where_calico_may_want_the_port():
    hosts = Hosts(3)
    hosts.ports(1, {"protocol": "tcp", "port": 179, "state": "left"})
    hosts.probed(0, 1, "tcp179", "reset")
    hosts.heard(0, 1, "tcp179", "before", "behind")
    assert hosts.found() == {}
    hosts.variables["node-2"]["preflight_told"]["heard"]["behind"]["tcp179"] = "4"
    assert list(hosts.found()) == [("tcp179_blocked_host_firewall", ("node-2",))]


def test_answers_that_do_not_come_back_are_told_too_where_bird_has_the_port_already():
    hosts = Hosts(3)
    hosts.ports(1, {"protocol": "tcp", "port": 179, "state": "taken", "process": "bird", "pid": 5})
    hosts.probed(2, 1, "tcp179", "answered")
    hosts.heard(2, 1, "tcp179", "before", "behind")
    assert hosts.found() == {}
    hosts.probed(0, 1, "tcp179", "silent")
    hosts.heard(0, 1, "tcp179", "before", "behind")
    assert "the answers do not come back" in hosts.found()["tcp179_blocked_network", ("node-1",)]["summary"]


def test_of_a_machine_that_is_listed_twice_one_answer_is_enough():
    hosts = Hosts(3)
    hosts.probed(2, 0, "tcp179", "silent")
    hosts.heard(2, 0, "tcp179", "before", "behind")
    assert list(hosts.found()) == [("tcp179_latent_one_way_block", ("node-3",))]
    assert "tcp179_latent_one_way_block" not in {
        fault for fault, _nodes in hosts.found(addresses={"node-2": "192.0.2.9"})
    }


def test_a_program_that_answers_nobody_leaves_it_open_whether_answers_come_back():
    hosts = Hosts(3)
    hosts.ports(1, {"protocol": "tcp", "port": 179, "state": "taken", "process": "bird", "pid": 5})
    for prober in (0, 2):
        hosts.probed(prober, 1, "tcp179", "silent")
        hosts.heard(prober, 1, "tcp179", "before", "behind")
    report = hosts.report()
    assert report["findings"] == []
    matrix = report["preflight"]["matrix"]
    assert matrix["ways"]["tcp179"]["open"] == 4
    assert {one["state"] for one in matrix["troubles"]} == {"unknown"}


def test_somebody_else_who_answers_is_told():
    hosts = Hosts(3)
    hosts.probed(0, 1, "tcp179", "answered")
    assert list(hosts.found()) == [("preflight.answered_by_another", ("node-2",))]
    hosts.heard(0, 1, "tcp179", "before", "behind")
    assert hosts.found() == {}


def test_a_program_on_a_port_is_told_with_its_process_and_calicos_own_is_none():
    hosts = Hosts(2)
    hosts.ports(
        0,
        {"protocol": "tcp", "port": 179, "state": "taken", "process": "bgpd", "pid": 812},
        {"protocol": "udp", "port": 4789, "state": "taken"},
        {"protocol": "tcp", "port": 5473, "state": "taken", "process": "nginx", "pid": 7},
    )
    hosts.ports(1, {"protocol": "tcp", "port": 179, "state": "taken", "process": "bird", "pid": 5})
    found = hosts.found()
    assert set(found) == {("port179_conflict", ("node-1",)), ("preflight.port_taken", ("node-1",))}
    assert "bgpd (pid 812)" in found["port179_conflict", ("node-1",)]["summary"]


def test_the_listener_of_another_run_is_no_conflict():
    hosts = Hosts(2)
    own = {"state": "taken", "process": "netmedic-listen", "pid": 812}
    hosts.ports(0, {"protocol": "tcp", "port": 179, **own}, {"protocol": "udp", "port": 4789, **own})
    found = hosts.found()
    assert list(found) == [("preflight.other_run", ("node-1",))]
    assert "another run of preflight listens (pid 812)" in found.popitem()[1]["summary"]


def test_a_host_cut_off_from_all_others_is_critical():
    hosts = Hosts(4)
    for other in (1, 2, 3):
        hosts.probed(other, 0, "tcp5473", "silent")
        hosts.heard(other, 0, "tcp5473", "before")
    assert hosts.found()["typha_port_blocked", ("node-1",)]["severity"] == "critical"


def test_narrow_paths_rewritten_senders_and_paths_that_nobody_measured():
    hosts = Hosts(3)
    one, two = (hosts.variables[name]["preflight_probed"] for name in hosts.names[:2])
    one["mtu"] = {
        "smaller": [{"host": 1, "wanted": 1500, "carries": 1400, "reported_by": "198.51.100.1"}],
        "silent": {"1500": "4"},
    }
    two["heard"]["other_senders"] = {"2": "203.0.113.5"}
    report = hosts.report()
    found = {one["fault"]: one for one in report["findings"]}
    assert set(found) == {"mtu_mismatch", "bgp_source_nat"}
    assert "1380 with IPIP, 1350 with VXLAN" in found["mtu_mismatch"]["fix"]["text"]
    assert "arrives at node-2 as from 203.0.113.5" in found["bgp_source_nat"]["summary"]
    assert [one["detail"] for one in report["coverage"]["sources"]] == [
        "The path to node-3 was not measured: no echo is answered."
    ]


def test_hosts_that_took_no_part_fail_the_gate_and_not_the_others():
    hosts = Hosts(4)
    hosts.variables["node-4"]["preflight_listened"] = {"unreachable": True, "msg": "Connection timed out"}
    hosts.variables["node-4"]["ansible_facts"] = {}
    everyone = as_text(mask({0, 1, 2}))
    for at, name in enumerate(hosts.names[:3]):
        others = as_text(int(everyone, 16) & ~(1 << at))
        hosts.variables[name]["preflight_probed"]["ways"] = {way: {"open": others} for way in WAYS}
    found = hosts.found()
    assert list(found) == [("preflight.host_not_probed", ("node-4",))]
    assert "Connection timed out" in found.popitem()[1]["summary"]


def test_a_host_that_listened_and_did_not_probe_is_told_and_all_listeners_are_stopped():
    hosts = Hosts(3)
    hosts.variables["node-2"]["preflight_probed"] = {"failed": True, "msg": "Timed out"}
    assert ("preflight.host_not_probed", ("node-2",)) in hosts.found()
    assert plan.unfinished(read.hosts(hosts.variables, hosts.names, {}), {}) == hosts.names


def test_one_host_has_nobody_to_probe():
    hosts = Hosts(1)
    known = read.hosts(hosts.variables, hosts.names, {})
    assert plan.requests(known, {})["numbers"] == {}
    assert plan.unfinished(known, {}) == ["node-1"]
    hosts.variables["node-1"]["preflight_probed"] = {"heard": {}}
    report = hosts.report()
    assert (report["verdict"], report["findings"]) == ("healthy", [])
    assert "no pair of hosts" in "\n".join(lines(report))


@pytest.mark.parametrize(
    ("planned", "sentence"),
    [
        ({"flavour": ["calico"]}, "preflight_flavour has 'calico'; it must be one of ipip, vxlan, bgp, canal"),
        ({"ports": ["179"]}, "preflight_ports has '179'; each of them must be tcp/PORT, udp/PORT or ipip"),
        ({"probe_timeout": -1}, "preflight_probe_timeout is -1; it must be more than 0 and at most 60 seconds"),
        (
            {"probe_timeout": 1e9},
            "preflight_probe_timeout is 1000000000.0; it must be more than 0 and at most 60 seconds",
        ),
        ({"probe_timeout": float("nan")}, "preflight_probe_timeout is nan; it must be more than 0"),
        ({"probe_rate": 0}, "preflight_probe_rate is 0; it must be at least 1 packet a second"),
        ({"ports": ["tcp/70000"]}, "preflight_ports has 'tcp/70000'"),
        ({"ports": ["tcp/179"], "flavour": ["bgp"]}, "preflight_flavour and preflight_ports are both given"),
        ({"addresses": {"node-1": "here"}}, "preflight_addresses has 'here' for node-1, which is no address"),
        ({"addresses": {"node-9": "192.0.2.1"}}, "preflight_addresses has node-9, which is none of the hosts"),
        ({"listen_seconds": -5}, "preflight_listen_seconds is -5; it must be between 0 and 3600"),
    ],
)
def test_plans_that_cannot_be_are_told_in_a_sentence(planned, sentence):
    hosts = Hosts(2)
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        plan.listening(hosts.variables, hosts.names, planned)


def test_no_unsigned_syn_goes_to_a_bird_with_passwords():
    hosts = Hosts(3)
    hosts.variables["node-2"]["ansible_facts"]["calico_bgp"] = {"daemons": {"ipv4": {"config": {"password": "some"}}}}
    known = read.hosts(hosts.variables, hosts.names, {})
    assert plan.requests(known, {})["signed"] == [1]
    for at in (0, 2):
        hosts.probed(at, 1, "tcp179", "not_tried")
    report = hosts.report()
    assert report["findings"] == []
    assert {one["state"] for one in report["preflight"]["matrix"]["troubles"]} == {"unknown"}
    assert any("have a password" in one["detail"] for one in report["coverage"]["sources"])


def test_what_is_probed_follows_from_the_flavour():
    assert ways.wanted({"flavour": "vxlan"}) == ways.Ways((5473,), (4789,), False)
    assert ways.wanted({"flavour": ["ipip", "canal"]}) == ways.Ways((179, 5473), (8472,), True)
    assert ways.wanted({}) == ways.Ways((179, 5473), (4789, 8472), True)
    assert ways.wanted({"ports": "tcp/1179,ipip"}) == ways.Ways((1179,), (), True)


def test_addresses_are_those_given_else_known_to_calico_else_of_the_inventory_if_it_is_on_the_host():
    held = [
        {"address": "172.17.0.1", "interface": "docker0", "up": True},
        {"address": "10.0.0.5", "interface": "eth0", "up": True},
        {"address": "10.1.0.5", "interface": "eth1", "up": True},
    ]
    facts = {"calico_node": {"addresses": held}}
    assert addresses.of_host("a", {"ansible_host": "10.1.0.5"}, facts, {}) == ("10.1.0.5",)
    assert addresses.of_host("a", {"ansible_host": "203.0.113.9"}, facts, {}) == ("10.0.0.5",)
    assert addresses.of_host(
        "a", {}, {"calico_node": {"addresses": held, "bgp_addresses": {"ipv4": "10.1.0.5"}}}, {}
    ) == ("10.1.0.5",)
    assert addresses.of_host("a", {}, facts, {"a": ["fd00::1", "10.9.9.9"]}) == ("10.9.9.9", "fd00::1")
    assert addresses.of_host("a", {"ansible_host": "10.1.0.5"}, {}, {}) == ("10.1.0.5",)
    assert addresses.of_host("a", {}, {}, {}) == ()


def test_every_form_of_report_can_be_made_at_4_and_50_hosts():
    for count in (4, 50):
        hosts = Hosts(count)
        for other in range(1, count):
            hosts.probed(other, 0, "tcp179", "silent")
            hosts.heard(other, 0, "tcp179", "before")
        report = hosts.report()
        made = rendered(report, FILES, Wanted())
        assert set(made) == set(FILES.values())
        assert b"preflight" in made["report.html"]
        text = lines(report, 80)
        assert text[0].startswith(f"Calico preflight of {count} host(s)")
        assert len(text) < 60
        if count == 4:
            assert "node-2     B       -       ok      ok" in text
        else:
            assert any(line.startswith("to node-1 not open: TCP 179 (BGP) from node-2, node-3") for line in text)


def test_a_thousand_hosts_are_judged_in_linear_memory():
    hosts = Hosts(300)
    found = Reach(list(read.hosts(hosts.variables, hosts.names, {}).values()), ways.wanted({}))
    assert list(found.troubles()) == []
    assert found.verdict("node-1", "node-300", "ipip").state == "open"
    assert found.verdict("node-1", "stranger", "ipip").state == "unknown"


def test_the_command_asks_by_files_and_reads_the_answer(tmp_path):
    folder = tmp_path / "netmedic-preflight-x"
    folder.mkdir()
    plan_of_all = {
        "numbers": {"a": 0, "b": 1},
        "peers": [[0, ["192.0.2.1"], "t0"], [1, ["192.0.2.2"], "t1"]],
        "tcp": [179],
    }
    child = subprocess.Popen(["sleep", "30"])
    try:
        command = asking.command("a", "probe", plan_of_all, {"folder": str(folder), "pid": child.pid})
        asked = subprocess.Popen(shlex.split(command), stdout=subprocess.PIPE, text=True)
        while not (folder / "ask").exists():
            assert asked.poll() is None
        request = json.loads((folder / "ask").read_text())
        (folder / "answer.new").write_text('{"ways": {"tcp179": {"open": "2"}}, "other": 1}')
        (folder / "answer.new").rename(folder / "answer")
        output = asked.communicate(timeout=20)[0]
    finally:
        child.kill()
        child.wait()
    assert request == {
        "do": "probe",
        "number": 0,
        "own": ["192.0.2.1"],
        "peers": [[1, ["192.0.2.2"], "t1"]],
        "tcp": [179],
    }
    assert asking.read({"stdout": output}) == {"ways": {"tcp179": {"open": "2"}}}
    assert not (folder / "answer").exists()
    gone = subprocess.run(shlex.split(command), capture_output=True, text=True, check=False)
    assert asking.read({"stdout": gone.stdout})["gone"]


def test_a_host_that_is_not_in_the_plan_has_its_listener_stopped_and_odd_listeners_are_refused():
    listener = {"folder": "/run/netmedic-preflight-x", "pid": 9}
    assert '"do": "stop"' in asking.command("c", "probe", {"numbers": {}}, listener)
    assert asking.command("c", "probe", {}, {}) == ""
    for odd in (
        {"folder": "/etc", "pid": 9},
        {"folder": "/run/../etc/netmedic-preflight-x;id", "pid": 9},
        {"folder": "/run/netmedic-preflight-x", "pid": 1},
    ):
        with pytest.raises(ValueError, match="none of ours"):
            asking.command("c", "stop", {}, odd)
    assert asking.read({"stdout": "", "stderr": "sh: not found"})["failed"]
