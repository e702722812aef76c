# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._host import health

# As libcalico-go/lib/health/health_test.go has it.
TABLE = """+-----------+------------------+----------------+---------------------+----------------+
| COMPONENT | TIMEOUT          | LIVENESS       | READINESS           | DETAIL         |
+-----------+------------------+----------------+---------------------+----------------+
| source1   | 300ms (override) | -              | {0:19} |                |
| source2   | -                | {1:14} | reporting ready     | but very busy! |
+-----------+------------------+----------------+---------------------+----------------+"""


def answer(status, body=""):
    return f"HTTP/1.0 {status}\r\nDate: x\r\n\r\n{body}"


def test_states_are_told_apart():
    well = TABLE.format("reporting ready", "reporting live")

    assert health.parse(answer("200 OK", well)) == {"state": "ready"}
    assert health.parse(answer("204 No Content")) == {"state": "ready"}
    assert health.parse(answer("503 Service Unavailable", TABLE.format("reporting non-ready", "reporting live"))) == {
        "state": "not_ready",
        "parts": {"source1": "reporting non-ready"},
    }
    assert health.parse(answer("503 Service Unavailable", TABLE.format("timed out", "timed out"))) == {
        "state": "not_live",
        "parts": {"source1": "timed out", "source2": "timed out, but very busy!"},
    }
    assert health.parse(answer("503 Service Unavailable")) == {"state": "not_ready"}


@pytest.mark.parametrize("text", ["", "SSH-2.0-x\r\n", answer("404 Not Found"), "HTTP/1.1 2\r\n\r\n", "\0"])
def test_what_is_no_health_endpoint_is_not_taken_for_one(text):
    assert health.parse(text) == {"state": "unrecognised"}


def test_who_does_not_answer_is_given_up_on(listen):
    with listen() as silent:
        port = silent.getsockname()[1]
        assert health.ask("0.0.0.0", port, 0.2) == {"state": "no_answer"}
    assert health.ask("127.0.0.1", port, 0.2) == {"state": "refused"}


def test_who_drips_is_given_up_on(listen):
    def drip(server):
        client = server.accept()[0]
        with client:
            for _number in range(100):
                try:
                    client.sendall(b"x")
                except OSError:
                    return
                threading.Event().wait(0.05)

    with listen() as server:
        threading.Thread(target=drip, args=(server,), daemon=True).start()
        assert health.ask("127.0.0.1", server.getsockname()[1], 0.3) == {"state": "unrecognised"}


@given(st.text(max_size=300))
def test_hostile_answers_are_no_exception(noise):
    health.parse(noise)
    found = health.parse(answer("503 x", noise + "\n|" + noise + "|||||\n"))
    assert len(found.get("parts", {})) <= 8
