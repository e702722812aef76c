# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter parse_text."""

from __future__ import annotations

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.netmedic.calico.plugins.filter import parse_text
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import kinds


def test_a_text_becomes_data():
    found = parse_text.parse_text("$ uname -a\nLinux node-1 6.1.0 #1 SMP x86_64 GNU/Linux\n")
    assert found == {
        "kind": "uname",
        "value": {"hostname": "node-1", "release": "6.1.0", "version": "#1 SMP x86_64 GNU/Linux", "machine": "x86_64"},
        "problems": [],
    }


def test_what_cannot_be_read_is_listed():
    found = parse_text.parse_text("10.0.0.1 dev eth0 lladdr 02:00:00:00:00:01 STALE\nnonsense\n", kind="ip-neigh")
    assert found["value"][0]["state"] == "stale"
    assert found["problems"] == [{"line": 2, "text": "nonsense", "why": "no neighbour"}]


def test_what_is_not_recognised_has_no_value():
    found = parse_text.parse_text("Dear all,")
    assert (found["kind"], found["value"], len(found["problems"])) == ("", None, 1)


@pytest.mark.parametrize(("text", "kind"), [(7, ""), ("x", "no-such-kind")])
def test_a_wrong_argument_fails(text, kind):
    with pytest.raises(AnsibleFilterError, match="parse_text"):
        parse_text.parse_text(text, kind=kind)


def test_every_kind_is_documented():
    documented = yaml.safe_load(parse_text.DOCUMENTATION)["options"]["kind"]["choices"]
    assert documented == ["", *sorted(kinds.PARSERS)]


def test_the_filter_has_its_name():
    assert parse_text.FilterModule().filters() == {"parse_text": parse_text.parse_text}


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_kind_means_any_kind(nothing):
    read = parse_text.parse_text("Linux node-1 6.1.0 #1 SMP x86_64 GNU/Linux\n", kind=nothing, name=nothing)

    assert read == parse_text.parse_text("Linux node-1 6.1.0 #1 SMP x86_64 GNU/Linux\n")
    assert read["kind"] == "uname"


@pytest.mark.parametrize("wrong", ["none", 7, ["uname"], {"uname": 1}, False])
def test_a_kind_that_is_none_is_named(wrong):
    with pytest.raises(AnsibleFilterError, match="knows no texts of kind"):
        parse_text.parse_text("text", kind=wrong)
