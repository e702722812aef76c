# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._bird import client, control
from ansible_collections.netmedic.calico.plugins.module_utils._bird import daemon as looking
from ansible_collections.netmedic.calico.plugins.module_utils._bird.discovery import Daemon, Place
from ansible_collections.netmedic.calico.plugins.module_utils._host.processes import Process


def a_daemon(sockets=(), configs=(), process=None):
    return Daemon("ipv4", process, list(sockets), list(configs), [])


@pytest.fixture
def no_client(monkeypatch):
    """The client program is installed nowhere, and asking it is noted."""
    asked = []

    def ask(family, path, questions, timeout):
        asked.append(path)
        return control.Exchange(control.ABSENT, "neither birdcl nor birdc is installed", "", [])

    monkeypatch.setattr(client, "ask", ask)
    return asked


def test_the_first_socket_that_answers_is_used(bird_server, tmp_path, no_client):
    bird_server.play("mixed")

    spoken = looking.speak(a_daemon([Place(str(tmp_path / "x"), ""), Place(bird_server.path, "")]), 5)

    assert (spoken.state, spoken.via, spoken.socket) == (control.ANSWERS, "socket", bird_server.path)
    assert spoken.status.router_id == "10.200.0.10"
    assert len(spoken.sessions) == 21
    assert no_client == []


def test_one_socket_under_two_paths_is_asked_once(bird_server, short_folder, no_client):
    bird_server.greeting = b"who are you\n"
    twin = os.path.join(short_folder, "twin")
    os.symlink(bird_server.path, twin)

    spoken = looking.speak(a_daemon([Place(bird_server.path, ""), Place(twin, "")]), 5)

    assert (spoken.state, spoken.sessions) == (control.GARBAGE, None)


def test_an_incomplete_answer_gives_no_sessions(bird_server, bird_recorded, no_client):
    bird_server.play("mixed").replies["show protocols all"] = (bird_recorded / "mixed/protocols.raw").read_bytes()[
        :5000
    ]

    spoken = looking.speak(a_daemon([Place(bird_server.path, "")]), 0.5)

    assert spoken.state == control.NO_ANSWER
    assert spoken.status is not None
    assert spoken.sessions is None


def test_the_client_is_not_asked_about_a_daemon_that_hangs(bird_server, no_client):
    bird_server.play("healthy").replies["show status"] = b"1000-BIRD"

    assert looking.speak(a_daemon([Place(bird_server.path, "")]), 0.3).state == control.NO_ANSWER
    assert no_client == []


def test_where_the_socket_is_denied_the_client_is_asked(monkeypatch, bird_text):
    printed = bird_text("mixed", "birdc.txt")
    monkeypatch.setattr(control, "ask", lambda *_args: control.Exchange(control.DENIED, "may not be used", "", []))
    monkeypatch.setattr(
        client,
        "ask",
        lambda _family, _path, questions, _timeout: control.Exchange(
            control.ANSWERS, "", "1.6.8", [control.Reply(question, 0, printed) for question in questions]
        ),
    )

    spoken = looking.speak(a_daemon([Place("/var/run/calico/bird.ctl", "")]), 5)

    assert (spoken.state, spoken.via) == (control.ANSWERS, "birdcl")
    assert spoken.status.version == "1.6.8"
    assert len(spoken.sessions) == 21


def test_a_client_that_does_not_help_leaves_what_we_saw(monkeypatch, no_client):
    monkeypatch.setattr(control, "ask", lambda *_args: control.Exchange(control.DENIED, "may not be used", "", []))

    spoken = looking.speak(a_daemon([Place("/nowhere/bird.ctl", "")]), 5)

    assert (spoken.state, spoken.via, spoken.detail) == (control.DENIED, "", "may not be used")
    assert no_client == ["/nowhere/bird.ctl"]


@pytest.mark.parametrize(("argv", "asked"), [(b"bird\0-d\0", [""]), (b"bird\0-s\0/run/bird.ctl\0", [])])
def test_a_daemon_whose_socket_is_nowhere_is_left_to_the_client_if_that_may_know(tmp_path, no_client, argv, asked):
    (tmp_path / "cmdline").write_bytes(argv)
    process = Process(1, "bird", str(tmp_path))

    assert looking.speak(a_daemon([Place(str(tmp_path / "x"), "")], process=process), 5).state == control.ABSENT
    assert no_client == asked


def test_the_configuration_and_when_it_changed(tmp_path):
    (tmp_path / "bird.cfg").write_text('include "more.cfg";\nrouter id 10.0.0.1;')
    (tmp_path / "more.cfg").write_text("protocol bgp x { neighbor 10.0.0.2 as 1; }")
    os.utime(str(tmp_path / "bird.cfg"), (1000, 1000))
    os.utime(str(tmp_path / "more.cfg"), (2000, 2000))

    found, problem = looking.read_config(a_daemon(configs=[Place("/nowhere", ""), Place("/bird.cfg", str(tmp_path))]))

    assert (found.path, found.modified, problem) == ("/bird.cfg", 2000, "")
    assert [one.peer for one in found.config.peerings] == ["10.0.0.2"]


def test_an_include_is_looked_for_below_the_same_root(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "hostname").write_text("router id 10.0.0.1;")
    (tmp_path / "bird.cfg").write_text('include "/etc/hostname";')

    found, _problem = looking.read_config(a_daemon(configs=[Place("/bird.cfg", str(tmp_path))]))

    assert found.config.router_id == "10.0.0.1"


def test_no_configuration_at_all(tmp_path):
    assert looking.read_config(a_daemon(configs=[Place("/bird.cfg", str(tmp_path))])) == (None, "")


def test_a_configuration_that_may_not_be_read(monkeypatch, tmp_path):
    def refuse(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(looking.os, "stat", refuse)

    assert looking.read_config(a_daemon(configs=[Place("/bird.cfg", "")])) == (None, "/bird.cfg: Permission denied")


@pytest.mark.parametrize("what", ["folder", "pipe"])
def test_what_is_no_file_is_no_empty_configuration(tmp_path, what):
    path = str(tmp_path / "bird.cfg")
    if what == "folder":
        os.mkdir(path)
    else:
        os.mkfifo(path)

    found, problem = looking.read_config(a_daemon(configs=[Place("/bird.cfg", str(tmp_path))]))

    assert (found, problem) == (None, "/bird.cfg is not a regular file")


def test_random_bytes_are_no_configuration(tmp_path):
    (tmp_path / "bird.cfg").write_bytes(bytes(range(256)) * 1000)

    assert looking.read_config(a_daemon(configs=[Place("/bird.cfg", str(tmp_path))])) == (
        None,
        "/bird.cfg cannot be read",
    )


def test_a_configuration_too_big_to_take_apart_in_time_is_told_so(tmp_path):
    with open(str(tmp_path / "bird.cfg"), "wb") as file:
        file.truncate(100 * 1024 * 1024)

    found, problem = looking.read_config(a_daemon(configs=[Place("/bird.cfg", str(tmp_path))]))

    assert (found, problem) == (None, "/bird.cfg is larger than 4 MiB")


def test_includes_count_towards_what_is_too_big_and_devices_are_left_alone(tmp_path):
    (tmp_path / "bird.cfg").write_text('include "big.cfg";\ninclude "/dev/zero";\nrouter id 10.0.0.1;')
    (tmp_path / "dev").mkdir()
    os.symlink("/dev/zero", str(tmp_path / "dev" / "zero"))
    with open(str(tmp_path / "big.cfg"), "wb") as file:
        file.truncate(4 * 1024 * 1024)

    found, _problem = looking.read_config(a_daemon(configs=[Place("/bird.cfg", str(tmp_path))]))

    assert found.config.router_id == "10.0.0.1"
    assert found.config.missing == ["/big.cfg", "/dev/zero"]
