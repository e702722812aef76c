# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import socket
import threading
import time

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._bird import control

STATUS = "show status"
PROTOCOLS = "show protocols all"


def test_a_recorded_conversation_comes_back_byte_for_byte(bird_server, bird_recorded):
    exchange = control.ask(bird_server.play("mixed").path, (STATUS, PROTOCOLS))

    assert (exchange.state, exchange.detail, exchange.version) == (control.ANSWERS, "", "1.6.8")
    assert [reply.command for reply in exchange.replies] == [STATUS, PROTOCOLS]
    assert [reply.code for reply in exchange.replies] == [13, 0]
    assert exchange.replies[1].text == (bird_recorded / "mixed" / "protocols.raw").read_text()


def test_the_session_is_restricted_before_anything_is_asked(bird_server):
    control.ask(bird_server.play("healthy").path, (STATUS,))

    assert bird_server.commands == ["restrict", STATUS]


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_replies_may_arrive_in_pieces_of_any_size(bird_server, bird_recorded, piece):
    bird_server.play("healthy").piece = piece

    exchange = control.ask(bird_server.path, (STATUS, PROTOCOLS))

    assert exchange.state == control.ANSWERS
    assert exchange.replies[1].text == (bird_recorded / "healthy" / "protocols.raw").read_text()


@pytest.mark.parametrize(("name", "code"), [("denied", 8007), ("nomatch", 8003), ("syntax", 9001), ("unknown", 9002)])
def test_a_refused_command_is_an_answer(bird_server, bird_recorded, name, code):
    bird_server.play("mixed").replies["disable all"] = (bird_recorded / "mixed" / (name + ".raw")).read_bytes()

    exchange = control.ask(bird_server.path, ("disable all", STATUS))

    assert exchange.state == control.ANSWERS
    assert [reply.code for reply in exchange.replies] == [code, 13]


def test_lines_that_were_not_asked_for_are_left_out(bird_server):
    bird_server.play("healthy").replies[STATUS] = (
        b"+a message\n1000-BIRD 1.6.8\n+another\n0013 Daemon is up and running\n"
    )

    exchange = control.ask(bird_server.path, (STATUS,))

    assert exchange.replies[0].text == "1000-BIRD 1.6.8\n0013 Daemon is up and running\n"


def test_digits_inside_a_continuation_line_do_not_end_the_reply(bird_server):
    reply = b"1006-  Description:    x\n   0000 not the end\n 0013 neither\n1002-0000 is no code here\n0000 \n"
    bird_server.play("healthy").replies[PROTOCOLS] = reply

    exchange = control.ask(bird_server.path, (PROTOCOLS,))

    assert exchange.replies[0].text.encode() == reply


def test_no_socket_is_absent(tmp_path):
    assert control.ask(str(tmp_path / "bird.ctl"), ()).state == control.ABSENT
    assert control.ask("/dev/null/bird.ctl", ()).state == control.ABSENT


def test_a_socket_left_behind_is_refused(short_folder):
    path = os.path.join(short_folder, "bird.ctl")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(path)

    assert control.ask(path, ()).state == control.REFUSED


def test_a_daemon_that_closes_at_once_is_refused(short_folder):
    path = os.path.join(short_folder, "bird.ctl")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(1)
        listener.settimeout(5)

        def hang_up():
            listener.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        exchange = control.ask(path, ())
        thread.join()

    assert exchange.state == control.REFUSED
    assert "closes the connection at once" in exchange.detail


def test_a_daemon_that_accepts_and_says_nothing_is_given_up(short_folder):
    path = os.path.join(short_folder, "bird.ctl")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(1)
        started = time.monotonic()
        exchange = control.ask(path, (STATUS,), timeout=5, read_timeout=0.2)

    assert exchange.state == control.NO_ANSWER
    assert time.monotonic() - started < 2


def test_a_full_queue_means_that_nobody_accepts(short_folder):
    path = os.path.join(short_folder, "bird.ctl")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(0)
        waiting = []
        for _each in range(3):
            one = socket.socket(socket.AF_UNIX)
            one.setblocking(False)
            waiting.append(one)
            try:
                one.connect(path)
            except BlockingIOError:
                break
        exchange = control.ask(path, (STATUS,), timeout=5, read_timeout=0.2)
        for one in waiting:
            one.close()

    assert exchange.state == control.NO_ANSWER
    assert "takes no more connections" in exchange.detail


def test_slow_drops_do_not_outlast_the_deadline(bird_server):
    bird_server.play("mixed")
    bird_server.piece, bird_server.pause = 1, 0.05
    started = time.monotonic()

    exchange = control.ask(bird_server.path, (STATUS, PROTOCOLS), timeout=0.7, read_timeout=0.5)

    assert exchange.state == control.NO_ANSWER
    assert time.monotonic() - started < 2


def test_what_came_before_the_silence_is_kept(bird_server, bird_recorded):
    bird_server.play("healthy").replies[PROTOCOLS] = (bird_recorded / "healthy" / "protocols.raw").read_bytes()[:400]

    exchange = control.ask(bird_server.path, (STATUS, PROTOCOLS), timeout=2, read_timeout=0.2)

    assert exchange.state == control.NO_ANSWER
    assert [reply.code for reply in exchange.replies] == [13, control.NEVER_ENDED]
    assert len(exchange.replies[1].text) == 400


def test_a_daemon_that_dies_in_the_middle_is_no_answer(bird_server):
    bird_server.play("healthy").replies[PROTOCOLS] = None

    exchange = control.ask(bird_server.path, (STATUS, PROTOCOLS))

    assert exchange.state == control.NO_ANSWER
    assert "in the middle" in exchange.detail
    assert len(exchange.replies) == 1


@pytest.mark.parametrize(
    "greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff\xfe\x00\n", b"0001 GOBGP ready.\n", b"x" * 2000, b"\n"]
)
def test_another_program_on_the_socket_is_garbage(bird_server, greeting):
    bird_server.greeting = greeting
    started = time.monotonic()

    exchange = control.ask(bird_server.path, (STATUS,))

    assert exchange.state == control.GARBAGE
    assert "not BIRD's greeting" in exchange.detail
    assert time.monotonic() - started < 2
    assert bird_server.commands == []


def test_a_session_that_cannot_be_restricted_is_not_used(bird_server):
    bird_server.play("healthy").replies["restrict"] = b"9001 syntax error\n"

    exchange = control.ask(bird_server.path, (STATUS,))

    assert exchange.state == control.GARBAGE
    assert bird_server.commands == ["restrict"]


def test_an_endless_answer_is_cut_off(bird_server):
    bird_server.play("healthy").replies[PROTOCOLS] = b" x" * 500000

    exchange = control.ask(bird_server.path, (PROTOCOLS,), max_bytes=100000)

    assert exchange.state == control.GARBAGE
    assert exchange.detail == "the answer does not end"


@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied"), PermissionError(1, "Operation not permitted")]
)
def test_a_socket_of_somebody_else_is_denied(monkeypatch, error):
    def refuse(*_args):
        raise error

    monkeypatch.setattr(control, "_connect", refuse)

    exchange = control.ask("/var/run/calico/bird.ctl", (STATUS,))

    assert (exchange.state, exchange.replies) == (control.DENIED, [])


def test_a_path_too_long_for_a_socket_address_is_reached(bird_server, short_folder):
    deep = os.path.join(short_folder, *["d" * 40] * 3)
    os.makedirs(deep)
    os.symlink(bird_server.play("healthy").path, os.path.join(deep, "bird.ctl"))

    assert control.ask(os.path.join(deep, "bird.ctl"), (STATUS,)).state == control.ANSWERS


@pytest.mark.parametrize("path", ["", "nul\0byte", "/" + "x" * 300])
def test_a_path_that_is_none_does_not_raise(path):
    assert control.ask(path, (STATUS,)).state in (control.ABSENT, control.DENIED, control.REFUSED)
