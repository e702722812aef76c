# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ufw writes about its rules. The lines are those that ufw 0.36.1 wrote into user.rules."""

from __future__ import annotations

from ansible_collections.netmedic.calico.plugins.module_utils._change import ufw_text

USER_RULES = """\
*filter
### RULES ###

### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in
-A ufw-user-input -p tcp --dport 22 -j ACCEPT

### tuple ### allow tcp 179 0.0.0.0/0 any 10.0.0.2 in_eth0 comment=6f7572732031
-A ufw-user-input -i eth0 -p tcp --dport 179 -s 10.0.0.2 -j ACCEPT

### tuple ### route:allow any any 0.0.0.0/0 any 10.0.0.3 in
### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 OpenSSH - in
### END RULES ###
"""


def test_rules_keep_their_numbers():
    found = ufw_text.tuples(USER_RULES)
    assert found[0] == (ufw_text.Tuple("allow", "tcp", "22", "any", "any", "any", "in"), "")
    assert found[1] == (ufw_text.Tuple("allow", "tcp", "179", "any", "any", "10.0.0.2", "in_eth0"), "ours 1")
    assert [one.action for one, _comment in found] == ["allow", "allow", "", ""]
    assert ufw_text.tuples("### tuple ###\n### tuple ### a comment=zz") != []


def test_addresses_as_ufw_has_them():
    assert ufw_text.plain_address("10.0.0.2/32") == "10.0.0.2"
    assert ufw_text.plain_address("") == ufw_text.plain_address("0.0.0.0/0") == "any"
