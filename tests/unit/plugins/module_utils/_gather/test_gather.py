# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._gather import cni, filters, gather, parcel, wanted
from ansible_collections.netmedic.calico.plugins.module_utils._gather.model import ABSENT, CUT, FAILED, LEFT_OUT, OK
from ansible_collections.netmedic.calico.plugins.module_utils._host import commands

NOT_THERE = commands.CommandResult(-1, "", "", "absent")


@pytest.fixture
def programs(monkeypatch):
    """What programs print, by the first word; all others are not installed. The calls are kept under ''."""
    told = {"": []}

    def run(argv, timeout, max_bytes=0):
        told[""].append(list(argv))
        return told.get(argv[0], NOT_THERE)

    monkeypatch.setattr(commands, "run", run)
    monkeypatch.setattr(filters, "is_there", lambda module: True)
    return told


def printed(text, rc=0, stderr="", failure=""):
    return commands.CommandResult(rc, text, stderr, failure)


def outputs(tmp_path, seconds=30.0):
    return {one.name: one for one in gather.Pass(seconds, 5.0, str(tmp_path)).outputs()}


def test_what_a_program_prints_is_kept_with_the_command(programs, tmp_path):
    programs["ip"] = printed("1: lo: <LOOPBACK>\n")

    found = outputs(tmp_path)["ip-addr.txt"]

    assert (found.status, found.text, found.source) == (OK, "1: lo: <LOOPBACK>\n", "ip addr show")


def test_why_there_is_nothing_is_told(programs, tmp_path):
    programs["bridge"] = printed("", 1, "RTNETLINK answers: Operation not supported")
    programs["nft"] = printed("table ip x {\n", failure="timeout")

    found = outputs(tmp_path)

    assert found["more/bridge-fdb.txt"].status == FAILED
    assert "Operation not supported" in found["more/bridge-fdb.txt"].detail
    assert (found["nft-ruleset.txt"].status, found["nft-ruleset.txt"].text) == (FAILED, "table ip x {\n")
    assert "not done within 5 s" in found["nft-ruleset.txt"].detail
    assert (found["ipset.txt"].status, found["ipset.txt"].detail) == (ABSENT, "ipset is not installed")


def test_what_is_too_long_is_cut(programs, tmp_path):
    programs["ip"] = printed("10.0.0.0/24 via 10.0.0.1\n" * 100_000)

    found = outputs(tmp_path)["ip-route.txt"]

    assert found.status == CUT
    assert found.size == 2_500_000
    assert len(found.text.encode()) <= 512 * 1024


def test_when_the_time_is_over_the_rest_is_named_and_not_asked_for(programs, tmp_path):
    found = outputs(tmp_path, 0.0)

    assert {one.status for one in found.values()} <= {LEFT_OUT, ABSENT}
    assert found["ip-addr.txt"].detail == "the pass had taken its 0 s"
    assert programs[""] == []


def test_no_program_can_change_anything_or_reaches_other_nodes(programs, tmp_path):
    """Each program and its verbs, as they may be run; a new one has to be thought about here."""
    outputs(tmp_path)
    harmless = {
        "ip": {"show"},
        "bridge": {"show"},
        "ss": {"-tlnp", "-tanoi", "-s"},
        "nft": {"list"},
        "ipset": {"save"},
        "tc": {"show"},
        "sysctl": {"-a"},
        "uname": {"-a"},
        "ps": {"-eo"},
        "wg": {"show"},
        "df": {"/"},
        "dmesg": set(),
        "crictl": {"ps"},
        "journalctl": {"--no-pager"},
        "chronyc": {"tracking", "sources"},
        "ufw": {"status"},
    }

    for argv in programs[""]:
        program = argv[0]
        if program.endswith("-save"):
            assert argv[1:] == ["-c"]
            continue
        assert not harmless[program] or harmless[program] & set(argv), argv
        assert not {"-w", "--write", "-F", "flush", "add", "del", "set", "configure", "restore", "-p"} & set(argv), argv


def test_what_would_load_a_part_of_the_kernel_is_not_asked(programs, tmp_path, monkeypatch):
    monkeypatch.setattr(filters, "is_there", lambda module: False)

    found = outputs(tmp_path)

    assert found["nft-ruleset.txt"].detail == "the kernel has not loaded nf_tables"
    assert not [argv for argv in programs[""] if argv[0] in ("nft", "ipset", "wg")]


def test_what_is_asked_for_holds_no_arguments_of_processes_and_no_keys_of_wireguard():
    named = {one.name: one.argv for one in wanted.HOST if isinstance(one, wanted.Command)}

    assert named["processes.txt"] == ("ps", "-eo", "pid,ppid,stat,etime,rss,comm")
    assert {argv[-1] for argv in named.values() if argv[0] == "wg"} == {"latest-handshakes", "endpoints"}


def test_settings_with_keys_are_left_out():
    text = (
        "fs.inotify.max_user_watches = 100\nkernel.hostname = x\nnet.ipv4.ip_forward = 1\n"
        "net.ipv4.tcp_fastopen_key = 0123-4567\nnet.ipv6.conf.eth0.stable_secret = 2001:db8::1\n"
    )

    assert gather.of_settings(text) == "fs.inotify.max_user_watches = 100\nnet.ipv4.ip_forward = 1\n"


def test_no_secret_leaves_the_node(programs, tmp_path):
    log = tmp_path / "var/log/pods/kube-system_calico-node-x_1/calico-node/0.log"
    log.parent.mkdir(parents=True)
    log.write_text(
        "2026-01-01 00:00:00.000 [INFO][1] felix/config.go 1: Parsed EtcdPassword=CANARY-1 from environment\n"
        "2026-01-01 00:00:00.000 [INFO][1] felix/config.go 1: ETCD_ENDPOINTS=https://root:CANARY-2@10.0.0.1:2379\n"
        "2026-01-01 00:00:00.000 [INFO][1] startup 1: Authorization: Bearer CANARY-3-0123456789\n"
        "2026-01-01 00:00:00.000 [INFO][1] startup 1: token: eyJhbGciOiJSUzI1NiJ9.CANARY4.CANARY4\n"
        "-----BEGIN RSA PRIVATE KEY-----\nCANARY5\n-----END RSA PRIVATE KEY-----\n"
        "2026-01-01 00:00:00.000 [INFO][1] felix/int_dataplane.go 1: Applied\n"
    )
    programs["dmesg"] = printed("[ 1.0] Kernel command line: root=/dev/sda1 password=CANARY-6\n")

    found = outputs(tmp_path)

    assert not [one.name for one in found.values() if "CANARY" in one.text]
    assert found["calico-node.log"].text.endswith("felix/int_dataplane.go 1: Applied\n")
    assert "root=/dev/sda1" in found["more/dmesg.txt"].text


def test_of_a_cni_configuration_secrets_are_cut_by_their_names(tmp_path):
    folder = tmp_path / "etc/cni/net.d"
    folder.mkdir(parents=True)
    (folder / "10-calico.conflist").write_text(
        '{"name": "k8s-pod-network", "plugins": [{"type": "calico", "mtu": 1440, "etcd_key_file": "/x",'
        ' "policy": {"type": "k8s", "k8s_auth_token": "CANARY"}, "etcd_password": "CANARY"}]}'
    )
    (folder / "99-broken.conf").write_text('{"k8s_auth_token": "CANARY", ')
    (folder / "calico-kubeconfig").write_text("token: CANARY\n")

    found = {one.name: one.text for one in cni.gather(["/etc/cni/net.d", "/none"], str(tmp_path))}

    assert sorted(found) == [
        "more/cni/10-calico.conflist.txt",
        "more/cni/99-broken.conf.txt",
        "more/cni/etc_cni_net.d.txt",
    ]
    assert "CANARY" not in "".join(found.values())
    assert '"mtu": 1440' in found["more/cni/10-calico.conflist.txt"]
    assert "calico-kubeconfig" in found["more/cni/etc_cni_net.d.txt"]


def test_a_part_that_breaks_costs_itself_only(programs, tmp_path, monkeypatch):
    def breaks(*_arguments):
        raise RuntimeError("in the middle")

    monkeypatch.setattr(cni, "gather", breaks)

    found = outputs(tmp_path)

    assert (found["cni"].status, found["cni"].detail) == (FAILED, "RuntimeError: in the middle")
    assert "uname.txt" in found


def test_the_parcel_holds_it_all_and_the_priority_is_the_lowest(programs, monkeypatch):
    lowered = []
    monkeypatch.setattr(gather.os, "nice", lowered.append)
    programs["uname"] = printed("Linux node-1\n")

    result = gather.gather({"max_kb": 1024, "seconds": 30, "timeout": 5})

    assert lowered == [19]
    assert programs[""][0][:3] == ["ionice", "-c", "3"]
    told = parcel.unpacked(result["parcel"], 1 << 28)
    assert sum(result["counts"].values()) == len(told)
    assert next(one.text for one in told if one.name == "uname.txt") == "Linux node-1\n"
