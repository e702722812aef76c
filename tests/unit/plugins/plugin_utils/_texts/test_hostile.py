# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a text is, no parser raises, and twice the text costs at most about twice the work."""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import kinds, lines, routes
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts.parsed import MOST_PROBLEMS, Parsed
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts.recognise import KINDS, recognise

PACKAGE = "ansible_collections.netmedic.calico.plugins.plugin_utils._texts"
# The parsers of packet filters have tests of their own.
PARSERS = {
    kind: importlib.import_module(f"{PACKAGE}.{name}")
    for kind, name in kinds.PARSERS.items()
    if not name.startswith("firewall")
}
FOLDER = Path(__file__).parents[3] / "texts"
RECORDED = {
    kind: [path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob(f"{kind}/*/input.txt"))] for kind in PARSERS
}
COMMON = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def good(found):
    assert isinstance(found, Parsed)
    assert len(found.problems) <= MOST_PROBLEMS + 1
    for problem in found.problems:
        assert len(problem.text) <= 120
    json.dumps(kinds.plain(found.value))


@pytest.mark.parametrize("kind", PARSERS)
@COMMON
@given(text=st.text())
def test_any_text_is_read(kind, text):
    good(PARSERS[kind].parse(text))


@pytest.mark.parametrize("kind", PARSERS)
@COMMON
@given(data=st.data())
def test_a_damaged_output_is_read(kind, data):
    if not RECORDED[kind]:
        return
    text = data.draw(st.sampled_from(RECORDED[kind]))
    for _time in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, max(len(text) - 1, 0)))
        end = min(start + data.draw(st.integers(0, 40)), len(text))
        text = text[:start] + data.draw(st.text(max_size=20)) + text[end:]
    good(PARSERS[kind].parse(text))
    assert recognise(text, "") in ("", *KINDS)


@pytest.mark.parametrize("kind", PARSERS)
@COMMON
@given(data=st.data())
def test_shuffled_words_are_read(kind, data):
    words = sorted({word for text in RECORDED[kind] for word in text.split()})[:400] or ["a"]
    rows = data.draw(st.lists(st.lists(st.sampled_from(words), max_size=12), max_size=12))
    good(PARSERS[kind].parse("\n".join(" ".join(row) for row in rows)))


@pytest.mark.parametrize("kind", PARSERS)
@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 50_000,
        "[" + "1" * 100_000 + "]",
        '[{"ifname": 1, "dst": [], "flags": {}, "addr_info": {}, "nexthops": 3, "metrics": "x", "state": {}}]',
        '[{"dst":"10.0.0.0/99","dev":{}},{"ifname":"a","addr_info":[{"local":"10.0.0.1","prefixlen":"x"},7]}]',
        "\x00" * 1000,
        "\n" * 100_000,
        "a" * 1_000_000,
        " " * 1_000_000,
        "1: " * 100_000,
        "- " * 100_000,
        "| " * 100_000,
        "0.0.0.0:0 " * 50_000,
        "\ud800",
    ],
    ids=range(14),
)
def test_hostile_texts_are_read(kind, text):
    good(PARSERS[kind].parse(text))
    recognise(text)


def steps(call, text):
    """How many lines of Python a call runs. A pattern's own steps are bounded by the length of a line."""
    count = 0

    def trace(_frame, event, _argument):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call(text)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("kind", PARSERS)
def test_work_grows_with_the_text(kind):
    texts = [text for text in RECORDED[kind] if text.lstrip()[:1] not in "{["][:2]
    for text in texts:
        once = (text.rstrip("\n") + "\n") * (800 // (text.count("\n") + 1) + 1)
        small, large = steps(PARSERS[kind].parse, once), steps(PARSERS[kind].parse, once * 3)
        assert large < small * 3.3 + 2000


def test_recognition_looks_at_a_bounded_part():
    text = "nothing that is known\n" * 1000
    assert steps(recognise, text * 600) < steps(recognise, text * 60) * 1.1 + 1000


@COMMON
@given(text=st.text(), hint=st.text(max_size=30))
def test_recognition_never_raises(text, hint):
    assert recognise(text, hint) in ("", *KINDS)


@COMMON
@given(text=st.text())
def test_lines_keep_their_numbers(text):
    rows = lines.plain(text).split("\n")
    for number, line in lines.numbered(text):
        assert line in rows[number - 1]


@pytest.mark.parametrize(
    ("head", "line"),
    [
        ("", "10.0.0.1 dev eth0 lladdr aa:bb:cc:dd:ee:ff REACHABLE\n"),
        ("default proto static\n", "\tnexthop via 10.0.0.1 dev eth0 weight 1\n"),
    ],
)
def test_routes_cost_no_more_the_more_of_them_there_are(head, line):
    def seconds(lines):
        began = time.process_time()
        routes.parse(head + line * lines)
        return time.process_time() - began

    # 20 times the lines may cost 20 times as much; a square would be 400 times as much.
    assert seconds(40_000) < 100 * max(seconds(2_000), 0.005)
