# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What injections by objects rest on: the way back, texts that are changed, the chains that Felix would make."""

from __future__ import annotations

import pytest

from lab import fabric
from lab.faults import host_endpoint, objects, outside, secrets
from lab.topology import plan

PLAN = plan("external_router", 3)
ROUTER = next(each.text for each in fabric.specification(PLAN).files if each.path == "/etc/bird/bird.conf")


@pytest.mark.parametrize(
    ("original", "patch", "back"),
    [
        ({"spec": {"a": 1, "b": 2}}, {"spec": {"a": 3}}, {"spec": {"a": 1}}),
        ({"spec": {"b": 2}}, {"spec": {"a": 3}}, {"spec": {"a": None}}),
        ({}, {"spec": {"a": 3}}, {"spec": None}),
        ({"spec": {"a": [1]}}, {"spec": {"a": None}}, {"spec": {"a": [1]}}),
        ({"spec": {"a": {"x": 1}}}, {"spec": {"a": {"x": None, "y": 1}}}, {"spec": {"a": {"x": 1, "y": None}}}),
        ({"spec": {"a": {"x": 1}}}, {"spec": {"a": None}}, {"spec": {"a": {"x": 1}}}),
    ],
)
def test_the_inverse_of_a_patch_gives_back_what_it_changes(original, patch, back):
    assert objects.inverse(original, patch) == back


def test_a_router_without_a_neighbour_has_all_others():
    found = outside.without_neighbour(ROUTER, 2)
    assert "protocol bgp node2 " not in found
    assert found.count("protocol bgp node") == ROUTER.count("protocol bgp node") - 1
    assert found.count("{") == found.count("}")


def test_a_router_with_a_limit_has_it_for_one_neighbour():
    found = outside.with_limit(ROUTER, 2)
    assert found.count("receive limit") == 1
    assert found.index("protocol bgp node2 ") < found.index("receive limit") < found.index("protocol bgp node3 ")


def test_lines_with_words_are_taken_out():
    assert secrets.without("b.c", "a\nx b.c y\nbxc\nb.c") == "a\nbxc\n"


@pytest.mark.parametrize("policy", [True, False])
def test_felix_chains_drop_at_the_end_and_are_all_defined(policy):
    lines = host_endpoint.chains(policy=policy).splitlines()
    defined = {line[1:].split()[0] for line in lines if line.startswith(":")}
    used = {
        line.split()[line.split().index(flag) + 1] for line in lines for flag in ("-j", "-g") if flag in line.split()
    }
    assert {each for each in used if each.startswith("cali-")} <= defined
    assert all(len(name) < 29 for name in defined)
    assert [line for line in lines if line.startswith("-A cali-fh-eth0")][-1].endswith("-j DROP")
    assert not any("179" in line for line in lines)
