# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._clock import chrony, kernel, ntpd, openntpd, timesyncd
from ansible_collections.netmedic.calico.plugins.module_utils._host import commands

RECORDED = pathlib.Path(__file__).parent / "recorded"
NOW = 1795224060.0


def recorded(name):
    return (RECORDED / (name + ".txt")).read_text()


def test_chrony_synchronised():
    found, trouble = chrony.parse(recorded("chrony-synchronised"), NOW)

    assert trouble == ""
    assert found == {
        "leap": "normal",
        "synchronised": True,
        "reference": "10.8.1.254",
        "stratum": 4,
        "offset_seconds": -1.586e-06,
        "last_update_seconds_ago": 8,
        "sources_total": 2,
        "sources_reachable": 1,
        "why": "chronyd follows 10.8.1.254 (1 of 2 sources answer).",
    }


@pytest.mark.parametrize(
    ("name", "synchronised", "reachable", "why"),
    [
        ("chrony-starting", False, 1, "chronyd has not synchronised (1 of 2 sources answer)."),
        ("chrony-no-source-answers", False, 0, "chronyd has not synchronised (0 of 2 sources answer)."),
        ("chrony-own-clock", False, 0, "chronyd takes its own clock for the time (0 of 0 sources answer)."),
        ("chrony-source-lost", True, 0, "chronyd was synchronised 100 s ago; now 0 of 2 sources answer."),
    ],
)
def test_chrony_in_other_states(name, synchronised, reachable, why):
    found, trouble = chrony.parse(recorded(name), 1795224183.5)

    assert trouble == ""
    assert (found["synchronised"], found["sources_reachable"], found["why"]) == (synchronised, reachable, why)
    assert ("offset_seconds" in found) == synchronised


def test_a_chronyd_that_is_not_there():
    assert chrony.parse(recorded("chrony-cannot-talk"), NOW) == ({}, "chronyc said: 506 Cannot talk to daemon.")


def test_ntpd_synchronised():
    found, trouble = ntpd.parse(recorded("ntpq-synchronised"))

    assert trouble == ""
    assert found == {
        "leap": "normal",
        "stratum": 4,
        "synchronised": True,
        "sources_total": 2,
        "sources_reachable": 1,
        "reference": "10.8.1.254",
        "offset_seconds": found["offset_seconds"],
        "why": "ntpd is synchronised (1 of 2 sources answer).",
    }
    assert 0 < found["offset_seconds"] < 0.001


def test_ntpd_starting():
    found, trouble = ntpd.parse(recorded("ntpq-starting"))

    assert trouble == ""
    assert (found["synchronised"], found["leap"], found["sources_reachable"]) == (False, "not_synchronised", 0)
    assert "offset_seconds" not in found


def test_an_ntpd_that_is_not_there():
    found, trouble = ntpd.parse(recorded("ntpq-refused"))

    assert found == {}
    assert "Socket error" in trouble


def answering(monkeypatch, stdout="", stderr="", failure=""):
    monkeypatch.setattr(commands, "run", lambda argv, timeout: commands.CommandResult(0, stdout, stderr, failure))


def test_timesyncd_synchronised(monkeypatch, tmp_path):
    answering(monkeypatch, recorded("timesyncd-synchronised"))
    mark = tmp_path / "synchronized"
    mark.write_text("")

    found, trouble = timesyncd.read(1.0, mark.stat().st_mtime + 90, str(mark))

    assert trouble == ""
    assert found == {
        "synchronised": True,
        "sources_total": 1,
        "sources_reachable": 1,
        "leap": "normal",
        "reference": "10.8.1.254",
        "stratum": 3,
        "offset_seconds": 8e-06,
        "last_update_seconds_ago": 90,
        "why": "systemd-timesyncd has synchronised with 10.8.1.254.",
    }


def test_timesyncd_without_an_answer(monkeypatch, tmp_path):
    answering(monkeypatch, recorded("timesyncd-no-answer"))

    found, trouble = timesyncd.read(1.0, NOW, str(tmp_path / "none"))

    assert trouble == ""
    assert (found["synchronised"], found["sources_reachable"]) == (False, 0)
    assert found["why"] == "systemd-timesyncd has not synchronised with 10.8.1.77 since the node booted."


@pytest.mark.parametrize("name", ["timesyncd-synchronised", "timesyncd-no-answer"])
def test_timesyncd_that_is_answered_no_more(monkeypatch, tmp_path, name):
    answering(monkeypatch, recorded(name))
    mark = tmp_path / "synchronized"
    mark.write_text("")
    marked = mark.stat().st_mtime

    found, _trouble = timesyncd.read(1.0, marked + 90000, str(mark))

    assert (found["synchronised"], found["last_update_seconds_ago"]) == (False, 90000)
    assert found["why"].endswith(" 90000 s ago, and not since.")
    assert timesyncd.read(1.0, marked + 6000, str(mark))[0]["synchronised"] is True
    monkeypatch.setattr(timesyncd, "_USUAL_POLL", 1.0)  # its own word counts
    assert timesyncd.read(1.0, marked + 6000, str(mark))[0]["synchronised"] is True


@pytest.mark.parametrize("name", ["openntpd-no-answer"])
def test_openntpd(name):
    assert openntpd.parse(recorded(name)) == (
        {
            "synchronised": False,
            "sources_total": 1,
            "sources_reachable": 0,
            "why": "OpenNTPD has not synchronised.",
        },
        "",
    )


def test_openntpd_is_understood_or_quoted(monkeypatch):
    found, trouble = openntpd.parse("3/4 peers valid, constraint offset 1s, clock synced, stratum 3\n")
    assert (found["synchronised"], found["stratum"], found["sources_reachable"], trouble) == (True, 3, 3, "")
    assert openntpd.parse("ntpctl: connect: No such file\n") == ({}, "ntpctl said: ntpctl: connect: No such file.")
    answering(monkeypatch, failure="absent")
    assert openntpd.read(1.0, NOW)[1] == "OpenNTPD runs, and ntpctl is not installed."


@pytest.mark.parametrize("name", ["timesyncd-not-running", "timesyncd-no-systemd"])
def test_timesyncd_by_its_mark_alone(monkeypatch, tmp_path, name):
    answering(monkeypatch, stderr=recorded(name))
    mark = tmp_path / "synchronized"
    mark.write_text("")

    found, trouble = timesyncd.read(1.0, mark.stat().st_mtime + 3600, str(mark))
    assert timesyncd.read(1.0, mark.stat().st_mtime + 7000, str(mark))[0]["synchronised"] is None

    assert found["synchronised"] is True
    assert trouble.startswith("timedatectl said: ")


@pytest.mark.parametrize(("reader", "program"), [(chrony, "chronyc"), (ntpd, "ntpq"), (timesyncd, "timedatectl")])
def test_programs_that_hang_or_are_missing(monkeypatch, reader, program):
    answering(monkeypatch, failure="timeout")
    assert reader.read(1.0, NOW)[1] == f"{program}: timeout."
    answering(monkeypatch, failure="absent")
    assert program in reader.read(1.0, NOW)[1]


@pytest.mark.parametrize(
    ("text", "seconds"), [("+15us", 1.5e-05), ("-1min 4.5s", -64.5), ("0", 0.0), ("+2h 3ms", 7200.003), ("1.2.3s", 0.0)]
)
def test_spans_of_time(text, seconds):
    assert timesyncd._span(text) == seconds


@pytest.mark.parametrize("name", sorted(path.stem for path in RECORDED.glob("*.txt")))
def test_every_text_may_be_cut_short_anywhere(name):
    text = recorded(name)
    for end in range(0, len(text), 3):
        for parse in (lambda part: chrony.parse(part, NOW), ntpd.parse, timesyncd.parse):
            found, trouble = parse(text[:end])
            assert bool(found) != bool(trouble) or trouble.startswith("line ")


@given(st.text(max_size=300))
def test_no_text_breaks_a_parser(text):
    for parse in (lambda part: chrony.parse(part, NOW), ntpd.parse, timesyncd.parse):
        found, trouble = parse(text)
        assert bool(found) != bool(trouble) or trouble.startswith("line ")


@given(
    st.lists(st.sampled_from(["nan", "inf", "-1e400", "", "x", "7F7F0101", "0", "Normal"]), min_size=14, max_size=14)
)
def test_no_number_breaks_chronys_line(fields):
    chrony.parse(",".join(fields), NOW)


def test_the_kernel_says_yes_or_no():
    assert kernel.synchronised() in (True, False)
