# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role host_network by itself: each fault of a host's settings is healed, for good, and put back exactly."""

from __future__ import annotations

import functools

import pytest

from ansible_collections.netmedic.calico.tests.lab import cures

NODE = "node-2"
SETTINGS = (
    r"sysctl -ae | grep -E '^net\.ipv[46]\.conf\.[^.]*\.(forwarding|rp_filter|accept_redirects) |ip_forward ';"
    "cd /etc; find sysctl.conf sysctl.d systemd modules-load.d NetworkManager -type f 2>/dev/null | sort | xargs md5sum"
)
UNIT, HARDENING = "/etc/systemd/network/00-netmedic-calico.network", "/etc/sysctl.d/50-hardening.conf"


@pytest.fixture
def cluster(lab):
    yield lab
    lab.exec(NODE, ["rm", "-rf", cures.RECORDS, HARDENING, "/etc/systemd/networkd.conf.d"], check=False)


run = functools.partial(cures.run, role="host_network", hosts=NODE)


def settings(lab):
    return lab.exec(NODE, ["sh", "-c", SETTINGS]).stdout


def healed_and_put_back(lab, tmp_path, **variables):
    """Foretell, heal, see that nothing is left to be done, put back. Returns what was there when it was healed."""
    broken = settings(lab)
    foretold = run(lab, tmp_path, "--check", **variables)
    assert settings(lab) == broken
    done = run(lab, tmp_path, **variables)
    assert cures.changed(done) == 1
    assert cures.diffs(done) == cures.diffs(foretold) != []
    healed = settings(lab)
    assert cures.changed(run(lab, tmp_path, **variables)) == 0
    assert settings(lab) == healed
    text = lab.exec(NODE, ["sh", "-c", f"cat {UNIT} {HARDENING} 2>/dev/null; true"]).stdout
    run(lab, tmp_path, task={"netmedic.calico.host_change": {"id": "manual-host_network", "state": "undone"}})
    assert settings(lab) == broken
    return healed + text


@pytest.mark.thorough
def test_forwarding_comes_back_and_stays_after_a_boot(cluster, tmp_path):
    lab = cluster
    lab.exec(NODE, ["sh", "-c", f"printf '# audit\\nnet.ipv4.ip_forward=0\\n' > {HARDENING}"])
    lab.make("ip_forward_off", NODE, "sysctl")
    healed = healed_and_put_back(lab, tmp_path)
    assert "net.ipv4.ip_forward = 1\n" in healed
    assert healed.endswith("# audit\nnet.ipv4.ip_forward=1\n")


@pytest.mark.thorough
def test_an_old_felix_finds_no_loose_filter(cluster, tmp_path):
    cluster.make("rp_filter_loose", NODE, "all")
    healed = healed_and_put_back(cluster, tmp_path)
    assert "net.ipv4.conf.all.rp_filter = 0\n" in healed


@pytest.mark.thorough
def test_the_session_that_a_strict_filter_stops_comes_up(cluster, tmp_path):
    lab = cluster
    lab.make("rp_filter_strict", NODE, "second-nic")
    peer = lab.nodes[-1].address
    wishes = {"host_network_loose_interfaces": ["eth0"], "host_network_expect": [peer]}
    healed = healed_and_put_back(lab, tmp_path, **wishes)
    assert "net.ipv4.conf.eth0.rp_filter = 2\n" in healed


@pytest.mark.thorough
def test_networkd_is_told_to_leave_pods_interfaces_alone(cluster, tmp_path):
    lab = cluster
    lab.make("host_network_manager_interference", NODE, "networkd")
    healed = healed_and_put_back(lab, tmp_path)
    assert "Unmanaged=yes" in healed
    assert "networkd.conf.d/zz-netmedic-calico.conf" in healed
