# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts import mtu_automatic
from ansible_collections.netmedic.calico.plugins.module_utils._host.links import Link, Network
from ansible_collections.netmedic.calico.plugins.module_utils._host.routes import Route


def network(*sizes, down=()):
    return Network(
        [
            Link(number, name, size, "", name not in down, name not in down, 0)
            for number, (name, size) in enumerate(sizes, 1)
        ],
        [],
    )


def automatic(*sizes, used=(), facts=None, environment=None, version="v3.28.1", down=()):
    return mtu_automatic.automatic(network(*sizes, down=down), used, facts or {}, environment or {}, version)


@pytest.mark.parametrize(
    ("used", "pods"),
    [
        ([], 1500),
        (["tunl0"], 1480),
        (["vxlan.calico"], 1450),
        (["vxlan-v6.calico"], 1430),
        (["wireguard.cali"], 1440),
        (["wg-v6.cali"], 1420),
        (["tunl0", "wireguard.cali"], 1440),
        (["flannel.1"], 1500),  # none of Felix's
    ],
)
def test_the_overhead_of_what_is_in_use_is_taken_off(used, pods):
    assert automatic(("lo", 65536), ("eth0", 1500), used=used) == {"host": 1500, "interface": "eth0", "pods": pods}


def test_the_smallest_interface_counts_if_it_runs():
    found = automatic(("eth0", 1500), ("eth1", 9000), ("ens3", 1400), ("wlan0", 1280), down=["wlan0"])

    assert (found["host"], found["interface"]) == (1400, "ens3")
    assert found["why"] == "ens3 is the smallest; others have up to 9000"


@pytest.mark.parametrize("name", ["bond0", "br0", "team0", "vlan7", "bond0.7", "en", "tailscale0", "cali1"])
def test_what_does_not_look_like_hardware_is_not_seen(name):
    found = automatic((name, 9000), used=["vxlan.calico"])

    assert (found["host"], found["pods"]) == (1460, 1410)
    assert "takes 1460" in found["why"]
    assert "interface" not in found


@pytest.mark.parametrize(
    ("version", "name", "matches"),
    [
        ("v3.24.5", "enc0", False), ("v3.25.0", "enc0", True), ("v3.25.0", "enP4p1", False),
        ("v3.26.0", "enP4p1", True), ("v3.26.0", "env2", False), ("v3.27.0", "env2", True), ("v3.24.0", "ens3", True),
    ],
)  # fmt: skip
def test_names_that_releases_look_for(version, name, matches):
    assert (automatic((name, 1400), version=version)["host"] == 1400) is matches


def test_old_releases_count_what_is_down():
    assert automatic(("eth0", 1500), ("eth1", 1400), down=["eth1"], version="v3.27.0")["host"] == 1400
    assert automatic(("eth0", 1500), ("eth1", 1400), down=["eth1"], version="v3.27.1")["host"] == 1500
    assert automatic(("eth0", 1500), ("eth1", 1400), down=["eth1"], version="")["undecided"] is True


def test_a_pattern_of_ones_own():
    bond = automatic(("eth0", 1500), ("bond0", 9000), environment={"FELIX_MTUIFACEPATTERN": "^bond[0-9]+$"})
    assert (bond["host"], bond["interface"]) == (9000, "bond0")

    refused = automatic(("eth0", 1500), environment={"FELIX_MTUIFACEPATTERN": "(?=bond)"})
    assert refused["host"] == 1500
    assert "is not understood" in refused["why"]


def test_what_was_set_wins_for_its_tunnel_alone():
    found = automatic(
        ("eth0", 1500), used=["tunl0"], environment={"FELIX_IPINIPMTU": "1440", "FELIX_VXLANMTU": "0", "FELIX_X": "9"}
    )

    assert (found["pods"], found["set"]) == (1440, {"tunl0": 1440})
    assert automatic(("eth0", 1500), environment={"FELIX_IPINIPMTU": "many"}).get("set") is None


def test_what_differs_is_named():
    facts = {
        "configured": {"calico_mtu_file": 1440, "cni": {"path": "x", "mtu": 1480}},
        "workloads": {"mtus": {"1480": 3, "1440": 1}},
    }

    found = automatic(("eth0", 1500), ("tunl0", 1440), used=["tunl0"], facts=facts)

    assert (found["pods"], found["differs"]) == (1480, ["tunl0", "calico_mtu_file", "workloads"])
    facts["configured"]["cni"]["mtu"] = 0
    assert "cni" not in automatic(("eth0", 1500), facts=facts)["differs"]


def test_routes_with_an_mtu_of_their_own():
    ways = {
        "10.0.0.1": Route("10.0.0.1", "unicast", "eth0", "10.9.0.1", "", 1400, "learnt", 500),
        "10.0.0.2": Route("10.0.0.2", "unicast", "eth0", "10.9.0.1", "", 1400, "learnt", 400),
        "10.0.0.3": Route("10.0.0.3", "unicast", "eth0", "", "", 1300, "locked"),
        "10.0.0.4": Route("10.0.0.4", "unicast", "eth0", advmss=1300),
        "10.0.0.5": Route("10.0.0.5", "unicast", "eth0"),
        "10.0.0.6": Route("10.0.0.6", "none"),
    }

    assert mtu_automatic.routes(ways) == [
        {
            "device": "eth0",
            "kind": "learnt",
            "count": 2,
            "peer": "10.0.0.1",
            "gateway": "10.9.0.1",
            "mtu": 1400,
            "expires_seconds": 500,
        },
        {"device": "eth0", "kind": "locked", "count": 1, "peer": "10.0.0.3", "mtu": 1300},
        {"device": "eth0", "kind": "route", "count": 1, "peer": "10.0.0.4", "advmss": 1300},
    ]
