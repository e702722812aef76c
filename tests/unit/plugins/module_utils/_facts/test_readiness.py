# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.netmedic.calico.plugins.module_utils._bird.discovery import Installation
from ansible_collections.netmedic.calico.plugins.module_utils._facts import host, host_counters, readiness
from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._host.links import Address, Link, Network
from ansible_collections.netmedic.calico.plugins.module_utils._host.processes import Process, ProcessTable


def write(root, path, content=""):
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(content)


def network(*names):
    links = [Link(number, name, 1500, "", True, True, 0) for number, name in enumerate(names, 1)]
    return Network(links, [Address("10.200.0.9", 24, "eth0", "ipv4", "global", True)])


def view(root, **more):
    nothing = host.View(
        processes=ProcessTable([]),
        installation=Installation([], "unknown", ""),
        connection=None,
        network=None,
        ways={},
        peers=[],
        local_addresses={},
        tunnels=[],
        firewall={},
        started=host_counters.Started(0.0, {}),
        root=str(root),
        proc_root=str(root / "proc"),
    )
    return nothing._replace(**more)


def test_a_host_of_which_nothing_can_be_read_says_so(tmp_path):
    sources = Sources()

    assert readiness.gather(view(tmp_path), sources) == {"kernel_unknown": True, "ports": []}
    assert sources.as_list() == []


def test_the_file_that_decides_a_setting_is_named(tmp_path):
    write(tmp_path, "/usr/lib/sysctl.d/50-default.conf", "net.ipv4.conf.*.rp_filter = 2\nnet.ipv4.ip_forward=0\n")
    write(tmp_path, "/etc/sysctl.d/10-network.conf", "net/ipv4/ip_forward = 1\n# net.ipv4.ip_forward = 0\n")
    write(tmp_path, "/etc/sysctl.d/99-hardening.conf", "net.ipv4.conf.all.forwarding = 0\n")
    write(tmp_path, "/etc/sysctl.d/README", "net.ipv4.ip_forward = 7\n")

    assert readiness.saved(str(tmp_path)) == {
        "net.ipv4.ip_forward": {"value": "0", "file": "/etc/sysctl.d/99-hardening.conf"},
        "net.ipv4.conf.all.rp_filter": {"value": "2", "file": "/usr/lib/sysctl.d/50-default.conf"},
        "net.ipv4.conf.default.rp_filter": {"value": "2", "file": "/usr/lib/sysctl.d/50-default.conf"},
    }


def test_a_line_for_the_very_setting_goes_before_patterns(tmp_path):
    write(tmp_path, "/etc/sysctl.d/10-a.conf", "net.ipv4.conf.all.rp_filter = 0\n")
    write(tmp_path, "/etc/sysctl.d/20-b.conf", "net.ipv4.conf.*.rp_filter = 1\n")

    assert readiness.saved(str(tmp_path))["net.ipv4.conf.all.rp_filter"]["file"] == "/etc/sysctl.d/10-a.conf"
    write(tmp_path, "/etc/sysctl.conf", "net.ipv4.conf.all.rp_filter = 2\n")
    assert readiness.saved(str(tmp_path))["net.ipv4.conf.all.rp_filter"] == {"value": "2", "file": "/etc/sysctl.conf"}


def test_what_an_earlier_calico_left_is_told_where_none_runs(tmp_path):
    write(tmp_path, "/var/lib/calico/nodename", "node-old\n")
    write(tmp_path, "/etc/cni/net.d/10-calico.conflist", "{}")
    there = network("lo", "eth0", "tunl0", "vxlan.calico", *(f"cali{number}" for number in range(9)))

    left = readiness.gather(view(tmp_path, network=there), Sources())["calico_left"]

    assert left["files"] == ["/var/lib/calico/nodename", "/etc/cni/net.d/10-calico.conflist"]
    assert left["interfaces_count"] == 10
    assert len(left["interfaces"]) == 8
    assert "tunl0" not in left["interfaces"]
    running = Installation([Process(17, "bird", str(tmp_path))], "bird", "")
    assert "calico_left" not in readiness.gather(view(tmp_path, network=there, installation=running), Sources())


def test_the_backend_of_iptables_is_read_from_its_link(tmp_path):
    assert readiness.iptables_tool(str(tmp_path)) == ""
    write(tmp_path, "/usr/sbin/xtables-nft-multi")
    (tmp_path / "etc/alternatives").mkdir(parents=True)
    (tmp_path / "etc/alternatives/iptables").symlink_to("/usr/sbin/iptables-nft")
    (tmp_path / "usr/sbin/iptables-nft").symlink_to("xtables-nft-multi")
    (tmp_path / "usr/sbin/iptables").symlink_to("/etc/alternatives/iptables")
    assert readiness.iptables_tool(str(tmp_path)) == "nft"
    (tmp_path / "usr/sbin/iptables").unlink()
    (tmp_path / "usr/sbin/iptables").symlink_to("xtables-legacy-multi")
    assert readiness.iptables_tool(str(tmp_path)) == "legacy"
    (tmp_path / "usr/sbin/iptables").unlink()
    write(tmp_path, "/usr/sbin/iptables")
    assert readiness.iptables_tool(str(tmp_path)) == ""


def test_ways_are_told_for_what_was_asked(tmp_path):
    found = readiness.gather(view(tmp_path), Sources(), ["127.0.0.1", "no-such-name", "127.0.0.1"])

    assert found["reach"] == {"127.0.0.1": "127.0.0.1"}
