# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pathlib

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._bird.discovery import Daemon, Place
from ansible_collections.netmedic.calico.plugins.module_utils._gather import bird
from ansible_collections.netmedic.calico.plugins.module_utils._gather.model import ABSENT, FAILED, OK

RECORDED = pathlib.Path(__file__).parent / "recorded" / "bird-1.6.8"
QUESTIONS = ("show interfaces", "show memory", "show route count", "show route all")


def daemon(path, config=""):
    return Daemon("ipv4", None, [Place(path, "")], [Place(config, "")] if config else [], [])


def asked(bird_server, routes):
    bird_server.play("healthy")
    recorded = {question: (RECORDED / f"{question.replace(' ', '-')}.raw").read_bytes() for question in QUESTIONS}
    bird_server.replies.update(recorded)
    count = recorded["show route count"]
    bird_server.replies["show route count"] = count.replace(b"7", str(routes).encode())
    return {one.name: one for one in bird._asked(daemon(bird_server.path), "", 2.0)}


def test_bird_is_asked_in_a_restricted_session_and_its_codes_are_taken_away(bird_server):
    told = asked(bird_server, 12)

    assert bird_server.commands.count("restrict") == 2
    assert not [one for one in bird_server.commands if not one.startswith(("restrict", "show "))]
    assert told["birdcl-status.txt"].text.startswith("BIRD 1.6.8\n")
    assert told["birdcl-route.txt"].text.startswith("0.0.0.0/0          via 10.200.0.254 on eth0 [kernel1 ")
    assert {one.status for one in told.values()} == {OK}
    assert told["birdcl-route.txt"].text.splitlines()[1:4] == [
        "\tType: inherit unicast univ",
        "\tKernel.source: 3",
        "\tKernel.metric: 0",
    ]
    assert told["more/birdcl-route-count.txt"].text == "12 of 12 routes for 12 networks\n"


def test_a_long_list_of_routes_is_not_asked_for(bird_server):
    told = asked(bird_server, bird.MOST_ROUTES + 1)

    assert "show route all" not in bird_server.commands
    assert told["birdcl-route.txt"].status == FAILED
    assert f"BIRD has {bird.MOST_ROUTES + 1} routes" in told["birdcl-route.txt"].detail


def test_a_bird_that_hangs_costs_its_outputs_only(bird_server):
    bird_server.play("healthy")
    bird_server.replies.pop("show protocols all")

    told = {one.name: one.status for one in bird._asked(daemon(bird_server.path), "", 0.5)}

    assert told["birdcl-status.txt"] == OK
    assert told["birdcl-protocols.txt"] == FAILED


def test_without_a_socket_it_is_said(tmp_path):
    told = list(bird._asked(daemon(str(tmp_path / "bird.ctl")), "", 0.5))

    assert [(one.name, one.status) for one in told] == [("birdcl-status.txt", ABSENT)]


@pytest.mark.parametrize("spelling", ['password "CANARY";', 'password "CANARY"', "# CANARY"])
def test_of_the_configuration_no_password_is_kept(tmp_path, spelling):
    path = tmp_path / "bird.cfg"
    path.write_text(f"protocol bgp Mesh_10_0_0_2 {{\n  neighbor 10.0.0.2 as 64512;\n  {spelling}\n}}\n")

    told = list(bird._configured(daemon("", str(path)), ""))

    assert "CANARY" not in told[0].text
    assert "neighbor 10.0.0.2 as 64512;" in told[0].text
    assert told[0].name == "bird.cfg"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3 of 7 routes for 7 networks\n", 7),
        ("5 of 5 routes for 5 networks in table master4\n9 of 9 routes for 9 networks in table master6\n", 9),
        ("syntax error\n", None),
    ],
)
def test_the_number_of_routes(text, number):
    assert bird.routes(text) == number
