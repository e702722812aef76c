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


def change(ask):
    return ask.change("PATCH", "/x", (), {})


def answered(*script, until=60.0):
    """Who is patient, and has had an answer already."""
    slept = []
    made = Asker(Scripted(GOOD, *script), 1.0, time.monotonic() + until, sleep=slept.append, patient=True)
    made.get("/version")
    return made, made.transport, slept


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_a_change_that_is_refused_was_not_made(status):
    ask, transport, slept = answered(Answer(status, b""))
    with pytest.raises(ApiError) as refused:
        change(ask)
    assert not isinstance(refused.value, asking.UnclearError)
    assert (transport.asked, slept) == (2, [])


@pytest.mark.parametrize(
    "happens",
    [
        Answer(500, b""),
        Answer(503, b""),
        Answer(504, b""),
        Answer(200, b"{"),
        ApiError(problems.TIMEOUT, "late"),
        ApiError(problems.BROKEN, "broken"),
        ApiError(problems.UNREACHABLE, "away"),
    ],
)
def test_a_change_without_a_clear_answer_is_not_sent_again(happens):
    ask, transport, slept = answered(happens)
    with pytest.raises(asking.UnclearError):
        change(ask)
    assert (transport.asked, len(slept)) == (2, 1)


def test_a_change_that_never_reached_anybody_was_not_made():
    ask, _transport, _slept = asker(ApiError(problems.UNREACHABLE, "away"))
    with pytest.raises(ApiError) as away:
        change(ask)
    assert not isinstance(away.value, asking.UnclearError)


def test_a_throttled_change_waits_as_long_as_it_is_asked_to_and_no_longer_than_there_is_time():
    ask, transport, slept = answered(Answer(429, b"", "", "30"), Answer(429, b"", "", ""), GOOD)
    assert change(ask) == {}
    assert (transport.asked, slept) == (4, [30.0, 1.0])
    ask, _transport, slept = answered(Answer(429, b"", "", "300"))
    with pytest.raises(ApiError) as throttled:
        change(ask)
    assert (throttled.value.kind, slept) == (problems.THROTTLED, [])


def test_who_is_patient_tries_more_often():
    ask, transport, _slept = answered(Answer(503, b""))
    with pytest.raises(ApiError):
        ask.get("/x")
    assert transport.asked == 9
    ask, transport, _slept = answered(ApiError(problems.UNREACHABLE, "away"))
    with pytest.raises(ApiError):
        ask.get("/x")
    assert transport.asked == 5


def test_only_the_first_sentence_is_told():
    body = b'{"kind": "Status", "message": "no v3.29 here. Ask the council. Or do not."}'
    assert problems.message_of(body) == "no v3.29 here"
