# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._bird import replies


@pytest.fixture
def sessions(bird_text):
    """Return the recorded sessions of a case by name."""

    def read(case):
        status = replies.parse_status(bird_text(case, "status.raw"))
        return {one.name: one for one in replies.parse_sessions(bird_text(case, "protocols.raw"), status.now)}

    return read


def test_status_while_bird_recovers_from_its_start(bird_text):
    status = replies.parse_status(bird_text("recovery", "status.raw"))

    assert (status.version, status.router_id, status.state) == ("1.6.8", "10.200.0.10", replies.UP)
    assert status.booted_ago == status.reconfigured_ago == 6
    assert (status.waiting_for, status.wait_timer) == (11, "234/240")


def test_status_of_a_healthy_bird(bird_text):
    status = replies.parse_status(bird_text("healthy", "status.raw"))

    assert (status.state, status.waiting_for, status.wait_timer) == (replies.UP, None, "")
    assert status.booted_ago == 21


def test_status_of_bird_2_has_fractions(bird_text):
    status = replies.parse_status(bird_text("bird2", "status.raw"))

    assert (status.version, status.router_id, status.state) == ("2.0.12", "10.200.0.14", replies.UP)
    assert status.booted_ago == pytest.approx(20, abs=0.1)


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ("Shutdown in progress", replies.SHUTDOWN),
        ("Reconfiguration in progress", replies.RECONFIGURING),
        ("Something else", ""),
    ],
)
def test_status_says_what_the_daemon_is_about(line, state):
    assert replies.parse_status("1000-BIRD 1.6.8\n0013 " + line + "\n").state == state


@pytest.mark.parametrize(
    ("name", "state", "bgp_state", "error"),
    [
        ("Mesh_10_200_0_9", "up", "Established", ""),
        ("Node_10_200_0_2", "start", "Active", "Socket: Connection refused"),
        ("Node_10_200_0_3", "start", "Connect", "Socket: No route to host"),
        ("Node_10_200_0_4", "start", "Connect", ""),
        ("Mesh_10_200_0_5", "start", "Passive", ""),
        ("Mesh_10_200_0_60", "start", "Idle", "BGP Error: Bad peer AS"),
        ("Mesh_10_200_0_61", "start", "Idle", "Received: Bad peer AS"),
        ("Mesh_10_200_0_62", "start", "Idle", "BGP Error: Bad BGP identifier"),
        ("Mesh_10_200_0_63", "start", "Passive", ""),
        ("Global_10_99_0_1", "start", "Active", "Socket: Network is unreachable"),
        ("Global_10_99_0_2", "start", "Idle", ""),
        ("Node_10_200_0_9", "start", "Idle", ""),
        ("Node_10_200_0_66", "start", "Active", "Socket: Connection closed"),
        ("Mesh_10_200_0_67", "start", "Passive", "BGP Error: Hold timer expired"),
        ("Node_10_200_0_68", "down", "Down", "Error: Kernel MD5 auth failed"),
        ("Global_10_200_0_69_port_1790", "up", "Established", ""),
        ("Global_10_200_0_70", "down", "Down", ""),
        ("Local_Workload_10_200_0_71", "start", "Passive", ""),
    ],
)
def test_every_kind_of_trouble_is_read(sessions, name, state, bgp_state, error):
    session = sessions("mixed")[name]

    assert (session.state, session.bgp_state, session.last_error) == (state, bgp_state, error)


def test_only_bgp_protocols_are_read(sessions, bird_text):
    found = sessions("mixed")

    assert len(found) == 21
    assert "kernel1" in bird_text("mixed", "protocols.raw")
    assert "kernel1" not in found


def test_an_established_session_in_full(sessions):
    assert sessions("healthy")["Mesh_10_200_0_10"] == replies.Session(
        name="Mesh_10_200_0_10",
        state="up",
        bgp_state="Established",
        last_error="",
        since=19,
        peer="10.200.0.10",
        peer_as=64512,
        local_as=None,
        peer_id="10.200.0.10",
        source="10.200.0.9",
        hold_timer=sessions("healthy")["Mesh_10_200_0_10"].hold_timer,
        imported=1,
        exported=1,
        external=False,
        restarting=False,
    )


def test_a_protocol_that_could_not_listen(sessions):
    session = sessions("no_listening_socket")["Mesh_10_200_0_1"]

    assert (session.state, session.bgp_state, session.last_error) == ("down", "Down", "Error: No listening socket")


def test_a_peer_that_restarts_keeps_its_routes(sessions):
    session = sessions("restarting_peer")["Mesh_10_200_0_10"]

    assert (session.restarting, session.established, session.imported) == (True, False, 1)


def test_ipv6_addresses(sessions):
    assert sessions("ipv6")["Mesh_fd00_200__9"].peer == "fd00:200::9"
    assert sessions("ipv6")["Mesh_fd00_200__9"].source == "fd00:200::a"


def test_bird_2_prints_the_time_with_a_fraction_and_its_routes_by_channel(sessions):
    found = sessions("bird2")

    established = found["Mesh_10_200_0_15"]
    assert (established.bgp_state, established.imported, established.local_as) == ("Established", 1, 64512)
    assert established.since == pytest.approx(18, abs=0.1)
    assert found["Node_10_200_0_77"].last_error == "Socket: No route to host"
    assert found["Mesh_10_200_0_79"].bgp_state == "Down"


def test_routes_of_several_channels_add_up():
    text = "1002-x BGP --- up 10:00:00 Established\n1006-  BGP state:          Established\n"
    for number in (3, 4):
        text += f"   Channel ipv{number}\n     Routes:         {number} imported, 1 exported, 0 preferred\n"

    (session,) = replies.parse_sessions(text + " \n0000 \n", None)

    assert (session.imported, session.exported) == (7, 2)


def test_birdc_prints_the_same_as_the_socket_says(bird_text, sessions):
    printed = bird_text("mixed", "birdc.txt")
    status = replies.parse_status(printed)

    assert status.version == "1.6.8"
    found = replies.parse_sessions(printed, status.now)
    assert {(one.name, one.peer, one.peer_as) for one in found} == {
        (one.name, one.peer, one.peer_as) for one in sessions("mixed").values()
    }
    assert len(found) == 21


def test_a_table_without_details_still_gives_the_states():
    rows = (
        "2002-name     proto    table    state  since       info\n1002-static1  Static   master   up     01:09:15    \n"
    )
    rows += " Node_10_0_0_2 BGP      master   start  01:09:15    Active        Socket: Connection refused\n0000 \n"

    (session,) = replies.parse_sessions(rows, None)

    assert (session.bgp_state, session.last_error) == ("Active", "Socket: Connection refused")


@pytest.mark.parametrize(
    ("now", "text", "ago"),
    [
        ("2026-11-21 12:00:10", "12:00:00", 10),
        ("2026-11-21 12:00:10", "12:00:10", 0),
        ("2026-11-21 00:00:05", "23:59:55", 10),
        ("2026-11-21 03:00:00", "07:30:00", 19.5 * 3600),
        ("2026-11-21 12:00:10.250", "12:00:00.000", 10.25),
        ("2026-11-21 12:00:10", "12:00", 10),
        ("2026-11-21 12:00:00", "2026-11-19", 2.5 * 86400),
        ("2026-11-21 12:00:00", "2026-11-20 11:59:00", 86460),
        ("2024-03-01 00:00:00", "2024-02-28 00:00:00.000", 2 * 86400),
        # The daemon's clock ticks between its two answers.
        ("2026-11-21 12:00:10", "12:00:11", 0),
        ("2026-11-21 12:00:10", "Nov20", None),
        ("2026-11-21 12:00:10", "2026-13-45", None),
        ("2026-11-21 12:00:10", "<too-long>", None),
        ("2026-11-21 12:00:10", "", None),
    ],
)
def test_since_becomes_an_age_by_birds_own_clock(now, text, ago):
    assert replies.since(text, replies.moment(now)) == (None if ago is None else pytest.approx(ago))


def test_without_birds_clock_there_is_no_age():
    assert replies.since("12:00:00", None) is None


@given(st.integers(0, 20 * 3600 - 1), st.integers(0, 86399))
def test_any_age_below_twenty_hours_is_found_again(age, second_of_day):
    now = replies.moment("2026-11-21 00:00:00") + second_of_day
    then = (second_of_day - age) % 86400
    text = f"{then // 3600:02d}:{then // 60 % 60:02d}:{then % 60:02d}"

    assert replies.since(text, now) == age


@pytest.mark.parametrize(
    ("name", "kind", "port"),
    [
        ("Mesh_10_0_0_1", "Mesh", None),
        ("Node_fd00__1", "Node", None),
        ("Global_10_0_0_1_port_1790", "Global", 1790),
        ("Local_Workload_10_0_0_1", "Local_Workload", None),
        ("Meshed", "other", None),
        ("bgp1", "other", None),
    ],
)
def test_names_tell_the_kind_of_peering(name, kind, port):
    assert (replies.kind_of(name), replies.port_in_name(name)) == (kind, port)


@given(st.text())
def test_any_text_is_survived(text):
    replies.parse_status(text)
    replies.parse_sessions(text, None)


_TEXTS = (
    """2002-name     proto    table    state  since       info
1002-Mesh_10_0_0_1 BGP      master   start  01:09:15    Connect       Socket: No route to host
1006-  Description:    Connection to BGP peer
   Routes:         1 imported, 0 exported, 1 preferred
   BGP state:          Connect
     Neighbor address: 10.0.0.1
     Neighbor AS:      64512

0000
""",
    """1000-BIRD 1.6.8
1011-Router ID is 10.0.0.1
 Current server time is 2026-11-21 01:09:55
0013 Daemon is up and running
""",
)


@given(st.data())
def test_a_reply_cut_off_anywhere_is_survived(data):
    text = data.draw(st.sampled_from(_TEXTS))
    cut = text[: data.draw(st.integers(0, len(text)))]

    replies.parse_status(cut)
    assert len(replies.parse_sessions(cut, 0.0)) <= len(replies.parse_sessions(text, 0.0))


def test_a_router_id_that_is_none_is_told_and_not_taken():
    status = replies.parse_status("1000-BIRD 1.6.8\n1011-Router ID is " + "9" * 10_000_000 + "\n0013 Daemon\n")

    assert (status.version, status.router_id) == ("1.6.8", "")
    assert status.unread[0][0] == 2
    assert replies.parse_status("Router ID is 10.0.0.1 and more\n").router_id == ""
    assert replies.parse_status("Router ID is 10.0.0.1\n").unread == []


def test_no_value_is_longer_than_any_of_birds():
    long = "x" * 1_000_000
    word = "y" * 300
    rows = f"1002-{word} BGP {word} {word} {word} {long} {long}\n"
    labels = ("BGP state", "Last error", "Neighbor address", "Neighbor ID", "Source address", "Hold timer", "Routes")
    details = "".join(f"1006-   {label}: {long}\n" for label in (*labels, "Routes", "Connect delay"))
    status = replies.parse_status(f"1000-BIRD {long}\n Wait timer is {long}\n {long}\n")
    read = replies.parse_sessions(rows + details, 0.0)

    assert len(read) == 1
    assert len(repr(read)) + len(repr(read.unread)) + len(repr(status)) < 10_000
    assert len(read.unread) > 0
    assert len(status.unread) > 0


def test_sessions_beyond_reason_are_counted_among_what_was_not_read():
    row = "1002-Mesh_%d BGP      master   start  07:00:00    Active        Socket: Connection refused\n"
    read = replies.parse_sessions("".join(row % number for number in range(60_000)), None)

    assert len(read) == replies.MOST_SESSIONS
    assert len(read.unread) > 0
