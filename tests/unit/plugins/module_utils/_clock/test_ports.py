# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Daemons asked over their own ports: recorded answers, and what else may come."""

from __future__ import annotations

import contextlib
import json
import pathlib
import socket
import struct
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._clock import chrony, chrony_port, ntp_control, ntpd
from ansible_collections.netmedic.calico.plugins.module_utils._host import commands

RECORDED = pathlib.Path(__file__).parent / "recorded"


@contextlib.contextmanager
def daemon(answer):
    """Serve `answer(question) -> datagrams` on a port of 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as serving:
        serving.bind(("127.0.0.1", 0))
        serving.settimeout(0.05)
        ended = threading.Event()

        def serve():
            while not ended.is_set():
                try:
                    question, sender = serving.recvfrom(4096)
                except OSError:
                    continue
                for datagram in answer(question):
                    serving.sendto(datagram, sender)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield serving.getsockname()[1]
        finally:
            ended.set()
            thread.join()


def played(name, at, length):
    """Answer as recorded; the sequence number, `length` bytes at `at` in questions, is the question's own."""
    recorded = json.loads((RECORDED / (name + ".json")).read_text())
    questions = [bytes.fromhex(text) for text in recorded["questions"]]
    answers = [bytes.fromhex(text) for text in recorded["answers"]]
    place = {8: 16, 2: 2}[at]

    def answer(question):
        blank = question[:at] + question[at + length :]
        for number, known in enumerate(questions):
            if known[:at] + known[at + length :] == blank:
                raw = answers[number]
                return [raw[:place] + question[at : at + length] + raw[place + length :]]
        return []

    return answer


def test_chronyd_on_its_port():
    with daemon(played("chrony-port", 8, 4)) as port:
        said = chrony_port.ask(1.0, port)

    found, trouble = chrony.parse(said, 1795242760.0)
    assert trouble == ""
    assert (found["synchronised"], found["reference"], found["stratum"]) == (True, "10.8.1.254", 4)
    assert (found["sources_total"], found["sources_reachable"], found["leap"]) == (2, 1, "normal")
    assert abs(found["offset_seconds"]) < 0.001


def test_ntpd_on_its_port():
    with daemon(played("ntp-control", 2, 2)) as port:
        report = ntp_control.ask(1.0, port)

    assert (report.sources, report.reachable) == (3, 1)  # the pool itself is no source
    assert "leap=0, stratum=4, refid=10.8.1.254" in report.variables


@pytest.mark.parametrize("ask", [chrony_port.ask, ntp_control.ask])
def test_nobody_there(ask):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

    assert not ask(0.3, port)


@pytest.mark.parametrize("ask", [chrony_port.ask, ntp_control.ask])
def test_a_daemon_that_does_not_answer_is_not_waited_for(ask):
    with daemon(lambda question: []) as port:
        assert not ask(0.2, port)


def test_chronyd_that_refuses():
    def refuse(question):
        return [struct.pack("!BBxxHHH6x", 6, 2, 33, 1, 2) + question[8:12] + bytes(88)]

    with daemon(refuse) as port:
        assert chrony_port.ask(0.3, port) == ""


def test_ntpd_that_refuses():
    with daemon(lambda question: [bytes((22, question[1] | 0xC0)) + question[2:4] + bytes(8)]) as port:
        assert ntp_control.ask(0.3, port) is None


def test_ntpds_answer_in_parts_and_out_of_order():
    def answer(question):
        head = bytes((22,))
        if question[1] == 1:
            return [head + b"\x81" + question[2:4] + bytes(8)]
        first = head + b"\xa2" + question[2:4] + struct.pack("!HHHH", 0, 0, 0, 8) + b"leap=0, "
        second = head + b"\x82" + question[2:4] + struct.pack("!HHHH", 0, 0, 8, 9) + b"stratum=3" + bytes(3)
        return [second, b"rubbish", first]

    with daemon(answer) as port:
        assert ntp_control.ask(0.5, port) == ntp_control.Report("leap=0, stratum=3", 0, 0)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.binary(max_size=120), max_size=3))
@pytest.mark.parametrize("ask", [chrony_port.ask, ntp_control.ask])
def test_any_datagram_is_survived(ask, datagrams):
    def answer(question):
        return [bytes((6, 2)) + datagram[:14].ljust(14, b"\0") + question[8:12] + datagram for datagram in datagrams]

    with daemon(answer) as port:
        ask(0.02, port)


@pytest.mark.parametrize(
    ("raw", "value"),
    [("00000000", 0.0), ("02800000", 0.5), ("05800000", -1.0), ("f0100000", None), ("", 0.0)],
)
def test_chronys_own_floating_point_numbers(raw, value):
    found = chrony_port.parse_float(bytes.fromhex(raw))

    assert value is None or found == pytest.approx(value)


def test_ntpd_that_answers_needs_no_ntpq(monkeypatch):
    report = ntp_control.Report("leap=0, stratum=4, refid=10.8.1.254, offset=0.5", 3, 2)
    monkeypatch.setattr(ntp_control, "ask", lambda timeout: report)
    monkeypatch.setattr(commands, "run", lambda *_arguments: pytest.fail("ntpq was run"))

    found, trouble = ntpd.read(1.0, 0.0)

    assert trouble == ""
    assert (found["synchronised"], found["offset_seconds"], found["sources_reachable"]) == (True, 0.0005, 2)


@pytest.mark.parametrize(("read", "silent"), [(chrony.read, (chrony_port, "")), (ntpd.read, (ntp_control, None))])
def test_a_daemon_that_does_not_answer_is_asked_by_its_program(monkeypatch, read, silent):
    module, nothing = silent
    monkeypatch.setattr(module, "ask", lambda timeout: nothing)
    monkeypatch.setattr(commands, "run", lambda *_arguments: commands.CommandResult(-1, "", "", "absent"))

    found, trouble = read(1.0, 0.0)

    assert found == {}
    assert "not installed" in trouble
