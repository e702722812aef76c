# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._facts import mtu
from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._host.links import Address, Link, Network
from ansible_collections.netmedic.calico.plugins.module_utils._host.routes import Route
from ansible_collections.netmedic.calico.plugins.module_utils._probe.path_mtu import PathResult


def link(number, name, size=1500, kind="", up=True):
    return Link(number, name, size, kind, up, up, 0)


def address(text, interface, prefix=24, scope="global"):
    return Address(text, prefix, interface, "ipv6" if ":" in text else "ipv4", scope, True)


ETH0 = (link(1, "lo", 65536, "loopback"), link(2, "eth0"))
OWN = (address("127.0.0.1", "lo", 8, "host"), address("10.200.1.9", "eth0"), address("fd00:1::9", "eth0", 64))


def network(*links, addresses=()):
    return Network([*ETH0, *links], [*OWN, *addresses])


def near(peer, **more):
    return Route(peer, "unicast", "eth0", "", "fd00:1::9" if ":" in peer else "10.200.1.9", **more)


def far(peer, gateway="10.200.1.254"):
    return Route(peer, "unicast", "eth0", gateway, "10.200.1.9")


def way(peer, established=True, source="10.200.1.9"):
    return mtu.PeerWay(peer, established, source)


def gathered(tmp_path, net=None, peers=(), ways=None, tunnels=()):
    sources = Sources()
    found = mtu.gather(net, [way(peer) for peer in peers], ways or {}, tunnels, sources, str(tmp_path))
    return found, {entry["source"]: entry["status"] for entry in sources.as_list()}


def write(root, path, text):
    target = root / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


CONFLIST = json.dumps({"name": "k8s-pod-network", "plugins": [{"type": "calico", "mtu": 1440}, {"type": "portmap"}]})


def test_what_pods_have_or_will_get_plus_overhead_is_required(tmp_path):
    write(tmp_path, "/var/lib/calico/mtu", "1480\n")
    write(tmp_path, "/etc/cni/net.d/10-calico.conflist", CONFLIST)
    net = network(link(3, "tunl0", 1480, "ipip"), link(4, "cali1", 1480, "veth"), link(5, "cali2", 1440, "veth"))

    found, statuses = gathered(tmp_path, net, ["10.200.1.10"], {"10.200.1.10": near("10.200.1.10")}, ["tunl0"])

    assert statuses == {"calico_mtu_file": "ok", "cni_config": "ok", "interfaces": "ok"}
    assert found.facts["configured"] == {
        "calico_mtu_file": 1480,
        "cni": {"path": "/etc/cni/net.d/10-calico.conflist", "mtu": 1440},
    }
    assert found.facts["workloads"] == {"count": 2, "mtus": {"1480": 1, "1440": 1}}
    assert found.facts["encapsulation"]["overhead"] == 20
    assert found.facts["required"] == 1500
    assert found.facts["interfaces"] == {"eth0": 1500, "tunl0": 1480}
    assert found.facts["tunnels"] == [{"name": "tunl0", "kind": "ipip", "mtu": 1480, "up": True}]


def test_an_mtu_of_0_in_the_cni_configuration_means_calicos_file(tmp_path):
    write(tmp_path, "/var/lib/calico/mtu", "1450")
    write(tmp_path, "/etc/cni/net.d/10-calico.conflist", CONFLIST.replace("1440", "0"))

    assert gathered(tmp_path, network())[0].facts["required"] == 1450


def test_with_nothing_configured_nothing_is_required(tmp_path):
    found, statuses = gathered(tmp_path, network())

    assert "required" not in found.facts
    assert statuses == {"calico_mtu_file": "absent", "cni_config": "absent", "interfaces": "ok"}
    assert found.facts["interfaces"] == {"eth0": 1500}


def test_without_the_network_the_files_are_still_read(tmp_path):
    write(tmp_path, "/var/lib/calico/mtu", "1480")

    found, _statuses = gathered(tmp_path)

    assert (found.facts["configured"], found.paths) == ({"calico_mtu_file": 1480}, [])


@pytest.mark.parametrize("text", ["garbage", '{"plugins": [{"mtu": "1440"}]}', '{"mtu": true'])
def test_configuration_that_is_none_is_reported_and_harmless(tmp_path, text):
    write(tmp_path, "/var/lib/calico/mtu", text)
    write(tmp_path, "/etc/cni/net.d/10-calico.conflist", text)

    found, statuses = gathered(tmp_path, network())

    assert statuses["calico_mtu_file"] == "unrecognised"
    assert statuses["cni_config"] == ("unrecognised" if '"mtu"' in text else "ok")
    assert found.facts["configured"] == {"cni": {"path": "/etc/cni/net.d/10-calico.conflist"}}


def test_the_first_cni_configuration_by_name_is_the_one_in_force(tmp_path):
    write(tmp_path, "/etc/cni/net.d/10-calico.conflist", CONFLIST)
    write(tmp_path, "/etc/cni/net.d/05-other.conf", '{"type": "bridge", "mtu": 1300}')
    write(tmp_path, "/etc/cni/net.d/00-calico.conf.bak", '{"mtu": 9}')
    write(tmp_path, "/etc/cni/net.d/calico-kubeconfig", "apiVersion: v1")

    assert gathered(tmp_path, network())[0].facts["configured"]["cni"]["mtu"] == 1300


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CONFLIST, 1440),
        ('{"type": "calico", "mtu": 0}', 0),
        ('{"plugins": []}', None),
        ('{"plugins": [1, {"mtu": false}, {"mtu": 7}]}', 7),
        ("[]", None),
        ("", None),
    ],
)
def test_the_mtu_in_a_cni_configuration(text, expected):
    assert mtu.parse_cni(text) == expected


@given(st.text(max_size=100))
def test_no_text_breaks_the_cni_parser(text):
    mtu.parse_cni(text)


@pytest.mark.parametrize(
    ("tunnels", "addresses", "bird", "expected"),
    [
        ([], [], [], ("none", 0)),
        ([("tunl0", "ipip", False)], [], [], ("none", 0)),
        ([("tunl0", "ipip", True)], [], [], ("none", 0)),
        ([("tunl0", "ipip", True)], [("10.244.9.0", "tunl0")], [], ("ipip", 20)),
        ([], [], ["tunl0"], ("ipip", 20)),
        ([("vxlan.calico", "vxlan", True)], [("10.244.9.0", "vxlan.calico")], ["tunl0"], ("vxlan", 50)),
        ([("vxlan-v6.calico", "vxlan", True)], [("fd01::9", "vxlan-v6.calico")], [], ("vxlan", 70)),
        ([("wireguard.cali", "wireguard", True)], [("10.244.9.0", "wireguard.cali")], [], ("wireguard", 60)),
        ([("flannel.1", "vxlan", True)], [("10.42.0.0", "flannel.1")], [], ("vxlan", 50)),
        ([], [], ["eth0"], ("none", 0)),
    ],
)
def test_the_encapsulation_in_use(tmp_path, tunnels, addresses, bird, expected):
    links = [link(number, name, 1450, kind, up) for number, (name, kind, up) in enumerate(tunnels, 3)]
    net = network(*links, addresses=[address(text, name, 32) for text, name in addresses])

    found = gathered(tmp_path, net, tunnels=bird)[0].facts["encapsulation"]

    assert (found["kind"], found["overhead"]) == expected
    assert found["why"]


def paths_of(peers, ways, net=None):
    return mtu.classes(net or network(), [peer if isinstance(peer, mtu.PeerWay) else way(peer) for peer in peers], ways)


def test_peers_on_one_link_are_one_class_and_each_node_begins_behind_itself():
    peers = [f"10.200.1.{last}" for last in (1, 5, 10, 200, 11)]

    (path,) = paths_of(peers, {peer: near(peer) for peer in peers})

    assert path.name == "eth0 on-link 10.200.1.0/24"
    assert (path.peers, path.source, path.wanted) == (
        ["10.200.1.10", "10.200.1.11", "10.200.1.200"],
        "10.200.1.9",
        1500,
    )


def test_a_peer_on_link_outside_of_every_prefix_has_a_class_too():
    alone = Network(list(ETH0), [address("fe80::1", "eth0", 64, "link"), address("10.200.1.9", "eth0", 32)])

    (path,) = paths_of(["10.200.1.10"], {"10.200.1.10": near("10.200.1.10")}, alone)

    assert path.name == "eth0 on-link"


def test_the_ring_closes():
    peers = ["10.200.1.1", "10.200.1.5"]

    assert paths_of(peers, {peer: near(peer) for peer in peers})[0].peers == peers


def test_peers_with_a_session_are_asked_before_others():
    peers = [way("10.200.1.10", established=False), way("10.200.1.11"), way("10.200.1.5")]

    (path,) = paths_of(peers, {peer.address: near(peer.address) for peer in peers})

    assert path.peers == ["10.200.1.11", "10.200.1.5", "10.200.1.10"]


def test_each_subnet_behind_each_router_is_a_class():
    peers = ["10.200.2.1", "10.200.2.2", "10.200.3.1", "10.200.1.10", "fd00:1::a"]
    ways = {peer: near(peer) if peer in peers[3:] else far(peer) for peer in peers}

    assert [path.name for path in paths_of(peers, ways)] == [
        "eth0 via 10.200.1.254 to 10.200.2.0/24",
        "eth0 via 10.200.1.254 to 10.200.3.0/24",
        "eth0 on-link 10.200.1.0/24",
        "eth0 on-link fd00:1::/64",
    ]


def test_there_are_at_most_sixteen_classes(tmp_path):
    peers = [f"10.{number}.0.1" for number in range(40)]
    ways = {peer: far(peer) for peer in peers}

    assert len(paths_of(peers, ways)) == 16
    assert gathered(tmp_path, network(), peers, ways)[0].facts["paths_left_out"] == 24
    assert "paths_left_out" not in gathered(tmp_path, network(), peers[:16], ways)[0].facts


def test_no_path_to_what_has_no_ordinary_route():
    ways = {"10.200.1.9": Route("10.200.1.9", "local", "lo"), "192.0.2.1": Route("192.0.2.1", "none")}

    assert paths_of(["10.200.1.9", "192.0.2.1", "10.200.1.10"], ways) == []


def test_a_routes_own_mtu_is_what_is_wanted():
    assert paths_of(["10.200.1.10"], {"10.200.1.10": near("10.200.1.10", mtu=1300)})[0].wanted == 1300


def test_a_bgp_address_that_is_not_ours_is_not_sent_from():
    (path,) = paths_of([way("10.200.1.10", source="10.9.9.9")], {"10.200.1.10": near("10.200.1.10")})

    assert path.source == "10.200.1.9"


def result(word, carries, wanted=1500, **more):
    return PathResult("eth0 on-link", "10.200.1.10", wanted, carries, word, **more)


def test_results_are_written_down(tmp_path):
    write(tmp_path, "/var/lib/calico/mtu", "1500")
    found, _statuses = gathered(tmp_path, network())

    results = [
        result("ok", 1500),
        result("ok", 1400, wanted=1400),
        result("smaller", 1400, reported_by="10.200.1.254"),
        result("silent", None),
        result("error", None, detail="why"),
    ]
    mtu.finish(found, results)

    shown = [(path["result"], path["carries"], path["reported_by"]) for path in found.facts["paths"]]
    assert shown == [
        ("ok", 1500, ""),
        ("local", 1400, ""),
        ("smaller", 1400, "10.200.1.254"),
        ("silent", None, ""),
        ("error", None, ""),
    ]
    assert found.facts["paths"][4]["detail"] == "why"
