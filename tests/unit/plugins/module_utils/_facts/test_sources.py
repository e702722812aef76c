# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources


def test_entries_stand_in_the_order_in_which_sources_were_tried():
    sources = Sources()
    sources.ok("b")
    sources.absent("a", "there is none")
    sources.failed("c", "broke")
    sources.unrecognised("d", "what is this")

    assert sources.as_list() == [
        {"source": "b", "status": "ok", "detail": ""},
        {"source": "a", "status": "absent", "detail": "there is none"},
        {"source": "c", "status": "failed", "detail": "broke"},
        {"source": "d", "status": "unrecognised", "detail": "what is this"},
    ]


def test_the_last_word_on_a_source_counts():
    sources = Sources()
    sources.failed("a", "first try")
    sources.ok("a")

    assert sources.as_list() == [{"source": "a", "status": "ok", "detail": ""}]
    assert (sources.status("a"), sources.status("b")) == ("ok", "")


def test_details_are_one_line_and_short():
    sources = Sources()
    sources.failed("a", "two\n  lines " + "x" * 1000)

    detail = sources.as_list()[0]["detail"]
    assert detail.startswith("two lines x")
    assert len(detail) == 300


def test_the_guard_hands_on_what_was_gathered():
    sources = Sources()

    assert sources.guard("a", lambda: {"found": 1}, {}) == {"found": 1}
    assert sources.as_list() == []


@pytest.mark.parametrize(
    "error", [ValueError("bad"), OSError(5, "I/O"), KeyError("x"), RecursionError("deep"), MemoryError()]
)
def test_the_guard_turns_any_breakdown_into_an_entry(error):
    sources = Sources()

    def gather():
        raise error

    assert sources.guard("a", gather, "default") == "default"
    assert sources.status("a") == "failed"
    assert type(error).__name__ in sources.as_list()[0]["detail"]


def test_the_guard_lets_the_user_interrupt():
    def gather():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Sources().guard("a", gather, None)


def test_the_list_is_a_copy():
    sources = Sources()
    sources.ok("a")
    sources.as_list()[0]["status"] = "changed"

    assert sources.status("a") == "ok"
