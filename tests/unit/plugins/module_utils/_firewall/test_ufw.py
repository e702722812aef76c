# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules that ufw's files come to, against those which ufw itself loaded from them."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._firewall import ufw


def read(world):
    def files(path):
        if path == "/etc/default/ufw":
            return world.text("ufw_files/default")
        return world.text(f"ufw_files/{path.rpartition('/')[2]}") if path.startswith("/etc/ufw/") else ""

    return files


PEERS = {
    "ipv4": ["10.200.0.1", "10.200.0.20", "10.200.0.30", "10.200.0.50", "10.200.0.99", "10.1.1.1", "192.168.3.3"],
    "ipv6": ["fd00::a", "fd00:1::a", "2001:db8::5"],
}


@pytest.mark.parametrize(("family", "saved"), [("ipv4", "iptables-save.txt"), ("ipv6", "ip6tables-save.txt")])
@pytest.mark.parametrize("way", ["in", "out"])
def test_the_files_do_what_ufw_makes_of_them(world, new_world, family, saved, way):
    boot = ufw.boot_rules(read(world), family)
    ours = world.load(boot, family)
    theirs = new_world().load(world.text(f"ufw_files/{saved}"), family)
    interface = "out_interface" if way == "out" else "in_interface"
    for peer in PEERS[family]:
        for protocol, port in ((6, 179), (6, 22), (6, 2222), (17, 4789), (6, 8005), (17, 5473), (50, 0), (4, 0)):
            for name in ("eth0", "eth1", "lo"):
                fields = {"protocol": protocol, "destination_port": port, interface: name}
                own, their = (one.verdict(peer, way, **fields)[0] for one in (ours, theirs))
                assert own == their, (peer, fields)


def test_a_family_that_ufw_leaves_alone():
    assert ufw.boot_rules(lambda path: "IPV6=no" if path == "/etc/default/ufw" else "", "ipv6") == ""


@pytest.mark.parametrize(
    ("text", "enabled"), [("ENABLED=yes\n", True), ("# ENABLED=yes\nENABLED=no\n", False), ("", False)]
)
def test_whether_it_is_enabled(text, enabled):
    assert ufw.is_enabled(lambda _path: text) is enabled
