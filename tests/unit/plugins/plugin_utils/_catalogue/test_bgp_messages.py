# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that carry nothing, and timers that expire."""

from __future__ import annotations

from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import commands, summary, told

FAULT, TIMER = "middlebox_breaks_bgp", "hold_timer_expired"


def open_sent(mesh, caller="node-1", called="node-2"):
    mesh.trouble(caller, called, "OpenSent")
    mesh.trouble(called, caller, "OpenSent")
    mesh.probe(caller, called, "open")


def stuck(mesh, name, peer, send_queue=63, retransmits=5, receive_queue=0):
    entry = {
        "local": mesh.addresses[name],
        "peer": mesh.addresses[peer],
        "state": "ESTABLISHED",
        "send_queue": send_queue,
        "receive_queue": receive_queue,
        "retransmits": retransmits,
    }
    mesh.bgp(name).setdefault("sockets", []).append(entry)


def sent(payloads=0, repeated=0, acknowledged=False, **messages):
    return {"payloads": payloads, "repeated": repeated, "acknowledged": acknowledged, "messages": messages}


def capture(mesh, name, mine, theirs, notifications=(), other="node-2"):
    entry = {"caller": name, "called": other, "sent": mine, "answered": theirs, "notifications": list(notifications)}
    mesh.bgp(name)["captured"] = [entry]


def alone(mesh, name="node-1"):
    """Of one node nothing but texts is known."""
    for each in list(mesh.facts):
        mesh.bgp(each)["daemons"] = {}
        if each != name:
            del mesh.facts[each]


# --- the path ---


def test_small_messages_lost_at_both_ends(mesh):
    open_sent(mesh)
    stuck(mesh, "node-1", "node-2")
    stuck(mesh, "node-2", "node-1")
    item = told(mesh)[FAULT]
    assert list(told(mesh)) == [FAULT]
    assert set(item.subject.nodes) == {"node-1", "node-2"}
    assert item.confidence > 0.95
    assert "do not get through" in summary(mesh, None, FAULT)
    assert "tcpdump" in commands(mesh, None, FAULT)


def test_one_end_is_enough(mesh):
    open_sent(mesh)
    stuck(mesh, "node-1", "node-2")
    mesh.lose("node-2")
    assert told(mesh)[FAULT].confidence > 0.8


def test_large_messages_are_a_matter_of_size(mesh):
    mesh.trouble("node-1", "node-2", "Idle", "BGP Error: Hold timer expired")
    mesh.trouble("node-2", "node-1", "Passive", "Received: Hold timer expired")
    mesh.probe("node-1", "node-2", "open")
    stuck(mesh, "node-1", "node-2", send_queue=3200)
    assert FAULT not in told(mesh)


def test_a_bird_that_does_not_read_is_no_matter_of_the_path(mesh):
    open_sent(mesh)
    stuck(mesh, "node-2", "node-1", send_queue=0, retransmits=0, receive_queue=63)
    mesh.bgp("node-2")["sockets"][0]["stuck_seconds"] = 0.5
    assert FAULT not in told(mesh)


def test_a_connection_that_is_made_just_now_is_nothing(mesh):
    stuck(mesh, "node-1", "node-2", retransmits=1)
    assert told(mesh) == {}


def test_resets_at_both_ends_come_from_between(mesh):
    for name, peer, state in (("node-1", "node-2", "Active"), ("node-2", "node-1", "Passive")):
        mesh.trouble(name, peer, state, "Socket: Connection reset by peer")
    mesh.probe("node-1", "node-2", "open")
    item = told(mesh)[FAULT]
    assert item.confidence >= 0.5
    assert "resets" in summary(mesh, None, FAULT)


def test_a_reset_at_one_end_is_the_other_ends(mesh):
    mesh.trouble("node-1", "node-2", "Active", "Socket: Connection reset by peer")
    mesh.trouble("node-2", "node-1", "Passive")
    mesh.probe("node-1", "node-2", "open")
    assert FAULT not in told(mesh)


def test_an_open_without_answer_in_a_capture(mesh):
    alone(mesh)
    capture(mesh, "node-1", sent(1, open=1), sent())
    once = told(mesh)[FAULT]
    assert once.subject.nodes[0] == "node-1"
    assert "no message of BGP comes back" in summary(mesh, None, FAULT)
    capture(mesh, "node-1", sent(3, repeated=3, open=3), sent())
    assert told(mesh)[FAULT].confidence > once.confidence
    assert "tcpdump" in commands(mesh, None, FAULT)


def test_an_open_that_is_acknowledged_has_arrived(mesh):
    alone(mesh)
    capture(mesh, "node-1", sent(1, acknowledged=True, open=1), sent())
    assert FAULT not in told(mesh)


def test_an_open_that_is_answered_is_well(mesh):
    alone(mesh)
    capture(mesh, "node-1", sent(1, open=1), sent(1, open=1))
    assert FAULT not in told(mesh)


# --- timers ---


def expired(by, heard=None):
    return {"by": by, "says": "Hold timer expired (4)", **({} if heard is None else {"heard_before": heard})}


def test_a_timer_that_expires_beside_messages_is_its_own_ends(mesh):
    alone(mesh)
    capture(mesh, "node-1", sent(1, notification=1), sent(5, keepalive=5), [expired("node-1", 0.4)])
    item = told(mesh)[TIMER]
    assert item.subject.nodes == ("node-1",)
    assert item.severity == "major"
    assert "unread" in summary(mesh, None, TIMER)


def test_a_timer_that_expires_after_silence_is_less_plain(mesh):
    alone(mesh)
    capture(mesh, "node-1", sent(1, notification=1), sent(1, keepalive=1), [expired("node-1", 9.0)])
    quiet = told(mesh)[TIMER].confidence
    capture(mesh, "node-1", sent(1, notification=1), sent(1, keepalive=1), [expired("node-1", 0.9)])
    assert told(mesh)[TIMER].confidence > quiet


def test_after_silence_the_silent_end_is_named_first(mesh):
    alone(mesh)
    capture(mesh, "node-1", sent(1, notification=1), sent(1, keepalive=1), [expired("node-1", 9.0)], other="10.0.0.254")
    assert told(mesh)[TIMER].subject.nodes == ("10.0.0.254", "node-1")


def test_who_was_not_heard_is_named_first(mesh):
    mesh.trouble("node-1", "node-2", "Idle", "Received: Hold timer expired")
    mesh.trouble("node-2", "node-1", "Passive", "BGP Error: Hold timer expired")
    assert told(mesh)[TIMER].subject.nodes[0] == "node-1"


def test_what_a_router_agrees_upon_with_others_counts(mesh):
    router = "10.0.0.254"
    mesh.trouble("node-2", router, "Idle", "Received: Hold timer expired", kind="Global", passive=False)
    before = told(mesh)[TIMER].confidence
    mesh.daemon("node-3")["peers"]["short_hold_times"] = {"3": {"10.0.0": "254"}}
    assert told(mesh)[TIMER].confidence > before
