# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import calendar
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._bird import log
from ansible_collections.netmedic.calico.plugins.module_utils._host import log_lines

NOW = float(calendar.timegm((2026, 11, 21, 2, 0, 0)))


@pytest.fixture
def lines(bird_text):
    """Return the recent lines of a recorded log as (kind, peer, value, count)."""

    def read(name):
        found = log.recent(log.parse(bird_text("logs", name), {}), NOW, 7200)
        return [(line.kind, line.peer, line.value, line.times) for line in found]

    return read


def one(text, addresses=None):
    """Return the only telling line."""
    (line,) = log.parse(text, addresses or {})
    return line


def test_every_kind_of_trouble_leaves_its_line(lines):
    found = lines("mixed.current")

    kinds = [(kind, peer, value) for kind, peer, value, _count in found]
    for wanted in (
        ("bad_peer_as", "10.200.0.60", "64513"),
        ("bad_peer_as", "10.200.0.61", "64512"),
        ("bad_bgp_identifier", "10.200.0.62", "10.200.0.10"),
        ("hold_timer_expired", "10.200.0.67", ""),
        ("bind_failed", "10.200.0.66", "Cannot assign requested address"),
        ("md5_unsupported", "10.200.0.68", "The password for TCP MD5 Signature is too long"),
        ("session_lost", "10.200.0.67", "Error: Hold timer expired"),
        ("session_lost", "10.200.0.9", "Received: Administrative shutdown"),
        ("session_lost", "10.200.0.1", "Received: Administrative shutdown"),
        ("started", "", ""),
        ("shutdown", "", ""),
    ):
        assert wanted in kinds
    assert ("unexpected_connect", "10.200.0.80") in [(kind, peer) for kind, peer, _value, _count in found]
    assert sum(kind == "connect" for kind, _peer, _value, _count in found) == 1


def test_filters_that_fail_and_routes_that_the_kernel_refuses_leave_their_lines(bird_text):
    found = [(line.kind, line.value) for line in log.parse(bird_text("logs", "filters.log"), {})]

    assert found[:2] == [("filter_error", "4"), ("filter_error", "undecided")]
    assert found.count(("kernel_route", "File exists")) == 3


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        # As nest/rt-table.c, sysdep/linux/netlink.c and proto/bgp/bgp.c of Calico's BIRD compose them.
        (
            "Next hop address 10.0.0.7 resolvable through recursive route for 10.1.0.0/16",
            ("next_hop_unresolvable", "10.0.0.7", "10.1.0.0/16"),
        ),
        ("Next hop address 10.0.0.7 is a local address of iface eth0", ("next_hop_is_local", "10.0.0.7", "eth0")),
        ("KRT: Received route 10.1.0.0/16 with strange next-hop 10.9.9.9", ("kernel_route", "", "10.1.0.0/16")),
        ("Kernel dropped some netlink messages, will resync on next scan.", ("netlink_overrun", "", "")),
        ("Mesh_10_0_0_7: Incoming connection aborted", ("incoming_aborted", "10.0.0.7", "")),
    ],
)
def test_messages_about_routes_are_understood(message, wanted):
    line = one("2026-11-21_01:00:00.00000 bird: " + message)

    assert (line.kind, line.peer, line.value) == wanted


def test_an_error_in_a_configuration_is_forgotten_once_a_later_one_was_taken(bird_text):
    text = bird_text("logs", "mixed.current")
    until = text.index("Reconfiguring")

    stuck = [line.value for line in log.parse(text[:until], {}) if line.kind == "config_error"]
    later = [line.value for line in log.parse(text, {}) if line.kind == "config_error"]

    assert [place.partition(".cfg")[2] for place in stuck] == [":186:35", ":118:18"]
    assert later == []


def test_a_stranger_who_connects(lines):
    (kind, peer, _port, count), *rest = lines("unknown_peer.current")

    assert (kind, peer) == ("unexpected_connect", "10.200.0.10")
    assert count > 10
    assert [line[0] for line in rest] == ["started"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("port_taken.tai64n", "Address already in use"), ("own_file.log", "Cannot assign requested address")],
)
def test_a_listening_socket_that_cannot_be_had(lines, name, value):
    kinds = lines(name)

    assert ("cannot_listen", "", "", 1) in kinds
    assert ("bind_failed", "", value, 1) in kinds


def test_a_peer_that_is_killed_and_comes_back_within_its_restart_time_was_lost(lines):
    assert ("session_lost", "10.200.0.10", "", 1) in lines("killed_peer.iso")


@pytest.mark.parametrize(
    "name", ["mixed.current", "unknown_peer.current", "port_taken.tai64n", "killed_peer.iso", "own_file.log"]
)
def test_every_recorded_form_of_time_stamp_is_read(bird_text, name):
    found = log.parse(bird_text("logs", name), {})

    assert found
    assert all(line.at and NOW - 7200 < line.at < NOW for line in found)


MESSAGE = "BGP: Unexpected connect from unknown address 10.0.0.9 (port 40000)"
AT = float(calendar.timegm((2026, 11, 21, 1, 2, 3)))


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        ("2026-11-21_01:02:03.50000 bird: ", AT),
        ("2026-11-21T01:02:03.50000 bird: ", AT),
        ("@%016x00000000 bird: " % ((1 << 62) + 10 + int(AT)), AT),
        ("2026-11-21T01:02:03.123456789Z stdout F bird: ", AT),
        ("2026-11-21T02:02:03.123456789+01:00 stderr F bird: ", AT),
        ("2026-11-21T01:02:03.1Z stdout F 2026-11-20_00:00:00.00000 bird: ", AT),
        ("bird: ", None),
        ("bird6: ", None),
        ("", None),
    ],
)
def test_time_stamps_of_all_writers(stamp, at):
    line = one(stamp + MESSAGE)

    assert (line.at, line.kind, line.peer, line.value) == (at, "unexpected_connect", "10.0.0.9", "40000")
    assert line.text == MESSAGE


def test_lines_in_the_form_of_dockers_files():
    text = '{"log":"bird: ' + MESSAGE + '\\n","stream":"stdout","time":"2026-11-21T01:02:03.123456789Z"}'

    line = one(text)

    assert (line.at, line.peer, line.text) == (AT, "10.0.0.9", MESSAGE)


def test_states_in_the_form_of_dockers_files():
    form = '{"log":"bird: Mesh_10_0_0_9: State changed to %s\\n","stream":"stdout","time":"2026-11-21T01:02:03Z"}'

    found = log.parse("\n".join(form % state for state in ("up", "stop")), {})

    assert [line.kind for line in found] == ["session_lost", "connect"]


def test_birds_own_file_is_in_local_time(monkeypatch):
    import time

    monkeypatch.setenv("TZ", "Etc/GMT-3")
    time.tzset()
    try:
        assert one("2026-11-21 04:02:03 <WARN> " + MESSAGE).at == AT
        assert one("2026-11-21 04:02:03.250 <WARN> " + MESSAGE).at == AT
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_session_that_never_was_up_cannot_be_lost():
    text = "bird: Mesh_10_0_0_9: State changed to start\nbird: Mesh_10_0_0_9: State changed to stop\n"

    assert log.parse(text, {}) == []


def test_peers_are_named_by_the_configuration_before_the_name():
    text = ["Error: Bad peer AS: 65001", "State changed to up", "State changed to stop"]

    found = log.parse("\n".join("bird: uplink: " + line for line in text), {"uplink": "192.0.2.1"})

    assert {line.peer for line in found} == {"192.0.2.1"}
    assert [line.kind for line in found] == ["bad_peer_as", "session_lost", "connect"]


def test_protocols_that_are_no_peerings_are_passed_over():
    assert log.parse("bird: device1: State changed to up\nbird: kernel1: State changed to stop", {}) == []


def test_what_confd_says_of_a_configuration_that_bird_rejects():
    place = "/etc/calico/confd/config/.bird.cfg123456:186:35"
    form = "2026-11-21 01:02:03.004 [%s][63] confd/resource.go 288: %s"
    rejected = form % ("ERROR", f'Error from checkcmd "bird -p -c /etc/x": "bird: {place} Symbol already defined\\n"')
    taken = form % ("INFO", "Target config /etc/calico/confd/config/bird.cfg has been updated due to change in key: /x")

    line = one(rejected)

    assert (line.kind, line.value, line.at) == ("config_error", place, AT)
    assert line.text.startswith("Error from checkcmd")
    assert log.parse(rejected + "\n" + taken, {}) == []


@pytest.mark.parametrize("text", ['password "canary";', "PASSWORD = canary", "the secret: canary"])
def test_secrets_do_not_get_through(text):
    line = one("bird: /etc/bird.cfg:1:2 syntax error near " + text)

    assert "canary" not in repr(line)


def test_long_lines_are_shortened():
    assert len(one("bird: /etc/bird.cfg:1:2 " + "x" * 1000).text) == 200


def line(kind, peer="", at=NOW, value=""):
    return log.Line(at, kind, peer, value, "text")


def test_lines_older_than_the_window_are_left_out():
    found = log.recent(
        [line("started", at=NOW - 3601), line("shutdown", at=NOW - 3599), line("started", at=None)], NOW, 3600
    )

    assert [one.kind for one in found] == ["shutdown", "started"]


def test_the_newest_of_many_stands_for_all():
    found = log.recent([line("bad_peer_as", "a", NOW - age, str(age)) for age in (30, 10, 20)], NOW, 3600)

    assert [(one.value, one.times) for one in found] == [("10", 3)]


def test_where_many_peers_were_lost_the_reasons_still_stand():
    many = [line("session_lost", str(number)) for number in range(100)]

    found = log.recent([line("cannot_listen", at=NOW - 60), *many], NOW, 3600)

    assert len(found) == log.MOST_LINES
    assert found[-1].kind == "cannot_listen"


def test_the_tail_begins_with_a_whole_line(tmp_path):
    path = tmp_path / "current"
    path.write_text("".join(f"line {number}\n" for number in range(1000)))

    assert log_lines.read_tail(str(path), 25) == "line 998\nline 999\n"
    assert log_lines.read_tail(str(path)).startswith("line 0\n")


def test_logs_that_are_not_there(tmp_path):
    os.mkfifo(str(tmp_path / "pipe"))

    assert log_lines.read_tail(str(tmp_path / "nothing")) == ""
    assert log_lines.read_tail(str(tmp_path)) == ""
    assert log_lines.read_tail(str(tmp_path / "pipe")) == ""


@pytest.mark.parametrize(
    ("name", "peer"),
    [
        ("Mesh_10_200_0_9", "10.200.0.9"),
        ("Global_10_0_0_1_port_1790", "10.0.0.1"),
        ("Node_fd00_200__9", "fd00:200::9"),
        ("Local_Workload_10_0_0_1", "10.0.0.1"),
        ("Mesh_gateway", ""),
        ("bgp1", ""),
    ],
)
def test_confd_writes_the_address_into_the_name(name, peer):
    assert log.peer_in_name(name) == peer


@pytest.mark.parametrize("call", ["bind", "listen"])
def test_a_port_in_use_is_told_by_either_call(call):
    (found,) = log.parse(f"bird: BGP: Socket error: {call}: Address in use\n", {})
    assert (found.kind, found.value) == ("bind_failed", "Address in use")


@given(st.text())
def test_any_text_is_survived(text):
    log.parse(text, {})


@given(
    st.lists(
        st.sampled_from(
            ["bird: ", "Mesh_1", ": State changed to ", "up", "stop", "\n", "9", ":", "bird.cfg:", "_", "Started"]
        )
    )
)
def test_any_heap_of_pieces_is_survived(pieces):
    log.recent(log.parse("".join(pieces), {}), NOW, 3600)
