# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter cure: what it returns, and what it refuses in one sentence."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.netmedic.calico.plugins.filter.cure import cure

HOSTVARS = {"node-1": {}}


def test_a_host_of_which_nothing_is_known_is_refused_and_named():
    done = cure(HOSTVARS, "bgp_firewall", host="node-1", hosts=["node-1"])
    assert done["unread"] == ["node-1"]
    assert done["refused"].startswith("nothing is known of node-1: ")
    assert (done["changes"], done["says"], done["expect"]) == ([], [], [])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"role": "magic", "hosts": ["node-1"]}, "cure knows no role 'magic'; it has bgp_firewall"),
        ({"hosts": []}, "cure wants the variables of all hosts"),
        ({"hosts": ["node-9"]}, "cure finds no host of the inventory that is called node-9"),
        ({"hosts": "node-1", "options": [1]}, "cure wants options as a dictionary"),
        ({"hosts": ["node-1"], "max_age": "soon"}, "cure wants max_age as a number of seconds, not 'soon'"),
        ({"hosts": ["node-1"], "options": {"flows": ["x"]}}, "bgp_firewall: bgp_firewall_flows knows bgp"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(arguments, sentence):
    role = arguments.pop("role", "bgp_firewall")
    with pytest.raises(AnsibleFilterError, match=f"^{sentence}"):
        cure(HOSTVARS, role, host="", **arguments)
