# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that are attached to interfaces: real ones, and real connections through them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

import ansible_collections.netmedic.calico as collection

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces, which needs root"),
    pytest.mark.skipif(not shutil.which("tc"), reason="tc is not installed"),
]

ROOT = next(iter(collection.__path__)).rpartition("/ansible_collections/")[0]
HOST = """
mount -t proc proc /proc
mount --make-rprivate /
mount -t tmpfs none /run
mkdir /run/bpf
mount -t bpf none /run/bpf
ip link set lo up
unshare --net sleep 60 &
far=$!
sleep 0.1
ip link add eth0 type veth peer name eth0 netns $far
ip link set eth0 up
ip address add 10.200.0.9/24 dev eth0
nsenter -t $far -n sh -c 'ip link set eth0 up; ip address add 10.200.0.10/24 dev eth0'
"""
# Assembles and loads a program: what it returns, and whether it marks packets as Calico's do.
LOADER = """
import ctypes, os, platform, socket, struct, sys
number = {"x86_64": 321, "aarch64": 280}[platform.machine()]
library = ctypes.CDLL(None, use_errno=True)

def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes, 128)
    result = library.syscall(number, command, buffer, max(len(attributes), 48))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result

def one(code, registers, offset, value):
    return struct.pack("<BBhi", code, registers, offset, value)

def load(kind, name, returned, marks):
    words = (one(0xB7, 0x02, 0, 0x01000000) + one(0x63, 0x21, 8, 0) if marks else b"")
    words += one(0xB7, 0, 0, returned) + one(0x95, 0, 0, 0)
    code, licence = ctypes.create_string_buffer(words, len(words)), ctypes.create_string_buffer(b"GPL")
    return bpf(5, struct.pack("<IIQQIIQII16s", kind, len(words) // 8, ctypes.addressof(code),
               ctypes.addressof(licence), 0, 0, 0, 0, 0, name.encode()[:15]) + bytes(8))

how, name, returned, marks = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "marks"
descriptor = load(6 if how == "xdp" else 3, name, returned, marks)
path = ctypes.create_string_buffer(("/run/bpf/" + name).encode())
if how in ("xdp", "tc"):
    bpf(6, struct.pack("<QI", ctypes.addressof(path), descriptor))
else:
    place = socket.if_nametoindex("eth0"), 46 if how == "tcx" else 47
    link = bpf(28, struct.pack("<IIII", descriptor, *place, 0) + bytes(32))
    bpf(6, struct.pack("<QI", ctypes.addressof(path), link))
"""
GATHER = """
import ctypes, json, os, socket, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.netmedic.calico.plugins.module_utils._facts import node
facts = node.gather({"probe": False, "peers": ["10.200.0.10"]}, ("firewall",))["calico_firewall"]
listener = socket.socket()
listener.bind(("0.0.0.0", 179))
listener.listen(5)
far = os.open("/proc/%s/ns/net" % sys.argv[2], os.O_RDONLY)
assert ctypes.CDLL(None, use_errno=True).setns(far, 0x40000000) == 0
caller = socket.socket()
caller.settimeout(0.5)
print(json.dumps({"facts": facts, "open": caller.connect_ex(("10.200.0.9", 179)) == 0}))
"""
FILTER = "tc qdisc replace dev eth0 clsact; tc filter add dev eth0 {} bpf da object-pinned /run/bpf/{}\n"


@pytest.fixture
def look(tmp_path):
    """Return (calico_firewall, whether a peer's connection gets through) with these commands run."""
    (tmp_path / "load.py").write_text(LOADER)

    def gather(commands):
        commands = commands.replace("load ", f"{sys.executable} {tmp_path}/load.py ")
        script = f"set -e{HOST}{commands}\nexec {sys.executable} - {ROOT} $far"
        argv = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script]
        done = subprocess.run(argv, input=GATHER, capture_output=True, text=True, timeout=60, check=False)
        if "not permitted" in done.stderr or "Invalid argument" in done.stderr:
            pytest.skip(f"this kernel takes no such program: {done.stderr[-200:]}")
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        return found["facts"], found["open"]

    return gather


def verdict(facts, way="inbound"):
    (entry,) = facts["tcp179"][way]
    return entry


@pytest.mark.parametrize("returned", [0, 2])
def test_somebodys_filter_may_stop_packets(look, returned):
    facts, is_open = look(f"load tc someone {returned} no\n" + FILTER.format("ingress", "someone"))

    assert is_open == (returned == 0)  # 2: the packet is shot
    entry = verdict(facts)
    assert entry["verdict"] == "unknown"
    assert "someone" in entry["why_unknown"]
    assert (entry["rule"]["backend"], entry["rule"]["table"], entry["rule"]["chain"]) == ("ebpf", "eth0", "tc ingress")
    assert verdict(facts, "outbound")["verdict"] == "accept"
    (program,) = facts["backends"]["ebpf"]
    assert (program["owner"], program["hooks"], program["interfaces"]) == ("unknown", ["tc ingress"], ["eth0"])


@pytest.mark.parametrize(
    ("how", "hook", "way"), [("tcx", "tc ingress", "inbound"), ("tcx-egress", "tc egress", "outbound")]
)
def test_what_is_attached_by_tcx_is_seen(look, how, hook, way):
    facts, is_open = look(f"load {how} cil_from_netdev -1 no")

    assert is_open
    assert verdict(facts, way)["verdict"] == "unknown"
    assert facts["backends"]["ebpf"] == [
        {"program": "cil_from_netdev", "owner": "cilium", "hooks": [hook], "interfaces": ["eth0"]}
    ]


def test_an_xdp_program_is_seen_and_named(look):
    facts, is_open = look(
        "load xdp cali_xdp_preamb 1 no\nip link set dev eth0 xdpgeneric pinned /run/bpf/cali_xdp_preamb"
    )

    assert not is_open
    entry = verdict(facts)
    assert (entry["verdict"], entry["rule"]["owner"], entry["rule"]["chain"]) == ("unknown", "calico", "xdp")


def test_what_a_rule_surely_stops_is_stopped_whatever_a_program_does(look):
    facts, is_open = look("load tcx someone -1 no\niptables -A INPUT -p tcp --dport 179 -j DROP")

    assert not is_open
    assert verdict(facts)["verdict"] == "drop"


@pytest.mark.parametrize("how", ["tc", "tcx"])
def test_a_node_in_calicos_own_ebpf_mode_has_no_unknowns(look, how):
    """Calico's program marks what it lets pass, and its rules take that, as felix/dataplane/linux sets them up."""
    attach = FILTER.format("ingress", "cali_tc_preambl") if how == "tc" else ""
    facts, is_open = look(
        f"""
        load {how} cali_tc_preambl -1 marks
        {attach}
        iptables -N cali-INPUT
        iptables -A INPUT -j cali-INPUT
        iptables -A cali-INPUT -m mark --mark 0x1000000/0x1000000 -j ACCEPT
        iptables -P INPUT DROP
        """
    )

    assert is_open
    assert verdict(facts)["verdict"] == "accept"
    assert "inbound" not in facts["flows"]
    assert [entry["owner"] for entry in facts["backends"]["ebpf"]] == ["calico"]


def test_other_filters_are_no_programs_and_may_stop_packets_too(look):
    facts, is_open = look(
        "tc qdisc add dev eth0 ingress\ntc filter add dev eth0 parent ffff: protocol ip u32 match u32 0 0 classid 1:1"
    )

    assert is_open
    assert (verdict(facts)["verdict"], verdict(facts)["rule"]["text"]) == ("unknown", "u32")


def test_where_nothing_is_attached_nothing_is_said(look):
    facts, is_open = look("tc qdisc add dev eth0 clsact")

    assert is_open
    assert "ebpf" not in facts["backends"]
    assert verdict(facts)["verdict"] == "accept"
    assert "ebpf" not in {entry["source"] for entry in facts["sources"]}
