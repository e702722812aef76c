# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each kind of change by the real programs: made, found to be there, undone to the letter, refused where it must be."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._change import kind_process
from ansible_collections.netmedic.calico.plugins.module_utils._change.model import RefusedError

BGP = "-s 10.0.0.2 -p tcp --dport 179 -j ACCEPT"

# Rules without comments, and without counters: IPv6 speaks by itself.
PLAIN = " | sed '/^#/d; s/ \\[[0-9:]*\\]//'"


def iptables(program="iptables-nft", **more):
    return dict(
        {"kind": "iptables_rule", "program": program, "chain": "INPUT", "rule": BGP, "comment": "ours 1"}, **more
    )


def nft(**more):
    rule = "ip saddr 10.0.0.2 tcp dport 179 accept"
    where = {"kind": "nft_rule", "family": "inet", "table": "t", "chain": "in"}
    return {**where, "rule": rule, "comment": "ours 1", **more}


IPTABLES = "{0} -A INPUT -i lo -j ACCEPT; {0} -A INPUT -p tcp --dport 179 -j DROP"
NFT = (
    "nft add table inet t; nft add chain inet t in '{ type filter hook input priority 0; }';"
    "nft add rule inet t in iif lo accept; nft add rule inet t in tcp dport 179 counter packets 5 bytes 300 drop"
)
SAVED = (
    "# by hand\\n*filter\\n:INPUT DROP [0:0]\\n:FORWARD ACCEPT [0:0]\\n-A INPUT -i lo -j ACCEPT\\n"
    "[4:5] -A INPUT -p tcp -m tcp --dport 179 -j DROP\\n-A FORWARD -j DROP\\nCOMMIT\\n# end"
)
NFT_FILE = (
    "#!/usr/sbin/nft -f\\nflush ruleset\\n\\ntable inet filter {\\n\\tchain input {\\n"
    "\\t\\ttype filter hook input priority 0; policy drop;\\n\\n"
    "\\t\\t# who may\\n\\t\\tiif lo accept\\n\\t\\ttcp dport { 22, 179 } drop\\n"
    "\\t}\\n\\tchain forward {\\n\\t\\ttype filter hook forward priority 0;\\n\\t}\\n}\\n"
)
SAVED_RULE = {"kind": "saved_rule", "chain": "INPUT", "rule": BGP, "comment": "ours 1"}
NFT_SAVED = {"kind": "saved_rule", "family": "inet", "table": "filter", "chain": "input", "comment": "ours 1"}

OFFLOAD = (
    'import array, fcntl, socket, struct; value = array.array("I", [0x16, 0]); '
    'fcntl.ioctl(socket.socket(), 0x8946, struct.pack("16sP16x", b"vxlan.calico", value.buffer_info()[0])); '
    "print(value[1])"
)

# What is set up, the change, a command that shows all there is.
CASES = {
    "iptables-nft": (IPTABLES.format("iptables-nft"), iptables(), "iptables-nft-save" + PLAIN),
    "iptables-legacy": (
        IPTABLES.format("iptables-legacy"),
        iptables("iptables-legacy", position=2),
        "iptables-legacy-save" + PLAIN,
    ),
    "ip6tables": (
        IPTABLES.format("ip6tables-nft"),
        iptables("ip6tables-nft", rule="-s fd00::2 -p tcp --dport 179 -j ACCEPT", position=0),
        "ip6tables-nft-save" + PLAIN,
    ),
    "iptables-removed": (
        IPTABLES.format("iptables-nft") + "; iptables-nft -A INPUT -j LOG",
        iptables(rule="-p tcp -m tcp --dport 179 -j DROP", comment="", state="absent"),
        "iptables-nft-save" + PLAIN,
    ),
    "nft": (NFT, nft(), "nft list ruleset"),
    "nft-second": (NFT, nft(position=2), "nft list ruleset"),
    "nft-last": (NFT, nft(position=0), "nft list ruleset"),
    "nft-removed": (
        NFT,
        nft(rule="tcp dport 179 counter packets 5 bytes 300 drop", state="absent", comment=""),
        "nft list ruleset",
    ),
    "saved": (f"printf '{SAVED}' > /tmp/rules.v4", dict(SAVED_RULE, path="/tmp/rules.v4"), "cat /tmp/rules.v4"),
    "saved-last": (
        f"printf '{SAVED}' > /tmp/rules.v4",
        dict(SAVED_RULE, path="/tmp/rules.v4", position=0),
        "cat /tmp/rules.v4",
    ),
    "saved-removed": (
        f"printf '{SAVED}' > /tmp/rules.v4",
        dict(SAVED_RULE, path="/tmp/rules.v4", rule="-p tcp --dport 179 -j DROP", comment="", state="absent"),
        "sed 's/^.4:5. //' /tmp/rules.v4",
    ),
    "saved-nft": (
        f"printf '{NFT_FILE}' > /tmp/n.conf; chmod 750 /tmp/n.conf",
        dict(NFT_SAVED, path="/tmp/n.conf", rule="ip saddr 10.0.0.2 tcp dport 179 accept"),
        "cat /tmp/n.conf; stat -c '%a %U' /tmp/n.conf; nft -c -f /tmp/n.conf",
    ),
    "file": (
        "printf 'a\\n' > /tmp/f; chmod 640 /tmp/f; chown 7:8 /tmp/f",
        {"kind": "file", "path": "/tmp/f", "content": "b\n", "mode": "0600", "owner": "root"},
        "cat /tmp/f; stat -c '%a %u %g' /tmp/f",
    ),
    "file-new": ("rm -f /tmp/f", {"kind": "file", "path": "/tmp/f", "content": "b\n"}, "ls -l /tmp/f || true"),
    "file-gone": ("echo a > /tmp/f", {"kind": "file", "path": "/tmp/f", "state": "absent"}, "cat /tmp/f || true"),
    "sysctl": (
        "true",
        {"kind": "sysctl", "key": "net.ipv4.conf.eth0.rp_filter", "value": "2"},
        "cat /proc/sys/net/ipv4/conf/eth0/rp_filter",
    ),
    "saved-sysctl": (
        "printf '# a\\nnet.ipv4.ip_forward=0' > /etc/sysctl.d/50-a.conf",
        {"kind": "saved_sysctl", "key": "net.ipv4.ip_forward", "value": "1"},
        "head /etc/sysctl.d/*.conf",
    ),
    "saved-sysctl-new": (
        "rm -f /etc/sysctl.d/50-a.conf",
        {"kind": "saved_sysctl", "key": "net.ipv4.conf.eth0.rp_filter", "value": "2"},
        "ls /etc/sysctl.d; cat /etc/sysctl.d/zz* || true",
    ),
    "file-with-directory": (
        "rm -rf /tmp/d",
        {"kind": "file", "path": "/tmp/d/f", "content": "b\n", "folder": True},
        "ls -lR /tmp/d 2>/dev/null | grep -v total || true",
    ),
    "offload": (
        "ip link add vxlan.calico type vxlan id 4096 dstport 4789 || true",
        {"kind": "offload", "device": "vxlan.calico", "value": "off"},
        f"python3 -c '{OFFLOAD}'",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_change_is_made_found_and_undone(host, name):
    prepare, change, look = CASES[name]
    host.run(prepare)
    before = host.run(look)
    foretold = host.apply(change, check=True)
    assert host.run(look) == before
    assert not os.path.exists(host.store.folder)
    done = host.apply(change)
    assert done["changed"]
    assert done["state"] == "armed"
    assert (done["diff"], done["changes"]) == (foretold["diff"], foretold["changes"])
    after = host.run(look)
    assert after != before
    host.confirm()
    again = host.apply(change, id="two")
    assert (again["changed"], again["diff"], again["armed_until"]) == (False, [], "")
    assert host.store.names() == ["one"]
    undone = host.undo()
    assert undone["changed"]
    assert host.run(look) == before
    assert not host.undo()["changed"]
    assert host.apply(change)["changed"]
    assert host.run(look) == after


def test_one_line_of_a_file_changes_and_no_other_byte(host):
    host.run(f"printf '{SAVED}' > /tmp/rules.v4")
    path = pathlib.Path("/tmp/rules.v4")
    old = path.read_bytes()
    host.apply(dict(SAVED_RULE, path="/tmp/rules.v4", position=2), confirm_within=0)
    line = b'-A INPUT -m comment --comment "ours 1" -s 10.0.0.2 -p tcp -m tcp --dport 179 -j ACCEPT\n'
    before, _drop, after = old.partition(b"[4:5]")
    assert path.read_bytes() == before + line + b"[4:5]" + after


def test_ufw_makes_its_rule_in_the_kernel_and_in_its_files(host):
    host.run("cp -a /etc/ufw /tmp/ufw; ufw allow 22/tcp; ufw --force enable")
    try:
        look = f"cat /etc/ufw/user.rules /etc/ufw/user6.rules; iptables-save{PLAIN}; ip6tables-save{PLAIN}"
        change = {"kind": "ufw_rule", "protocol": "tcp", "source": "10.0.0.2", "port": "179", "comment": "our peer"}
        flow = {"peers": ["10.0.0.2"], "port": 179}
        for more in ({}, {"source": "fd00::2", "position": 1}):
            opens = [dict(flow, peers=[more.get("source", "10.0.0.2")])]
            before = host.run(look)
            wanted = dict(change, opens=opens, **more)
            assert host.apply(wanted, check=True)["changed"]
            assert host.run(look) == before
            assert host.apply(wanted)["changed"]
            assert "tuple ### allow tcp 179" in host.run("cat /etc/ufw/user*.rules")
            assert not host.apply(wanted, id="two", check=True)["changed"] if host.confirm() else True
            host.undo()
            assert host.run(look) == before
        host.run("ufw allow from 10.0.0.3")
        before = host.run(look)
        gone = {"kind": "ufw_rule", "source": "10.0.0.3", "state": "absent"}
        assert host.apply(gone)["changed"]
        host.undo()
        assert host.run(look) == before
    finally:
        host.run("ufw --force disable; rm -rf /etc/ufw; cp -a /tmp/ufw /etc/ufw; rm -rf /tmp/ufw")


def test_a_signal_ends_the_very_process_and_no_other(host):
    process = subprocess.Popen(["sleep", "60"])
    started = kind_process.started_of(process.pid)
    change = {"kind": "signal", "pid": process.pid, "started": started + 1, "signal": "KILL"}
    assert not host.apply(change)["changed"]
    assert process.poll() is None
    change["started"] = started
    process.send_signal(signal.SIGSTOP)
    done = host.apply(change)
    assert done["changed"]
    assert process.wait(5) == -signal.SIGKILL
    host.confirm()
    assert host.undo()["left"] == [f"process {process.pid}"]


@pytest.mark.parametrize("program", ["iptables-nft", "ip6tables-nft", "iptables-legacy", "iptables"])
def test_to_look_for_a_table_does_not_make_it(host, program):
    with pytest.raises(RefusedError, match="there is no chain INPUT in table filter"):
        host.apply(iptables(program))
    assert host.run("nft list ruleset; cat /proc/net/ip_tables_names || true") == ""


REFUSED = {
    "there is no chain nowhere in table filter of iptables-nft": iptables(chain="nowhere"),
    "there is no chain INPUT in table filter of iptables-legacy": iptables("iptables-legacy"),
    "iptables_rule lacks rule": {"kind": "iptables_rule", "chain": "INPUT"},
    "iptables_rule has no option zone": iptables(zone="public"),
    "none of the kinds": {"kind": "iptables"},
    "INPUT has 2 rules only": iptables(position=9),
    "no rule alone": iptables(rule="-I INPUT -j ACCEPT"),
    "unknown option": iptables(rule="-p tcp --nonsense 1 -j ACCEPT"),
    "has a comment already": iptables(rule="-m comment --comment a -j ACCEPT"),
    "there is no chain inet t nowhere": nft(chain="nowhere"),
    "needs a comment": nft(comment=""),
    "syntax error": nft(rule="tcp dport 179 nonsense"),
    "ufw is not enabled": {"kind": "ufw_rule", "port": "179"},
    "firewall-cmd is not installed": {"kind": "firewalld_rule", "zone": "public", "port": "179/tcp"},
    "wants exactly one of": {"kind": "firewalld_rule", "zone": "public"},
    "there is no /etc/iptables/rules.v4": dict(SAVED_RULE, path="/etc/iptables/rules.v4"),
    "there is no directory /nowhere": {"kind": "file", "path": "/nowhere/f", "content": "a"},
    "seems to hold a secret": {"kind": "file", "path": "/tmp/f", "content": 'password "x";\n'},
    "is not a regular file": {"kind": "file", "path": "/tmp", "content": "a"},
    "has no content": {"kind": "file", "path": "/tmp/f", "content": "a", "state": "absent"},
    "there is no sysctl net.ipv4.nothing": {"kind": "sysctl", "key": "net.ipv4.nothing", "value": "1"},
    "is no name of a sysctl": {"kind": "sysctl", "key": "../../etc/passwd", "value": "1"},
    "nothing is asked of it": {"kind": "service", "service": "chronyd"},
    "neither systemd nor a service of runit": {"kind": "service", "service": "chronyd", "run": "started"},
    "no BIRD of this family": {"kind": "bird", "command": "configure"},
    "to one protocol": {"kind": "bird", "command": "restart"},
    "the host's first one": {"kind": "signal", "pid": 1, "started": 1, "signal": "KILL"},
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_cannot_be_done_is_refused_before_the_first_change(host, sentence):
    host.run(IPTABLES.format("iptables-nft"))
    host.run(NFT)
    look = "nft list ruleset"
    before = host.run(look)
    with pytest.raises(RefusedError) as refused:
        host.apply(iptables(comment="first"), REFUSED[sentence])
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)
    assert host.run(look) == before
    assert host.store.names() == []
