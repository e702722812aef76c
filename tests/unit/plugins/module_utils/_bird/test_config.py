# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._bird import config

PEER = """
template bgp bgp_template {{
  local as 64512;
  multihop;
}}
protocol bgp Mesh_10_0_0_2 from bgp_template {{
  {}
}}
"""


def read(files):
    """Parse bird.cfg out of a dict of files."""
    return config.parse("/etc/bird.cfg", files.get)


def parse(text):
    return read({"/etc/bird.cfg": text})


def peering(statements):
    (only,) = parse(PEER.format(statements)).peerings
    return only


def from_disk(path):
    return path.read_text() if path.exists() else None


@pytest.fixture
def recorded(bird_recorded):
    def load(case, name="bird.cfg"):
        folder = bird_recorded / case / "config"
        return config.parse("/x/" + name, lambda path: from_disk(folder / os.path.basename(path)))

    return load


def test_a_configuration_as_confd_writes_it(recorded):
    found = recorded("healthy")

    assert (found.router_id, found.local_as, found.disabled) == ("10.200.0.9", 64512, False)
    assert (found.listen_address, found.listen_port) == ("", None)
    assert found.files == ["/x/bird.cfg", "/x/bird_aggr.cfg", "/x/bird_ipam.cfg"]
    assert found.missing == []
    assert found.peerings == [
        config.Peering(
            name="Mesh_10_200_0_10",
            peer="10.200.0.10",
            peer_as=64512,
            port=None,
            local_as=64512,
            source="10.200.0.9",
            passive=False,
            password=False,
            disabled=False,
            multihop=True,
            ttl_security=False,
        )
    ]


def test_every_peering_of_a_large_configuration(recorded):
    found = {one.name: one for one in recorded("mixed").peerings}

    assert len(found) == 21
    assert {name for name, one in found.items() if one.password} == {"Mesh_10_200_0_63", "Node_10_200_0_68"}
    assert {name for name, one in found.items() if one.disabled} == {"Global_10_200_0_70"}
    assert found["Global_10_200_0_69_port_1790"].port == 1790
    assert found["Global_10_99_0_2"].peer_as == 65001
    assert found["Node_10_200_0_66"].source == "10.200.0.99"
    assert found["Local_Workload_10_200_0_71"].source == ""
    assert found["Mesh_10_200_0_11"].passive
    assert not found["Mesh_10_200_0_1"].passive


def test_who_must_be_near_and_what_timers_are_set():
    text = """
    template bgp far { local as 64512; multihop; hold time 9; keepalive time 3; }
    protocol bgp A from far { neighbor 10.0.0.1 as 65001; keepalive time 1; }
    protocol bgp B { local as 64512; neighbor 10.0.0.2 as 65001; startup hold time 7; }
    protocol bgp C { local as 64512; neighbor 10.0.0.3 as 64512; }
    protocol bgp D from far { neighbor 10.0.0.4 as 64512; direct; }
    """

    found = {one.name: one for one in config.parse("/x", lambda _path: text).peerings}

    assert {name for name, one in found.items() if one.direct} == {"B", "D"}
    assert [(one.hold_time, one.keepalive_time) for one in found.values()] == [
        (9, 1),
        (None, None),
        (None, None),
        (9, 3),
    ]


def test_ipv6(recorded):
    found = recorded("ipv6", "bird6.cfg")

    assert found.router_id == "10.200.0.10"
    assert [(one.name, one.peer, one.source) for one in found.peerings] == [
        ("Mesh_fd00_200__9", "fd00:200::9", "fd00:200::a"),
        ("Node_fd00_200__b", "fd00:200::b", "fd00:200::a"),
    ]


def test_the_layout_of_bird_2(recorded):
    found = {one.name: one for one in recorded("bird2").peerings}

    assert found["Mesh_10_200_0_15"].source == "10.200.0.14"
    assert found["Mesh_10_200_0_15"].local_as == 64512
    assert found["Mesh_10_200_0_78"].passive
    assert found["Mesh_10_200_0_79"].disabled


def test_the_node_has_no_address_of_the_family():
    found = parse("router id 10.0.0.1;\nprotocol device { }\n# IPv4 disabled on this node.\n")

    assert found.disabled
    assert found.peerings == []


def test_where_to_listen():
    found = parse("listen bgp address 10.0.0.1 port 1790;")

    assert (found.listen_address, found.listen_port) == ("10.0.0.1", 1790)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("protocol device { }\n", ""),
        ("protocol device { }\nthis is } not bird\n", "a } without its {"),
        ("protocol bgp x { neighbor 10.0.0.2 as 1;\n", "a { that is never closed"),
        ('# a } in a comment\nlog "a } in a string" all;\n', ""),
    ],
)
def test_braces_that_do_not_match_are_told(text, told):
    assert parse(text).unbalanced == told


def test_names_given_twice_are_told():
    text = "protocol bgp Mesh_10_0_0_2 { neighbor 10.0.0.2 as 1; }\n" * 2 + "protocol bgp Mesh_10_0_0_3 { }"

    found = parse(text)

    assert found.duplicate_names == ["Mesh_10_0_0_2"]
    assert len(found.peerings) == 3


@pytest.mark.parametrize(
    ("statements", "field", "value"),
    [
        ("neighbor 10.0.0.2 port 1790 as 65001;", "port", 1790),
        ("neighbor 10.0.0.2 as 65001;", "peer_as", 65001),
        ("local as 65002; neighbor 10.0.0.2 as 1;", "local_as", 65002),
        ("local 10.0.0.1 as 65002;", "source", "10.0.0.1"),
        ("source address 10.0.0.1;  # The local address we use for the TCP connection", "source", "10.0.0.1"),
        ("passive on; # Mesh is unidirectional, peer will connect to us.", "passive", True),
        ("passive;", "passive", True),
        ("passive off;", "passive", False),
        ("# passive on;", "passive", False),
        ("/* passive on; */", "passive", False),
        ("disabled yes;", "disabled", True),
        ("disabled no;", "disabled", False),
        ("direct;", "multihop", False),
        ("ttl security on; multihop 2;", "ttl_security", True),
        ("ttl security off;", "ttl_security", False),
        ("password 'x';", "password", True),
        ("import filter { if net ~ 10.0.0.0/8 then { accept; } reject; }; passive on;", "passive", True),
        ('description "passive on; neighbor 10.9.9.9 as 9;";', "peer", ""),
        ("neighbor fe80::1%eth0 as 1;", "peer", "fe80::1%eth0"),
        ("neighbor range 10.0.0.0/24 as 1;", "peer", ""),
    ],
)
def test_one_setting(statements, field, value):
    assert getattr(peering(statements), field) == value


def test_what_the_protocol_does_not_set_comes_from_its_template():
    text = """
    template bgp grandparent { source address 10.0.0.1; passive on; }
    template bgp parent from grandparent { local as 64512; passive off; }
    protocol bgp Mesh_10_0_0_2 from parent { neighbor 10.0.0.2 as 64512; }
    """

    (only,) = parse(text).peerings

    assert (only.source, only.local_as, only.passive) == ("10.0.0.1", 64512, False)


def test_templates_in_a_circle_end():
    text = "template bgp a from b { } template bgp b from a { } protocol bgp x from a { neighbor 10.0.0.2 as 1; }"

    assert parse(text).peerings[0].source == ""


def test_includes_stand_where_they_are_written():
    files = {
        "/etc/bird.cfg": 'router id 10.0.0.1;\nprotocol bgp one {\n include "inner.cfg";\n}\ninclude "/other/end.cfg";',
        "/etc/inner.cfg": "neighbor 10.0.0.2 as 1;",
        "/other/end.cfg": 'include "sub/last.cfg";',
        "/other/sub/last.cfg": "protocol bgp two { neighbor 10.0.0.3 as 1; }",
    }

    found = read(files)

    assert [one.peer for one in found.peerings] == ["10.0.0.2", "10.0.0.3"]
    assert len(found.files) == 4


def test_an_included_file_that_is_not_there_is_told():
    found = parse('include "bird_aggr.cfg";\nrouter id 10.0.0.1;')

    assert found.missing == ["/etc/bird_aggr.cfg"]
    assert found.router_id == "10.0.0.1"


def test_a_file_that_includes_itself_ends():
    found = parse('include "bird.cfg";\nprotocol bgp x { }')

    assert found.duplicate_names == ["x"]


def test_a_file_that_is_not_there():
    found = config.parse("/etc/bird.cfg", lambda _path: None)

    assert (found.files, found.missing, found.peerings) == ([], ["/etc/bird.cfg"], [])


def test_devices_that_routes_are_sent_into():
    text = 'filter k { if a then krt_tunnel=""; else krt_tunnel="tunl0"; krt_tunnel = "wg0"; krt_tunnel = "tunl0"; }'

    assert parse(text).tunnels == ["tunl0", "wg0"]


SECRET = "canary"


@pytest.mark.parametrize(
    "password",
    [
        '"canary"',
        '"canary',
        '"one"canary"two"',
        '"one\ncanary"',
        '"#canary; }"',
        '"} protocol bgp canary { neighbor 10.9.9.9 as 9"',
        "canary",
        '"one" canary "two"',
        '/* x */ "canary"',
    ],
)
def test_a_password_is_noticed_and_dropped(password):
    found = parse(PEER.format("neighbor 10.0.0.2 as 64512;\n  password " + password + ";"))

    assert found.peerings[0].password
    assert SECRET not in repr(found)


def test_no_recorded_password_gets_through(recorded):
    for case in ("mixed", "reload_stuck"):
        assert SECRET not in repr(recorded(case))


@given(st.text())
def test_any_text_is_survived(text):
    parse(text)


@given(st.text(alphabet="{};\"#/*\\' \npasswordneighbor10."))
def test_any_heap_of_marks_is_survived(text):
    found = parse(text)

    assert found.missing == []


@given(st.text(alphabet=st.characters(blacklist_characters='"\n', blacklist_categories=("Cs",)), min_size=1))
def test_any_password_is_dropped_and_does_not_disturb_what_follows(secret):
    found = parse(PEER.format('password "' + secret + '";\n  neighbor 10.0.0.2 as 64512;'))

    assert found.peerings[0].peer == "10.0.0.2"
    assert found.peerings[0].password


@given(st.data())
def test_a_file_cut_off_anywhere_is_survived(data):
    text = PEER.format('neighbor 10.0.0.2 as 64512;\n  password "canary"; # x\n  passive on;')
    cut = text[: data.draw(st.integers(0, len(text)))]

    assert SECRET not in repr(parse(cut))
