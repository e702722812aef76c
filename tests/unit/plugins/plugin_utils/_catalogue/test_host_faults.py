# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the host, of Felix and of what is rendered for BIRD: from logs in all their forms, and from facts.

The wording of log lines is that of the programs' sources: Felix 3.17 to 3.29 (int_dataplane.go, table.go, ipsets.go),
confd 3.29 (resource.go), ipset 6.29 to 7.11, iptables 1.4.21 to 1.8.9, BIRD 1.6 (filter/filter.c, sysdep/unix/main.c),
Linux (nf_conntrack_core.c).
"""

from __future__ import annotations

import json

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.ranking import rank
from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import finding
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.evidence import Evidence
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.facts import read_node
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import node as texts_of_a_node

from .. import told

STAMP = "2026-11-21 01:02:03.456"
FORMS = {
    "plain": lambda line: line,
    "cri": lambda line: f"2026-11-21T01:02:03.456789012Z stdout F {line}",
    "docker": lambda line: json.dumps(
        {"log": f"{line}\n", "stream": "stdout", "time": "2026-11-21T01:02:03.4Z"}, separators=(",", ":")
    ),
    "prefixed": lambda line: f"[pod/calico-node-x7k2p/calico-node] {line}",
    "journal": lambda line: f"Nov 21 01:02:03 node-1 calico-node[812]: {line}",
}
IPSET = (
    "ipset v7.11: Kernel and userspace incompatible: settype hash:ip,port with revision 7 not supported by userspace."
)
LINES = {
    "ipset in Felix": (
        "ipset_version_mismatch",
        (
            f"{STAMP} [ERROR][66] felix/ipsets.go 671: Bad return code from 'ipset list cali40this-host'. error=exit "
            f'status 1 family="inet" stderr="{IPSET}\\n"'
        ),
    ),
    "ipset alone": ("ipset_version_mismatch", IPSET),
    "old ipset": (
        "ipset_version_mismatch",
        "ipset v6.20.1: Kernel support protocol versions 6-7 while userspace supports protocol versions 6-6",
    ),
    "set type far behind": (
        "kernel_module_missing",
        (
            f"{STAMP} [WARNING][886] ipsets.go 634: Failed to complete ipset restore, IP sets may be out-of-sync. "
            f'closeErr=<nil> commitErr=<nil> family="inet" flushErr=<nil> input="create {"x" * 400}" '
            'processErr=exit status 1 stderr="ipset v6.29: Error in line 1: Kernel error received: set type not '
            'supported\\n" stdout=""'
        ),
    ),
    "match": (
        "kernel_module_missing",
        "iptables-restore v1.8.4 (legacy): Couldn't load match `set':No such file or directory",
    ),
    "target": (
        "kernel_module_missing",
        "iptables v1.8.9 (nf_tables): Couldn't load target `MARK':No such file or directory",
    ),
    "insmod": (
        "kernel_module_missing",
        (
            "iptables v1.8.4 (legacy): can't initialize iptables table `nat': Table does not exist (do you need to "
            "insmod?)"
        ),
    ),
    "revision": (
        "kernel_module_missing",
        "Warning: Extension set revision 0 not supported, missing kernel module?",
    ),
    "rpf": (
        "rp_filter_loose",
        (
            f"{STAMP} [FATAL][846] int_dataplane.go 1018: Kernel's RPF check is set to 'loose'.  This would allow "
            "endpoints to spoof their IP address."
        ),
    ),
    "fatal": (
        "felix_crash_loop",
        f"{STAMP} [FATAL][77] felix/int_dataplane.go 395: Unable to detect host shape, shutting down error=file exists",
    ),
    "gave up": (
        "felix_crash_loop",
        f'{STAMP} [PANIC][66] felix/table.go 1097: Failed to program iptables, giving up after retries table="nat"',
    ),
    "incompatible": (
        "iptables_backend_mismatch",
        (
            f"{STAMP} [ERROR][66] felix/table.go 931: iptables-save failed because there are incompatible nft rules in "
            'the table.  Remove the nft rules to continue. table="filter"'
        ),
    ),
    "template": (
        "confd_cannot_render",
        (
            f"{STAMP} [ERROR][45] confd/processor.go 53: Unable to process template /etc/calico/confd/templates/"
            'bird.cfg.template, template: bird.cfg.template:12: function "x" not defined'
        ),
    ),
    "execution": (
        "confd_cannot_render",
        (
            f"{STAMP} [ERROR][45] confd/resource.go 306: template: bird_ipam.cfg.template:9:15: executing "
            '"bird_ipam.cfg.template" at <json (getv $pool_key)>: error calling json: unexpected end of JSON input'
        ),
    ),
    "no file": (
        "confd_cannot_render",
        "bird: Unable to open configuration file /etc/calico/confd/config/bird.cfg: No such file or directory",
    ),
    "filter": ("bird_filter_error", "bird: filters, line 18: ~ applied on unknown type pair"),
    "filter of IPv6": ("bird_filter_error", "bird6: filters, line 7: Can't compare values of incompatible types"),
    "key": (
        "md5_kernel_limit",
        "bird: Mesh_10_0_0_9: Socket error: The password for TCP MD5 Signature is too long",
    ),
}


def findings(texts):
    node = read_node("node-1", texts_of_a_node.facts(texts, "node-1"))
    evidence = Evidence({"node-1": node})
    found = rank(evidence)
    for item in found:
        assert finding(evidence, item)["summary"].endswith("."), item.fault.id
    return [(item.fault.id, item.confidence) for item in found if item.role != "consequence"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("line", LINES)
def test_a_line_is_known_in_every_form(line, form):
    fault, text = LINES[line]
    # Once or twice a BIRD without a file is what every start looks like.
    times = 6 if line == "no file" else 1
    found = findings({"calico-node.log": (FORMS[form](text) + "\n") * times})
    assert [name for name, confidence in found if confidence >= 0.5][:1] == [fault], found


@pytest.mark.parametrize(
    "text",
    [
        f'{STAMP} [INFO][66] felix/feature_detect.go 259: Looked up iptables command backendMode="nft"',
        (
            f"{STAMP} [INFO][66] felix/int_dataplane.go 1110: attempted to modprobe nf_conntrack_proto_sctp "
            'error=exit status 1 output="modprobe: FATAL: Module nf_conntrack_proto_sctp not found in directory /lib"'
        ),
        f'{STAMP} [INFO][66] felix/ipsets.go 119: Queueing IP set for creation family="inet" setID="this-host"',
        f'{STAMP} [INFO][66] felix/daemon.go 845: Exiting. reason="config changed"',
        "bird: Reconfigured",
    ],
)
def test_what_a_healthy_node_says_is_no_fault(text):
    assert not [one for one in findings({"calico-node.log": text}) if one[1] >= 0.5]


def test_a_log_of_the_kernel_is_known_by_whatever_name():
    for name in ("dmesg.txt", "kern.log", "journal.txt"):
        found = findings({name: "[12345.678901] nf_conntrack: nf_conntrack: table full, dropping packet\n"})
        assert found[0][0] == "conntrack_full", name


def test_networkd_that_only_watches_is_not_blamed():
    line = "Nov 21 01:02:03 node-1 systemd-networkd[1]: cali0a1b2c3d4e5: Gained carrier\n"
    assert not [one for one in findings({"systemd-networkd.log": line}) if one[1] >= 0.5]
    managed = line.replace("Gained carrier", "Configuring with /etc/systemd/network/10-all.network.")
    assert findings({"systemd-networkd.log": managed})[0][0] == "host_network_manager_interference"


@pytest.mark.parametrize(
    ("match", "taken"),
    [
        ("Virtualization=vmware", True),
        ("Name=*", True),
        ("Type=ether", True),
        ("Type=ether\nKind=!*", False),
        ("Name=en* eth*", False),
        ("Name=!eth*", True),
        ("MACAddress=00:11:22:33:44:55", False),
        ("", False),
    ],
)
def test_a_unit_takes_pods_interfaces_or_not(match, taken):
    found = findings({"20-x.network": f"[Match]\n{match}\n\n[Network]\nDHCP=yes\n"})
    assert [name for name, confidence in found if confidence >= 0.5] == (
        ["host_network_manager_interference"] if taken else []
    )


def test_a_loose_filter_alone_is_a_fault_for_an_old_release_only(mesh):
    told.host(mesh, "node-1")["rp_filter"] = {"loose": ["all", "eth0"]}
    assert "rp_filter_loose" not in told.told(mesh)
    mesh.facts["node-1"]["calico_node"]["calico"] = {"version": "v3.17.1"}
    assert told.told(mesh)["rp_filter_loose"].subject.nodes == ("node-1",)


@pytest.mark.parametrize(("setting", "found"), [(None, True), (2, True), (0, False), (1, False)])
def test_felixs_complaint_is_old_where_the_setting_is_right_by_now(mesh, setting, found):
    told.log(mesh, "node-1", "felix", "rpf_check", "Kernel's RPF check is set to 'loose'.")
    told.host(mesh, "node-1").update({} if setting is None else {"rp_filter_all": setting})
    assert ("rp_filter_loose" in told.told(mesh)) is found


def test_a_strict_filter_alone_is_no_fault(mesh):
    told.host(mesh, "node-1")["rp_filter"] = {"strict": ["eth0"]}
    told.host(mesh, "node-1")["reverse_path_dropped"] = {"total": 900, "grew": 0}
    assert told.told(mesh) == {}


@pytest.mark.parametrize(
    ("tracking", "found"),
    [
        ({"count": 262144, "max": 262144}, True),
        ({"count": 1000, "max": 262144, "drop": {"total": 70, "grew": 9}}, False),
        ({"count": 1000, "max": 262144, "insert_failed": {"total": 70, "grew": 9}}, False),
        ({"count": 1000, "max": 262144}, False),
    ],
)
def test_a_full_table(mesh, tracking, found):
    told.host(mesh, "node-2")["conntrack"] = tracking
    assert ("conntrack_full" in told.told(mesh)) is found


def test_forwarding_that_is_off(mesh):
    told.host(mesh, "node-2")["forwarding_off"] = {"ipv4": ["all", "eth0"]}
    item = told.told(mesh)["ip_forward_off"]
    assert item.subject.nodes == ("node-2",)
    assert "sysctl -w net.ipv4.ip_forward=1" in told.commands(mesh, None, "ip_forward_off")


@pytest.mark.parametrize(
    ("legacy", "nft", "found"),
    [
        (["kube-proxy"], ["calico"], True),
        (["calico"], ["calico", "kube-proxy"], True),
        (["docker"], ["calico", "kube-proxy"], False),
        (["docker"], ["ufw"], False),
    ],
)
def test_rules_in_two_backends(mesh, legacy, nft, found):
    mesh.facts["node-3"]["calico_firewall"]["backends"] = {
        "iptables_legacy": {"rules": 9, "owners": legacy},
        "iptables_nft": {"rules": 9, "owners": nft},
    }
    assert ("iptables_backend_mismatch" in told.told(mesh)) is found


def test_lists_of_modules_alone_are_not_enough(mesh):
    told.host(mesh, "node-1")["kernel_missing"] = ["xt_set"]
    assert "kernel_module_missing" not in told.told(mesh)
    told.host(mesh, "node-1")["control_plane"] = {"felix": {"state": "not_ready"}}
    assert "xt_set" in told.summary(mesh, None, "kernel_module_missing")


def test_a_blackhole_for_the_nodes_own_pods_is_right(mesh):
    told.host(mesh, "node-1")["routes"] = {"ipv4": {"bird": 3, "blackholes": ["10.244.1.0/26"]}}
    told.host(mesh, "node-1")["control_plane"] = {"apiserver": {"10.96.0.1:443": {"established": 0, "opening": 2}}}
    assert "calico_bug_service_blackhole" not in told.told(mesh)
    told.host(mesh, "node-1")["routes"] = {"ipv4": {"bird": 3, "blackholes": ["10.96.0.0/12"]}}
    assert told.told(mesh)["calico_bug_service_blackhole"].subject.where["route"] == "blackhole 10.96.0.0/12"
