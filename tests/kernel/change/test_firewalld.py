# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of firewalld, by a firewalld with a D-Bus of its own, where there is one."""

from __future__ import annotations

import os
import shutil
import subprocess
import time

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._change.model import RefusedError

LOOK = (
    "nft list ruleset; firewall-cmd --list-all-zones; firewall-cmd --permanent --list-all-zones;"
    "find /etc/firewalld/zones -name '*.xml' | sort"
)
RICH = 'rule family="ipv4" source address="10.0.0.2" port port="179" protocol="tcp" accept'
FLOW = {"peers": ["10.0.0.2"], "port": 179}


@pytest.fixture
def firewalld(host):
    if not shutil.which("firewalld") or not shutil.which("dbus-daemon"):
        pytest.skip("firewalld and dbus-daemon are not installed in the lab's image")
    host.run("mkdir -p /run/dbus; dbus-uuidgen --ensure; rm -f /run/dbus/pid")
    bus = subprocess.Popen(["dbus-daemon", "--system", "--nofork", "--nopidfile"])
    own = subprocess.Popen(["firewalld", "--nofork", "--nopid"])
    deadline = time.monotonic() + 20
    while subprocess.run(["firewall-cmd", "--state"], capture_output=True, check=False).returncode:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    yield host
    for process in (own, bus):
        process.terminate()
        process.wait(10)
    for name in os.listdir("/etc/firewalld/zones"):
        os.unlink(f"/etc/firewalld/zones/{name}")


@pytest.mark.parametrize(
    "change",
    [
        {"rich_rule": RICH, "opens": [FLOW]},
        {"port": "179/tcp"},
        {"service": "bgp"},
    ],
)
def test_a_rule_is_there_now_and_for_good_and_goes_again(firewalld, change):
    wanted = dict({"kind": "firewalld_rule", "zone": "public"}, **change)
    before = firewalld.run(LOOK)
    assert firewalld.apply(wanted, check=True)["changed"]
    assert firewalld.run(LOOK) == before
    assert firewalld.apply(wanted)["changed"]
    after = firewalld.run(LOOK)
    assert after != before
    firewalld.confirm()
    assert not firewalld.apply(wanted)["changed"]
    assert firewalld.undo()["changed"]
    assert firewalld.run(LOOK) == before
    assert firewalld.apply(wanted)["changed"]
    assert firewalld.run(LOOK) == after


def test_what_opens_more_is_refused(firewalld):
    wide = {"kind": "firewalld_rule", "zone": "public", "port": "179/tcp", "opens": [FLOW]}
    with pytest.raises(RefusedError, match=r"would change more: TCP to port 179 from \S+: reject now, then accept"):
        firewalld.apply(wide)
    with pytest.raises(RefusedError, match="there is no zone nowhere"):
        firewalld.apply(dict(wide, zone="nowhere"))
    with pytest.raises(RefusedError, match="INVALID"):
        firewalld.apply({"kind": "firewalld_rule", "zone": "public", "rich_rule": "rule nonsense"})
