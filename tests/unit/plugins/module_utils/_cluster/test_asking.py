# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trying again: where it helps, not too often, not too soon, and not when nobody is there."""

from __future__ import annotations

import time

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._cluster import asking, problems
from ansible_collections.netmedic.calico.plugins.module_utils._cluster.asking import Answer, Asker
from ansible_collections.netmedic.calico.plugins.module_utils._cluster.problems import ApiError


class Scripted:
    """Answers in the order of a script; the last entry for ever."""

    via = where = "the test"
    server = "https://api"
    workers = 1

    def __init__(self, *script):
        self.script, self.asked = list(script), 0

    def request(self, *_request):
        self.asked += 1
        found = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(found, ApiError):
            raise found
        return found


def asker(*script, until=60.0):
    slept = []
    made = Asker(Scripted(*script), 1.0, time.monotonic() + until, sleep=slept.append)
    return made, made.transport, slept


GOOD = Answer(200, b"{}", "Sat, 21 Nov 2026 00:00:00 GMT")


@pytest.mark.parametrize(
    ("status", "tries"),
    [(429, 6), (500, 3), (502, 4), (503, 4), (504, 3), (401, 1), (403, 1), (404, 1), (400, 1), (301, 1)],
)
def test_how_often(status, tries):
    ask, transport, _slept = asker(Answer(status, b""))
    with pytest.raises(ApiError):
        ask.get("/x")
    assert transport.asked == tries


@pytest.mark.parametrize(
    ("wanted", "waits"), [("2", [2.0]), ("0", [0.5]), ("", [0.5]), ("soon", [0.5]), ("10", [10.0])]
)
def test_waits_as_long_as_it_is_asked_to(wanted, waits):
    ask, _transport, slept = asker(Answer(429, b"", "", wanted), GOOD)
    assert ask.get("/x") == {}
    assert slept == waits
    assert ask.date == GOOD.date


@pytest.mark.parametrize("wanted", ["11", "3600", "9" * 30])
def test_does_not_wait_for_ever_and_does_not_come_back_too_soon(wanted):
    ask, transport, slept = asker(Answer(429, b"", "", wanted), GOOD)
    with pytest.raises(ApiError, match="too many requests"):
        ask.get("/x")
    assert (transport.asked, slept) == (1, [])


def test_does_not_wait_longer_than_there_is_time():
    ask, transport, slept = asker(Answer(429, b"", "", "5"), GOOD, until=2.0)
    with pytest.raises(ApiError):
        ask.get("/x")
    assert (transport.asked, slept) == (1, [])
    late, _transport, _slept = asker(GOOD, until=-1.0)
    with pytest.raises(ApiError, match="no time left"):
        late.get("/x")


@pytest.mark.parametrize(
    ("trouble", "tries"), [("reset", 3), ("timeout", 2), ("refused", 1), ("dns", 1), ("not_yet", 1)]
)
def test_connections(trouble, tries):
    ask, transport, _slept = asker(problems.of_connection(trouble, "https://api", "the test"))
    with pytest.raises(ApiError):
        ask.get("/x")
    assert transport.asked == tries


def test_when_nobody_is_there_no_more_is_asked():
    ask, transport, _slept = asker(problems.of_connection("refused", "https://api", "the test"))
    for _number in range(50):
        with pytest.raises(ApiError, match="Nothing listens"):
            ask.get("/x")
    assert transport.asked == 6


def test_a_list_that_always_goes_stale_is_given_up():
    ask, transport, _slept = asker(Answer(410, b""))
    begun = []
    with pytest.raises(ApiError, match="went stale"):
        ask.walk("/x", lambda _page: None, lambda: begun.append(1), 500)
    assert transport.asked == len(begun) == 4


def test_too_large_a_page(monkeypatch):
    monkeypatch.setattr(asking, "LARGEST_PAGE", 10)
    ask, _transport, _slept = asker(Answer(200, b'{"items": []}'))
    with pytest.raises(ApiError, match="Use a smaller page_size"):
        ask.get("/x")


def test_numbers_that_are_none_are_left_out():
    ask, _transport, _slept = asker(Answer(200, b'{"a": NaN, "b": Infinity, "c": 1}'))
    assert ask.get("/x") == {"a": None, "b": None, "c": 1}


def test_what_is_not_a_status_is_not_repeated():
    assert problems.message_of(b'{"kind": "Secret", "message": "canary"}') == ""
    assert problems.message_of(b"canary") == ""
    assert problems.message_of(b'{"kind": "Status", "message": "token=canary is wrong."}') == "token=… is wrong"
    assert "HTTPS server" in problems.message_of(b"Client sent an HTTP request to an HTTPS server.\n")
