# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a parser could not read is said with its line's number, and a source that was half read is not "ok"."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils import _unread
from ansible_collections.netmedic.calico.plugins.module_utils._bird import config, control, daemon, replies
from ansible_collections.netmedic.calico.plugins.module_utils._clock import chrony, ntpd
from ansible_collections.netmedic.calico.plugins.module_utils._facts import bgp, host
from ansible_collections.netmedic.calico.plugins.module_utils._facts import chrony as clock_facts
from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._firewall import ipset
from ansible_collections.netmedic.calico.plugins.module_utils._host import cni, processes

RECORDED = pathlib.Path(__file__).parent
NOW = 1_800_000_000.0


def bird_texts(name):
    return sorted((RECORDED / "_bird" / "recorded").glob(f"*/{name}"))


def config_of(text):
    return config.parse("/etc/bird.cfg", {"/etc/bird.cfg": text}.get)


def test_the_first_line_is_shown_and_the_others_are_counted():
    assert _unread.said([(7, "what is this")]) == "line 7 was not understood: what is this"
    assert _unread.said([(7, "a"), (9, "b"), (11, "c")]) == "line 7 was not understood, nor were 2 more: a"


@pytest.mark.parametrize(
    "line", ['password "hunter2";', "Token=hunter2", "x client-key-data: hunter2", "my SECRET hunter2"]
)
def test_what_follows_a_word_for_a_secret_is_never_shown(line):
    assert "hunter2" not in _unread.said([(1, line)])


def test_many_lines_are_bounded():
    found = []
    for number in range(1000):
        _unread.note(found, number, "x" * 5000)
    assert len(found) == _unread.MOST
    assert max(len(line) for _number, line in found) <= 200


def test_a_source_with_unread_lines_is_unrecognised_and_a_failed_one_stays_so():
    sources = Sources()
    sources.ok("a")
    sources.unread("a", [])
    sources.failed("b", "gone")
    sources.unread("b", [(1, "x")])
    sources.ok("c")
    sources.unread("c", [(3, "x")], "/etc/thing")
    assert [sources.status(name) for name in "abc"] == ["ok", "failed", "unrecognised"]
    assert sources.as_list()[2]["detail"] == "/etc/thing: line 3 was not understood: x"


# --- BIRD ---


@pytest.mark.parametrize("path", bird_texts("protocols.raw"), ids=lambda path: path.parent.name)
def test_every_recorded_listing_of_sessions_is_understood(path):
    assert replies.parse_sessions(path.read_text(), NOW).unread == []


@pytest.mark.parametrize("path", bird_texts("status.raw"), ids=lambda path: path.parent.name)
def test_every_recorded_status_is_understood(path):
    assert replies.parse_status(path.read_text()).unread == []


def test_a_listing_that_breaks_off_names_the_session_that_was_cut():
    text = bird_texts("protocols.raw")[0].read_text()
    lines = text.split("\n")
    last = max(number for number, line in enumerate(lines) if " BGP  " in line)
    cut = replies.parse_sessions("\n".join(lines[: last + 1]), None)
    assert [number for number, _line in cut.unread] == [last + 1]
    assert len(cut) == len(replies.parse_sessions(text, None))


def test_lines_that_are_no_rows_are_named():
    found = replies.parse_sessions("name proto table state since info\n\nSegmentation fault\n", None)
    assert found.unread == [(3, "Segmentation fault")]


def test_a_listing_without_details_is_whole():
    text = "name     proto    table    state  since       info\nMesh_1 BGP master up 01:09:17 Established\n"
    assert replies.parse_sessions(text * 2, 63_000_000_000.0).unread == []


def test_a_state_and_a_time_of_no_known_form_are_named():
    text = "Mesh_1   BGP      master   odd    01:09:17    Active\nMesh_2 BGP master start yesterday Active\n"
    assert [number for number, _line in replies.parse_sessions(text, 63_000_000_000.0).unread] == [1, 2]


def test_a_status_in_another_time_format_is_named():
    told = replies.parse_status("BIRD 1.6.8\nCurrent server time is 21.11.26\nDaemon is up and running\nOops\n")
    assert told.unread == [(2, "Current server time is 21.11.26"), (4, "Oops")]


def test_a_half_read_answer_is_no_source_that_is_ok():
    answers = [
        control.Reply(daemon.STATUS, 0, "BIRD 1.6.8\nRouter ID is 10.0.0.1\nDaemon is up and running\n"),
        control.Reply(daemon.PROTOCOLS, 0, "Mesh_1   BGP      master   up     01:09:17    Established\nwhat\n"),
    ]
    spoken = daemon.understand("/bird.ctl", "socket", control.Exchange(control.ANSWERS, "", "", answers))
    sources = Sources()
    bgp.note_spoken(spoken, "bird_socket_ipv4", ["/bird.ctl"], sources)
    assert sources.as_list() == [
        {
            "source": "bird_socket_ipv4",
            "status": "unrecognised",
            "detail": "show protocols all: line 2 was not understood: what",
        }
    ]


@pytest.mark.parametrize(
    ("text", "number", "line"),
    [
        ("router id 10.0.0.1;\nrouter id NODE;\n", 2, "router id NODE"),
        ("protocol bgp a {\n  local as 64512;\n  neighbor 10.0.0.2 as OURS;\n}\n", 3, "neighbor 10.0.0.2 as OURS"),
        ("protocol bgp a {\n  neighbor PEER as 1;\n}\n", 2, "neighbor PEER as 1"),
        ('router id 10.0.0.1;\nprotocol bgp a {\n  neighbor 10.0.0.2 as 1;\n  password "hunter2', 4, "password"),
    ],
)
def test_statements_of_bird_cfg_that_are_not_understood(text, number, line):
    assert config_of(text).unread == ([(number, line)], "/etc/bird.cfg")


def test_ordinary_statements_are_understood():
    text = """router id 10.0.0.1;
template bgp t { local as 64512; }
protocol bgp a from t { neighbor fd00::2 as 64512; }
protocol bgp b from t { neighbor 10.0.0.2 port 1790 as 64512; }
protocol bgp c { neighbor range 10.0.0.0/8; }
protocol bgp d { neighbor 10.0.0.3 internal; }
# the end"""
    assert config_of(text).unread == ([], "")


def test_a_configuration_with_an_odd_statement_is_named_with_its_line():
    parsed = config_of("router id 10.0.0.1;\nprotocol bgp a { neighbor 10.0.0.2 as OURS; }\n")
    sources = Sources()
    bgp.note_config(daemon.OnDisk("/etc/bird.cfg", parsed, 0.0), "", "bird_config_ipv4", [], sources)
    detail = "/etc/bird.cfg: line 2 was not understood: neighbor 10.0.0.2 as OURS"
    assert (sources.status("bird_config_ipv4"), sources.as_list()[0]["detail"]) == ("unrecognised", detail)


# --- others ---


def test_lines_of_ipset_that_are_none():
    found = ipset.parse("create a hash:ip family inet\nadd a 10.0.0.1\n\n# ours\nadd b 10.0.0.2\nipset v7.17: no\n")
    assert list(found) == ["a"]
    assert found.unread == [(5, "add b 10.0.0.2"), (6, "ipset v7.17: no")]


def test_lines_of_chronyc_that_are_none():
    tracking = (RECORDED / "_clock" / "recorded" / "chrony-synchronised.txt").read_text()
    assert chrony.parse(tracking, NOW)[1] == ""
    found, trouble = chrony.parse(tracking + "^*,broken\n", NOW)
    assert found["synchronised"] is True
    assert trouble == f"line {len(tracking.splitlines()) + 1} was not understood: ^*,broken"


NTPQ = """associd=0 status=0615 leap_none, sync_ntp, 1 event, clock_sync,
leap=00, stratum=3, refid=10.0.0.1, offset=0.5
     remote           refid      st t when poll reach   delay   offset  jitter
==============================================================================
*10.0.0.1        .GPS.            1 u   21   64  377    0.200   +0.100   0.010
+fd00:1234:5678:9abc::1
                 .GPS.            1 u   21   64  377    0.200   +0.100   0.010
"""


def test_a_long_name_of_ntpqs_table_has_a_line_of_its_own():
    found, trouble = ntpd.parse(NTPQ)
    assert (found["sources_total"], found["sources_reachable"], trouble) == (2, 2, "")


def test_lines_of_ntpqs_table_that_are_none():
    found, trouble = ntpd.parse(NTPQ + " 10.0.0.2 .INIT. 16\n")
    assert (found["sources_total"], trouble) == (2, "line 8 was not understood: 10.0.0.2 .INIT. 16")


def test_a_broken_cni_configuration_is_named_with_its_line(tmp_path):
    folder = tmp_path / "etc/cni/net.d"
    folder.mkdir(parents=True)
    (folder / "10-calico.conflist").write_text('{\n "plugins": [\n  {"type": "calico",,}\n ]\n}\n')
    found = cni.look(str(tmp_path))
    assert found["plugin"] == "unknown"
    assert found["unread"] == ("/etc/cni/net.d/10-calico.conflist", [(3, '{"type": "calico",,}')])
    assert cni.unread_of("{}") == [(1, "no plugin is named")]
    assert cni.unread_of("[" * 100_000)[0][0] == 1


def test_a_broken_cni_configuration_is_a_source_that_is_not_ok(tmp_path):
    folder = tmp_path / "etc/cni/net.d"
    folder.mkdir(parents=True)
    (folder / "10-calico.conflist").write_text("{")
    sources = Sources()
    view = type("View", (), {"root": str(tmp_path), "elsewhere": None})
    assert host._cni(view, sources)["cni"] == {"files": ["10-calico.conflist"], "plugin": "unknown"}
    assert sources.as_list() == [
        {
            "source": "host_cni",
            "status": "unrecognised",
            "detail": "/etc/cni/net.d/10-calico.conflist: line 1 was not understood: {",
        }
    ]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (({"synchronised": True}, "line 3 was not understood: x"), "unrecognised"),
        (({"synchronised": None}, "chronyc: timed out."), "failed"),
        (({"synchronised": True}, ""), "ok"),
    ],
)
def test_a_time_service_that_was_half_read_is_a_source_that_is_not_ok(said, status):
    sources = Sources()
    table = processes.ProcessTable([processes.Process(7, "chronyd", "/dev/null/7")])
    facts = clock_facts.gather(table, sources, 1.0, lambda _service: lambda _timeout, _now: said, lambda: None)
    assert facts["synchronised"] is said[0]["synchronised"]
    assert sources.status("chrony") == status
