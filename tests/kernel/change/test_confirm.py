# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dead man's switch, the record, the lock: what becomes of a change when everything else goes wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import ansible_collections.netmedic.calico as collection
from ansible_collections.netmedic.calico.plugins.module_utils._change import record as records
from ansible_collections.netmedic.calico.plugins.module_utils._change.model import RefusedError

ROOT = next(iter(collection.__path__)).rpartition("/ansible_collections/")[0]
LOOK = "iptables-nft-save | sed '/^#/d; s/ \\[[0-9:]*\\]//'; nft list ruleset; cat /tmp/f"
RULE = {
    "kind": "iptables_rule",
    "program": "iptables-nft",
    "chain": "INPUT",
    "rule": "-s 10.0.0.2 -p tcp --dport 179 -j ACCEPT",
    "comment": "ours",
}
FILE = {"kind": "file", "path": "/tmp/f", "content": "new\n"}


def read(path):
    with open(path) as stream:
        return stream.read()


@pytest.fixture
def set_up(host):
    host.run("iptables-nft -A INPUT -p tcp --dport 179 -j DROP; echo old > /tmp/f")
    return host


def test_without_a_word_all_is_undone(set_up):
    before = set_up.run(LOOK)
    done = set_up.apply(RULE, FILE, confirm_within=5)
    assert done["state"] == "armed"
    assert set_up.run(LOOK) != before
    status = set_up.status()
    assert 0 < status["seconds_left"] <= 5
    assert status["record"]["applied"] is True
    assert status["armed_until"] == done["armed_until"]
    set_up.wait_for("undone", 8)
    assert set_up.run(LOOK) == before
    with pytest.raises(RefusedError, match=r"was undone at .*: it was not confirmed in time"):
        set_up.confirm()
    assert not os.path.exists(f"/proc/{done['switch']}/fd/0")


def test_the_switch_has_let_go_of_everything(set_up):
    done = set_up.apply(RULE, confirm_within=30)
    pid = done["switch"]
    fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    assert fields[3] != str(os.getsid(0))  # a session of its own
    ignored = int(read(f"/proc/{pid}/status").partition("SigIgn:")[2].split()[0], 16)
    assert ignored >> (signal.SIGHUP - 1) & 1
    time.sleep(0.5)
    assert {os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")} == {"/dev/null"}
    assert os.readlink(f"/proc/{pid}/cwd") == "/"
    set_up.confirm()
    deadline = time.monotonic() + 3
    while os.path.exists(f"/proc/{pid}/fd/0") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{pid}/fd/0")
    assert set_up.store.load("one")["state"] == "confirmed"


def test_when_the_host_goes_down_the_switch_undoes_first(set_up):
    before = set_up.run(LOOK)
    done = set_up.apply(RULE, FILE)
    os.kill(done["switch"], signal.SIGTERM)
    set_up.wait_for("undone", 5)
    assert set_up.run(LOOK) == before


def test_the_next_call_undoes_what_a_dead_switch_has_not(set_up):
    before = set_up.run(LOOK)
    done = set_up.apply(RULE, FILE, confirm_within=5)
    os.kill(done["switch"], signal.SIGKILL)
    other = dict(FILE, path="/tmp/g")
    with pytest.raises(RefusedError, match=r"this host is being changed by test since .* \(change one\), until"):
        set_up.apply(other, id="two")
    time.sleep(5.2)
    assert set_up.status()["overdue"]
    warned = set_up.apply(other, id="two", check=True)["warnings"]
    assert "would be undone first" in warned[0]
    assert set_up.run(LOOK) != before
    answer = set_up.apply(other, id="two", confirm_within=0)
    assert [one["id"] for one in answer["recovered"]] == ["one"]
    assert "never confirmed and was undone first" in answer["warnings"][0]
    assert set_up.run(LOOK) == before


def test_after_a_reboot_the_next_call_undoes(set_up):
    before = set_up.run(LOOK)
    done = set_up.apply(RULE, FILE)
    os.kill(done["switch"], signal.SIGKILL)
    set_up.store.save(dict(set_up.store.load("one"), boot_id="another"))
    set_up.run("nft flush ruleset")
    with pytest.raises(RefusedError, match="too late"):
        set_up.confirm()
    set_up.run("iptables-nft -A INPUT -p tcp --dport 179 -j DROP")
    assert set_up.run(LOOK) == before


def test_a_change_that_fails_in_the_middle_undoes_those_before_it(set_up):
    before = set_up.run(LOOK)
    # A value that the kernel refuses only when it is written.
    bad = {"kind": "sysctl", "key": "net.ipv4.conf.eth0.rp_filter", "value": "nonsense"}
    with pytest.raises(RefusedError, match=r"does not take 'nonsense'.*; all is as it was before"):
        set_up.apply(RULE, FILE, bad)
    assert set_up.run(LOOK) == before
    assert set_up.store.load("one")["state"] == "undone"


def test_nobody_elses_change_is_undone(set_up):
    set_up.apply(RULE, FILE)
    set_up.confirm()
    set_up.run("echo theirs > /tmp/f")
    look = set_up.run(LOOK)
    with pytest.raises(RefusedError, match="/tmp/f: somebody else changed it since, so it is left as it is"):
        set_up.undo()
    assert set_up.run(LOOK) == look
    set_up.run("echo old > /tmp/f")  # as it was before: nothing is left to do for it
    assert set_up.undo()["changed"]
    assert "ours" not in set_up.run(LOOK)


def test_the_switch_leaves_what_somebody_else_changed_and_undoes_the_rest(set_up):
    set_up.apply(RULE, FILE, confirm_within=5)
    set_up.run("echo theirs > /tmp/f")
    set_up.wait_for("failed", 8)
    assert set_up.run("cat /tmp/f") == "theirs\n"
    assert "ours" not in set_up.run(LOOK)
    warned = set_up.apply(dict(FILE, path="/tmp/g"), id="two", confirm_within=0)["warnings"]
    assert "was not undone whole: /tmp/f: somebody else changed it since" in warned[0]


def test_a_later_call_of_the_same_id_is_undone_alone_and_rolled_back_with_the_first(set_up):
    before = set_up.run(LOOK)
    set_up.apply(RULE)
    set_up.confirm()
    between = set_up.run(LOOK)
    second = dict(RULE, rule=RULE["rule"].replace("10.0.0.2", "10.0.0.3"))
    set_up.apply(RULE, second, FILE)
    set_up.undo()
    assert set_up.run(LOOK) == between
    assert set_up.store.load("one")["state"] == "confirmed"
    set_up.apply(RULE, second, FILE)
    set_up.confirm()
    set_up.undo()
    assert set_up.run(LOOK) == before


def test_what_was_confirmed_before_a_call_that_was_not_undone_whole_stays_on_record(set_up):
    before = set_up.run(LOOK)
    set_up.apply(RULE)
    set_up.confirm()
    for text in ("theirs", "also theirs"):
        set_up.apply(FILE, confirm_within=5)
        set_up.run(f"echo {text} > /tmp/f")
        set_up.wait_for("failed", 8)
        assert "ours" in set_up.run(LOOK)
    set_up.run("echo old > /tmp/f")
    assert set_up.undo(check=True)["changed"]
    assert set_up.undo()["state"] == "undone"
    assert set_up.run(LOOK) == before


def test_rules_that_others_put_in_meanwhile_stay(set_up):
    set_up.apply(RULE)
    set_up.confirm()
    set_up.run("iptables-nft -I INPUT -j ACCEPT -m comment --comment theirs")
    set_up.undo()
    assert "theirs" in set_up.run(LOOK)
    assert "ours" not in set_up.run(LOOK)


def test_only_one_changes_the_host(set_up):
    lock = records.Lock(set_up.store)
    lock.take("alice@desk", "hers")
    with pytest.raises(RefusedError, match=r"this host is being changed by alice@desk since 20\S+Z \(hers, process"):
        set_up.apply(RULE)
    lock.let_go()
    set_up.apply(RULE, holder="bob@desk")
    with pytest.raises(RefusedError, match=r"by bob@desk since 20\S+Z \(change one\), until 20\S+Z unless it is conf"):
        set_up.apply(FILE, id="two")
    with pytest.raises(RefusedError, match="by bob@desk"):
        set_up.undo(id="two")


def test_the_record_is_roots_alone(set_up):
    set_up.apply(RULE)
    path = set_up.store.path("one")
    assert os.stat(os.path.dirname(path)).st_mode & 0o7777 == 0o700
    assert os.stat(path).st_mode & 0o7777 == 0o600
    told = json.loads(read(path))
    assert (told["state"], told["holder"], told["changes"][0]["before"]) == ("armed", "test", {"rules": []})
    assert os.listdir(os.path.dirname(path)) == ["one.json"]


def test_what_may_cut_the_host_off_needs_a_switch(set_up):
    with pytest.raises(RefusedError, match="may cut the host off"):
        set_up.apply(RULE, confirm_within=0)
    done = set_up.apply(FILE, confirm_within=0)
    assert (done["state"], done["armed_until"]) == ("confirmed", "")
    assert set_up.undo()["changed"]
    assert set_up.run("cat /tmp/f") == "old\n"


@pytest.mark.parametrize(("within", "name"), [(3, "one"), (9999, "one"), (60, "../one"), (60, ""), (60, ".x")])
def test_odd_calls_are_refused(set_up, within, name):
    with pytest.raises(RefusedError):
        set_up.apply(RULE, confirm_within=within, id=name)
    with pytest.raises(RefusedError, match="about the same thing"):
        set_up.apply(RULE, RULE)
    with pytest.raises(RefusedError, match="there is no change in changes"):
        set_up.apply()
    with pytest.raises(RefusedError, match="there is no change two"):
        set_up.confirm(id="two")


def test_a_read_only_file_system_and_a_full_one_are_refused(set_up):
    set_up.run("for one in ro full; do mkdir -p /tmp/$one; mount -t tmpfs -o size=64k tmpfs /tmp/$one; done")
    try:
        set_up.run("echo old > /tmp/ro/f; mount -o remount,ro /tmp/ro; head -c 60000 /dev/zero > /tmp/full/fill")
        before = set_up.run(LOOK)
        for folder, sentence in (("ro", "is on a read-only file system"), ("full", "there is no room left")):
            change = dict(FILE, path=f"/tmp/{folder}/f")
            for check in (True, False):
                with pytest.raises(RefusedError, match=sentence):
                    set_up.apply(RULE, change, check=check)
            elsewhere = type(set_up.store)(f"/tmp/{folder}/records", set_up.store.lock)
            own, set_up.store = set_up.store, elsewhere
            for check in (True, False):
                with pytest.raises(RefusedError, match=r"no record can be kept in|cannot be written"):
                    set_up.apply(RULE, check=check)
            set_up.store = own
        assert set_up.run(LOOK) == before
    finally:
        set_up.run("umount /tmp/ro /tmp/full")


def test_nothing_is_undone_where_not_all_could_be(set_up):
    set_up.run("mkdir -p /tmp/ro; mount -t tmpfs tmpfs /tmp/ro; echo old > /tmp/ro/f")
    try:
        set_up.apply(RULE, dict(FILE, path="/tmp/ro/f"))
        set_up.confirm()
        made = set_up.run(LOOK)
        set_up.run("mount -o remount,ro /tmp/ro")
        for check in (True, False):
            with pytest.raises(
                RefusedError, match=r"not all of it could be put back.*/tmp/ro/f cannot be written: /tmp/ro is on a"
            ):
                set_up.undo(check=check)
        assert set_up.run(LOOK) == made
        assert set_up.store.load("one")["state"] == "confirmed"
        set_up.run("mount -o remount,rw /tmp/ro")
        assert set_up.undo()["changed"]
        assert set_up.run("cat /tmp/ro/f") == "old\n"
        assert "ours" not in set_up.run(LOOK)
    finally:
        set_up.run("umount /tmp/ro")


# As in Ansible's payload: what is not imported when the module ends is not there any more.
ALONE = """
import json, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.netmedic.calico.plugins.module_utils._change import record, switch, transaction
def no_more(name, *_rest):
    if "netmedic" in name:
        raise SystemExit("imported late: " + name)
class Finder:
    find_spec = staticmethod(no_more)
detach = switch.detach
def then(*given):
    sys.meta_path.insert(0, Finder())
    return detach(*given)
switch.detach = then
request = transaction.Request(**json.loads(sys.argv[2]))
print(json.dumps(transaction.applied(request, record.Store(*sys.argv[3:5]))))
"""


def test_the_switch_needs_no_file_of_ours(set_up):
    set_up.run("nft add table inet t; nft add chain inet t in '{ type filter hook input priority 0; }'")
    set_up.run("printf '*filter\\n:INPUT DROP\\nCOMMIT\\n' > /tmp/v4")
    set_up.run("printf 'table inet t {\\n chain in {\\n type filter hook input priority 0;\\n }\\n}\\n' > /tmp/n.conf")
    before = set_up.run(LOOK + "; cat /tmp/v4 /tmp/n.conf")
    where = {"family": "inet", "table": "t", "chain": "in", "rule": "ip saddr 10.0.0.2 accept", "comment": "a"}
    changes = [
        RULE,
        FILE,
        dict(where, kind="nft_rule"),
        {"kind": "saved_rule", "path": "/tmp/v4", "chain": "INPUT", "rule": "-i lo -j ACCEPT"},
        dict(where, kind="saved_rule", path="/tmp/n.conf"),
        {"kind": "sysctl", "key": "net.ipv4.conf.eth0.rp_filter", "value": "2"},
    ]
    request = json.dumps({"id": "one", "changes": changes, "confirm_within": 5, "wait": False})
    argv = [sys.executable, "-c", ALONE, ROOT, request, set_up.store.folder, set_up.store.lock]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["state"] == "armed"
    deadline = time.monotonic() + 4
    while not set_up.store.load("one")["applied"]:
        assert time.monotonic() < deadline, set_up.store.load("one")
        time.sleep(0.05)
    assert set_up.run(LOOK + "; cat /tmp/v4 /tmp/n.conf") != before
    set_up.wait_for("undone", 10)
    assert set_up.run(LOOK + "; cat /tmp/v4 /tmp/n.conf") == before
