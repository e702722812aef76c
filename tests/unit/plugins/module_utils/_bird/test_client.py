# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._bird import client, control
from ansible_collections.netmedic.calico.plugins.module_utils._host import commands

QUESTIONS = ("show status", "show protocols all")


@pytest.fixture
def program(monkeypatch):
    """Lets birdcl be installed and end with the given result; returns the command lines."""
    lines = []

    def install(result, names=("birdcl",)):
        def run(argv, timeout):
            lines.append(list(argv))
            return result

        monkeypatch.setattr(commands, "find_program", lambda name: "/usr/sbin/" + name if name in names else "")
        monkeypatch.setattr(commands, "run", run)
        return lines

    return install


def test_each_question_is_one_restricted_run(program, bird_text):
    lines = program(commands.CommandResult(0, bird_text("mixed", "birdc.txt"), "", ""))

    exchange = client.ask("ipv4", "/run/bird.ctl", QUESTIONS)

    assert lines == [
        ["birdcl", "-r", "-s", "/run/bird.ctl", "show", "status"],
        ["birdcl", "-r", "-s", "/run/bird.ctl", "show", "protocols", "all"],
    ]
    assert (exchange.state, exchange.version, len(exchange.replies)) == (control.ANSWERS, "1.6.8", 2)


def test_without_a_path_the_client_uses_its_own(program):
    lines = program(commands.CommandResult(0, "BIRD 1.6.8 ready.\n", "", ""))

    client.ask("ipv4", "", QUESTIONS[:1])

    assert lines == [["birdcl", "-r", "show", "status"]]


def test_ipv6_prefers_its_own_client(program):
    lines = program(commands.CommandResult(0, "", "", ""), names=("birdc6", "birdc"))

    client.ask("ipv6", "", QUESTIONS[:1])

    assert lines[0][0] == "birdc6"


def test_no_client_is_installed(program):
    program(commands.CommandResult(0, "", "", ""), names=())

    assert client.ask("ipv4", "", QUESTIONS).state == control.ABSENT


@pytest.mark.parametrize(
    ("result", "state"),
    [
        (commands.CommandResult(-9, "", "", "timeout"), control.NO_ANSWER),
        (
            commands.CommandResult(
                1, "", "Unable to connect to server control socket (/x): No such file or directory", ""
            ),
            control.ABSENT,
        ),
        (
            commands.CommandResult(1, "", "Unable to connect to server control socket (/x): Connection refused", ""),
            control.REFUSED,
        ),
        (
            commands.CommandResult(1, "", "Unable to connect to server control socket (/x): Permission denied", ""),
            control.DENIED,
        ),
        (commands.CommandResult(-1, "", "", "denied"), control.DENIED),
    ],
)
def test_a_client_that_fails_says_why(program, result, state):
    program(result)

    exchange = client.ask("ipv4", "/x", QUESTIONS)

    assert (exchange.state, exchange.replies) == (state, [])
    assert exchange.detail.startswith("birdcl: ")
