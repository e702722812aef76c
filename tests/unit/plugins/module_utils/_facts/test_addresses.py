# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._address import settings
from ansible_collections.netmedic.calico.plugins.module_utils._facts import addresses
from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._host import links


def holding(held):
    names = list(dict.fromkeys(interface for _address, interface, _scope in held))
    return links.Network(
        [links.Link(number, name, 1500, "", True, True, 0) for number, name in enumerate(names, 1)],
        [
            links.Address(
                text.partition("/")[0],
                int(text.partition("/")[2] or 24),
                interface,
                "ipv6" if ":" in text else "ipv4",
                scope,
                True,
            )
            for text, interface, scope in held
        ],
    )


NODE = holding([("127.0.0.1/8", "lo", "host"), ("10.0.0.9", "eth0", "global"), ("192.168.56.9", "eth1", "global")])


def detected(environment, network=NODE, own=("10.0.0.9",), version="v3.28.1", **around):
    return addresses.autodetection(network, own, environment, version, addresses.Around(**around))


def test_addresses_of_pods_services_and_tunnels_are_others():
    interfaces = ["eth0", "cali0", "docker0", "br-5f", "veth1", "kube-ipvs0", "vxlan.calico", "tunl0", "bond0", "lo"]
    held = [(f"10.0.{number}.1", name, "global") for number, name in enumerate(interfaces)]

    facts = addresses.addresses_of(holding([*held, ("127.0.0.1", "lo", "host"), ("169.254.0.1", "eth0", "link")]), [])

    assert [entry["interface"] for entry in facts["addresses"]] == ["eth0", "bond0", "lo"]
    assert facts["addresses"][0] == {
        "address": "10.0.0.1",
        "prefix": 24,
        "interface": "eth0",
        "position": 0,
        "scope": "global",
        "up": True,
    }
    assert [entry["interface"] for entry in facts["other_addresses"]] == interfaces[1:8]
    assert facts["other_addresses"][1] == {"address": "10.0.2.1", "prefix": 24, "interface": "docker0", "position": 2}


def test_the_addresses_used_for_bgp_are_always_among_them_and_the_order_is_the_kernels():
    many = [(f"10.0.1.{number}", "eth0", "global") for number in range(40)]

    facts = addresses.addresses_of(holding([*many, ("10.9.9.9", "docker0", "global")]), ["10.9.9.9", "10.7.7.7"])

    assert [entry["address"] for entry in facts["addresses"]][-2:] == ["10.0.1.30", "10.9.9.9"]
    assert (len(facts["addresses"]), facts["addresses_left_out"]) == (32, 9)


def test_services_addresses_are_counted():
    services = [(f"10.96.0.{number}/32", "kube-ipvs0", "global") for number in range(100)]

    facts = addresses.addresses_of(holding([("10.0.0.9", "eth0", "global"), *services]), ["10.0.0.9"])

    assert len(facts["other_addresses"]) == 2
    assert facts["other_addresses_left_out"] == {"kube-ipvs0": 98}


def test_what_it_picks_and_what_it_would():
    assert detected({"IP": "autodetect", "IP_AUTODETECTION_METHOD": "interface=^eth0$"}) == {
        "ipv4": {
            "method": "interface=^eth0$",
            "picks": "10.0.0.9/24",
            "interface": "eth0",
            "first_found": "192.168.56.9/24",
            "first_found_interface": "eth1",
        }
    }


def test_a_healthy_node_has_little_to_tell():
    healthy = holding([("10.0.0.9", "eth0", "global")])
    facts = detected({"IP": "autodetect"}, healthy, source_of=lambda to: "10.0.0.9" if "." in to else "")

    assert facts == {"ipv4": {"picks": "10.0.0.9/24", "interface": "eth0", "outward": "10.0.0.9"}}
    assert len(json.dumps(facts)) < 120


def test_a_pick_that_bird_does_not_use_is_explained():
    assert detected({"IP": "autodetect"})["ipv4"] == {
        "picks": "192.168.56.9/24",
        "interface": "eth1",
        "why": "eth1 is the last interface in the kernel's list that Calico does not leave out",
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, {"set": "unset", "picks": "192.168.56.9/24", "interface": "eth1"}),
        ({"IP": "none"}, {"set": "none", "first_found": "192.168.56.9/24", "first_found_interface": "eth1"}),
        (
            {"IP": "10.0.0.9/24"},
            {
                "set": "address",
                "given": "10.0.0.9/24",
                "first_found": "192.168.56.9/24",
                "first_found_interface": "eth1",
            },
        ),
        (None, {"set": "unknown", "first_found": "192.168.56.9/24", "first_found_interface": "eth1"}),
    ],
)
def test_what_ip_may_say(value, expected):
    fact = detected(value)["ipv4"]
    fact.pop("why", None)

    assert fact == expected


def test_ipv6_is_looked_for_on_demand_only():
    network = holding([("10.0.0.9", "eth0", "global"), ("fd00::9/64", "eth0", "global")])

    assert "ipv6" not in detected({"IP": "autodetect"}, network)
    assert detected({"IP6": "autodetect"}, network, own=["fd00::9"])["ipv6"] == {
        "picks": "fd00::9/64",
        "interface": "eth0",
    }
    assert detected({}, network, own=["fd00::9"])["ipv6"]["set"] == "unset"


def test_without_the_api_kubelets_own_option_tells_the_internal_ip():
    environment = {"IP": "autodetect", "IP_AUTODETECTION_METHOD": "kubernetes-internal-ip"}

    assert detected(environment, internal_ips=["10.0.0.9"])["ipv4"]["picks"] == "10.0.0.9/24"
    unknown = detected(environment)["ipv4"]
    assert unknown["undecided"] is True
    assert "Kubernetes API" in unknown["why"]


class FakeProcess:
    pid = 7

    def __init__(self, comm, variables=None, argv=()):
        self.comm, self.argv, self._variables = comm, argv, variables or {}

    def environ(self, wanted):
        return {name: value for name, value in self._variables.items() if name in wanted}


class FakeTable:
    network_namespace = ""

    def __init__(self, *processes):
        self._processes = processes

    def named(self, *names):
        return [process for process in self._processes if process.comm in names]


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (("kubelet", "--node-ip=10.0.0.9,fd00::9"), ["10.0.0.9", "fd00::9"]),
        (("kubelet", "--node-ip", "10.0.0.9"), ["10.0.0.9"]),
        (("kubelet", "--node-ip"), None),
        (("kubelet",), None),
    ],
)
def test_kubelets_option(argv, expected):
    assert addresses.around(FakeTable(FakeProcess("kubelet", argv=argv))).internal_ips == expected


def test_programs_that_move_addresses_are_named():
    sources = Sources()
    about = addresses.around(FakeTable(FakeProcess("keepalived"), FakeProcess("keepalived")))

    facts = addresses.gather(NODE, ["10.0.0.9"], None, "", sources, about)

    assert facts["vip_holders"] == ["keepalived"]
    assert sources.status("autodetection") == "absent"


def test_where_calico_detects_nothing_nothing_is_said_of_what_it_would_pick():
    sources = Sources()

    facts = addresses.gather(NODE, [], {"IP": "autodetect"}, "", sources, addresses.Around(), "none")

    assert "autodetection" not in facts
    assert facts["addresses"]
    (entry,) = sources.as_list()
    assert (entry["status"], "none" in entry["detail"]) == ("absent", True)


def test_the_environment_is_read_from_calicos_own_processes_first():
    bird = FakeProcess("bird", {"PATH": "/bin", "IP": "none"})
    felix = FakeProcess("calico-node", {"PATH": "/bin", "IP": "autodetect", "PASSWORD": "x"})

    assert settings.read([bird, felix]) == {"IP": "autodetect"}
    assert settings.read([FakeProcess("calico-node"), bird]) == {"IP": "none"}
    assert settings.read([FakeProcess("calico-node")]) is None


def test_names_are_looked_up_in_etc_hosts_only(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "hosts").write_text("# nothing\n127.0.0.1 localhost Here.example\n\nbroken\n")

    assert addresses.source_of("here.EXAMPLE", str(tmp_path)) == "127.0.0.1"
    assert addresses.source_of("elsewhere.example", str(tmp_path)) is None
    assert addresses.source_of("127.0.0.1") == "127.0.0.1"


def test_a_secondary_address_goes_with_the_first_unless_the_kernel_promotes_it(tmp_path):
    folder = tmp_path / "sys/net/ipv4/conf"
    for name, value in (("all", "0"), ("eth0", "1"), ("eth1", "0")):
        (folder / name).mkdir(parents=True)
        (folder / name / "promote_secondaries").write_text(value + "\n")
    about = addresses.around(FakeTable(), proc_root=str(tmp_path))

    assert about.promotes("eth0")
    assert not about.promotes("eth1")
