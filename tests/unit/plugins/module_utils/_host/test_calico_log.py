# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import calendar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._host import calico_log, log_lines

NOW = float(calendar.timegm((2026, 11, 21, 2, 0, 0)))

# The messages as Calico 3.28 composes them: startup.go, autodetection_methods.go, filtered.go, utils.go below
# node/pkg/lifecycle, daemon.go, table.go, route_mgr.go below felix, client.go in confd/pkg/backends/calico.
LOG = """2026-11-21 01:00:00.101 [INFO][9] startup/startup.go 432: Early log level set to info
2026-11-21 01:00:01.101 [WARNING][9] startup/autodetection_methods.go 99: Unable to auto-detect an IPv4 address: no valid IPv4 addresses found on the host interfaces
2026-11-21 01:00:01.102 [WARNING][9] startup/startup.go 635: Couldn't autodetect an IPv4 address. If auto-detecting, choose a different autodetection method. Otherwise provide an explicit address.
2026-11-21 01:00:02.000 [WARNING][9] startup/utils.go 47: Terminating
2026-11-21 01:30:00.000 [INFO][9] startup/startup.go 574: Hit error connecting to datastore - retry error=Get "https://10.96.0.1:443/api": dial tcp 10.96.0.1:443: i/o timeout
2026-11-21 01:40:00.000 [ERROR][62] felix/daemon.go 581: Failed to connect to Typha. error=dial tcp 10.0.0.1:5473: connect: connection refused
2026-11-21 01:41:00.000 [ERROR][62] felix/daemon.go 581: Failed to connect to Typha. error=dial tcp 10.0.0.1:5473: connect: connection refused
2026-11-21T01:42:00.000000000Z stdout F 2026-11-21 01:42:00.000 [WARNING][62] felix/table.go 1543: Failed to execute ip(6)tables-restore command error=exit status 2
2026-11-21 01:43:00.000 [WARNING][66] felix/route_mgr.go 548: Failed to get tunnel device, retrying... error=Link not found
2026-11-21 01:44:00.000 [WARNING][70] confd/client.go 500: Can't read password for BGPPeer peer-1 error=secrets "bgp" is forbidden password="hunter2"
2026-11-21 01:45:00.000 [WARNING][62] felix/sync_client.go 1: Something of no interest
2026-11-21 01:46:00.000 [ERROR][62] felix/x.go 1: Something unheard of token=eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.AAAA
"""  # noqa: E501  # lines of a log


def recent(text, window=7200):
    return [(line.component, line.kind, line.times) for line in calico_log.recent(calico_log.parse(text), NOW, window)]


def test_telling_lines_of_calico_node_are_found_and_counted():
    assert recent(LOG) == [
        ("felix", "other", 1),
        ("confd", "password_secret", 1),
        ("felix", "tunnel", 1),
        ("felix", "iptables", 1),
        ("felix", "typha", 2),
        ("startup", "datastore", 1),
        ("startup", "terminated", 1),
        ("startup", "autodetection", 2),
    ]
    assert ("startup", "datastore", 1) in recent(LOG, 3600)
    assert ("startup", "terminated", 1) not in recent(LOG, 3600 - 60)


def test_messages_travel_without_stamps_secrets_and_tokens():
    texts = [line.text for line in calico_log.parse(LOG)]

    assert texts[0].startswith("Unable to auto-detect an IPv4 address: no valid")
    assert not any("hunter2" in text or "eyJ" in text for text in texts)
    assert max(map(len, texts)) <= 200


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("no answer of https://admin:hunter2@10.96.0.1/x", "no answer of https://…@10.96.0.1/x"),
        ("get /?token=hunter2&watch=1: refused", "get /?token=…&watch=1: refused"),
        ('err={"token": "hunter2", "code": 401}', 'err={"token": "…", "code": 401}'),
        ("sent Authorization: Bearer hunter2hunter2 and failed", "sent Authorization: Bearer … and failed"),
        ("invalid bearer token, service account token has expired", None),
        ("a key=value pair of no secret", None),
        ("api_key='hunter2' is wrong", "api_key='…' is wrong"),
    ],
)
def test_of_a_message_only_the_secret_is_cut(message, expected):
    assert log_lines.shown(message) == (expected or message)


def test_lines_of_kubelet_are_found_in_whatever_log():
    klog = "E1121 01:59:00.000000    1120 kubelet.go:2855] "
    klog += '"Container runtime network not ready" ready="cni plugin not initialized"'
    text = "\n".join(
        [
            "2026-11-21T01:58:00+00:00 node-1 kubelet[1120]: " + klog,
            "I1121 01:59:00.000000    1120 kubelet.go:1] cni plugin not initialized",
            "Nov 21 01:57:00 node-1 kubelet[1120]: error getting ClusterInformation: connection is unauthorized",
            "Nov 21 01:57:00 node-1 other[1]: Unauthorized",
            klog,
        ]
    )

    found = calico_log.parse_kubelet(text, NOW)

    assert [line.kind for line in found] == ["cni_not_ready", "unauthorized", "cni_not_ready"]
    assert found[0].at == NOW - 120
    assert found[0].text.startswith('"Container runtime network not ready"')
    assert found[1].text == "error getting ClusterInformation: connection is unauthorized"
    assert all(line.at is not None and line.at < NOW + 86400 for line in found)


# As Calico 3.28 to 3.33 composes them: sync_client.go and discovery.go in typha/pkg, watchercache.go and health.go in
# libcalico-go/lib, startup.go, autodetection_methods.go; a Go program's own last words.
SERIOUS = """2026-11-21 01:00:01.101 [WARNING][62] felix/sync_client.go 205: Failed to connect to typha endpoint 10.0.0.5:5473.  Will try another if available... error=dial tcp 10.0.0.5:5473: i/o timeout
2026-11-21 01:00:02.101 [WARNING][62] felix/sync_client.go 205: Failed to connect to typha endpoint 10.0.0.6:5473.  Will try another if available... error=dial tcp 10.0.0.6:5473: connect: connection refused
2026-11-21 01:00:03.101 [WARNING][62] felix/sync_client.go 205: Failed to connect to typha endpoint 10.0.0.5:5473.  Will try another if available... error=dial tcp 10.0.0.5:5473: i/o timeout
2026-11-21 01:00:04.101 [ERROR][62] felix/discovery.go 228: Didn't find any ready Typha instances.
2026-11-21 01:00:04.102 [ERROR][62] felix/daemon.go 351: Typha discovery enabled but discovery failed. error=missing Kubernetes service IP or port
2026-11-21 01:00:05.101 [INFO][70] confd/watchercache.go 194: Failed to perform list of current data during resync ListRoot="/calico/resources/v3/projectcalico.org/nodes" error=Get "https://10.96.0.1:443/api/v1/nodes": dial tcp 10.96.0.1:443: i/o timeout
2026-11-21 01:00:06.101 [INFO][70] confd/watchercache.go 194: Failed to perform list of current data during resync ListRoot="/calico/ipam/v2" error=connection is unauthorized: Unauthorized
2026-11-21 01:00:07.101 [INFO][71] monitor-addresses/startup.go 565: Node IPv4 changed, will check for conflicts
2026-11-21 01:00:08.101 [WARNING][9] startup/autodetection_methods.go 236: Unable to find matching host interface for IP 10.0.0.9
2026-11-21 01:00:09.101 [WARNING][62] felix/health.go 292: Reporter is not ready: reporting non-ready. name="CalculationGraph"
2026-11-21 01:00:10.101 [WARNING][62] felix/sync_client.go 205: Failed to connect to typha endpoint 10.0.0.7:5473.  Will try another if available... error=peer certificate does not have required CN
2026-11-21T01:00:11.000000000Z stderr F panic: runtime error: invalid memory address or nil pointer dereference
2026-11-21T01:00:11.000000000Z stderr F [signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1]
2026-11-21 01:00:12.101 [INFO][62] felix/x.go 1: No panic: all is well
2026-11-21 01:00:13.101 [INFO][62] felix/health.go 294: Reporter is not ready: reporting non-ready. name="felix-startup"
2026-11-21 01:00:14.101 [INFO][62] felix/sync_client.go 188: Connecting to typha endpoint 10.0.0.5:5473.
"""  # noqa: E501  # lines of a log


def test_lines_at_whatever_level_that_tell_of_typha_the_datastore_and_crashes():
    assert recent(SERIOUS) == [
        ("", "crash", 2),
        ("felix", "tls", 1),
        ("felix", "health", 1),
        ("startup", "node_ip_without_mask", 1),
        ("monitor-addresses", "node_ip_found_anew", 1),
        ("confd", "unauthorized", 1),
        ("confd", "datastore", 1),
        ("felix", "typha_discovery", 2),
        ("felix", "typha", 2),
        ("felix", "typha", 1),
    ]
    endpoints = [line.text for line in calico_log.parse(SERIOUS) if line.kind == "typha"]
    assert "10.0.0.5:5473" in endpoints[0]
    assert calico_log.parse("2026-11-21T01:00:11.0Z stderr F panic: x", "calico-typha")[0].component == "calico-typha"


# prober.go of Kubernetes 1.23 to 1.31 (from -v=1 on), remote_runtime.go; 1.20 in the cases of the tests' folder.
PROBES = """Nov 21 01:50:00 node-1 kubelet[1388]: I1121 01:50:00.000000    1388 prober.go:107] "Probe failed" probeType="Readiness" pod="kube-system/calico-node-x" podUID="1" containerName="calico-node" probeResult="failure" output=<
Nov 21 01:50:00 node-1 kubelet[1388]: \tcalico/node is not ready: BIRD is not ready: Error querying BIRD: unable to connect to BIRDv4 socket: dial unix /var/run/calico/bird.ctl: connect: connection refused
Nov 21 01:50:00 node-1 kubelet[1388]:  >
Nov 21 01:51:00 node-1 k3s[1388]: E1121 01:51:00.000000    1388 prober.go:104] "Probe errored" err="rpc error: code = DeadlineExceeded desc = context deadline exceeded" probeType="Readiness" pod="kube-system/calico-node-x" containerName="calico-node"
Nov 21 01:51:30 node-1 kubelet[1388]: E1121 01:51:30.000000    1388 prober.go:104] "Probe errored" err="rpc error" probeType="Readiness" pod="default/web" containerName="web"
Nov 21 01:52:00 node-1 kubelet[1388]: I1121 01:52:00.000000    1388 prober.go:107] "Probe failed" pod="kube-system/calico-node-x" output="calico/node is not ready: felix is not ready: readiness probe reporting 503"
Nov 21 01:53:00 node-1 k0s[900]: time="2026-11-21 01:53:00" level=info msg="E1121 01:53:00.000000    950 kubelet.go:2347] \\"Container runtime network not ready\\"" component=kubelet
Nov 21 01:54:00 node-1 nginx[7]: calico/node is not ready
"""  # noqa: E501  # lines of a log


def test_what_kubelet_says_of_probes():
    found = calico_log.parse_kubelet(PROBES, NOW)

    kinds = ["calico_not_ready", "probe_errored", "calico_not_ready", "runtime"]
    assert [line.kind for line in found] == kinds
    assert found[0].text.startswith("calico/node is not ready: BIRD is not ready: Error querying BIRD")
    assert all(line.at is not None for line in found)


# As journalctl of systemd 252 and rsyslog print the same message of several lines.
JOURNAL = """2026-11-21T01:39:31+0000 vm k3s[10]: I1121 01:39:31.000000    1388 prober.go:107] "Probe failed" pod="kube-system/calico-node-x" output=<
                                             calico/node is not ready: BIRD is not ready: BGP not established with 10.0.0.1
                                      >
2026-11-21T01:39:32+0000 vm kernel: lan0: port 2(port2) entered blocking state
                                    calico/node is not ready
"""  # noqa: E501  # lines of a log
SYSLOG = """Nov 21 01:39:31 vm kubelet[10]: I1121 01:39:31.000000    1388 prober.go:107] "Probe failed" probeType="Readiness" pod="kube-system/calico-node-x" podUID="7a3f2f0e-4a55-4f0b-a07d-4d1c1d0a7d31" containerName="calico-node" probeResult="failure" output=<#012#011calico/node is not ready: BIRD is not ready: BGP not established with 10.0.0.1#012 >
"""  # noqa: E501  # lines of a log


def test_messages_of_several_lines_are_read_in_whatever_form():
    (journal,) = calico_log.parse_kubelet(JOURNAL, NOW)
    (syslog,) = calico_log.parse_kubelet(SYSLOG, NOW)

    assert journal.at == float(calendar.timegm((2026, 11, 21, 1, 39, 31)))
    assert journal.text == "calico/node is not ready: BIRD is not ready: BGP not established with 10.0.0.1"
    assert syslog.text.startswith(journal.text)
    assert calico_log.parse_kubelet("\tcalico/node is not ready", NOW) == []


# flannel 0.24: main.go, pkg/subnet/kube/kube.go, in the container runtime's copy.
CANAL = """2026-11-21T01:00:00.0Z stderr F I1121 01:00:00.000000       1 main.go:211] CLI flags config
2026-11-21T01:00:01.0Z stderr F E1121 01:00:01.000000       1 main.go:332] Error registering network: failed to acquire lease: node "n" pod cidr not assigned
2026-11-21T01:00:02.0Z stderr F E1121 01:00:02.000000       1 main.go:315] Failed to find interface to use that matches the interfaces and/or regexes provided
2026-11-21T01:00:03.0Z stderr F W1121 01:00:03.000000       1 main.go:505] no subnet found for key: FLANNEL_SUBNET in file: /run/flannel/subnet.env
2026-11-21T01:00:04.0Z stderr F E1121 01:00:04.000000       1 main.go:226] Failed to create SubnetManager: error retrieving pod spec for 'kube-system/canal-x': Get "https://10.96.0.1:443/api": dial tcp 10.96.0.1:443: i/o timeout
2026-11-21T01:00:05.0Z stderr F E1121 01:00:05.000000       1 main.go:1] Something unheard of
"""  # noqa: E501  # lines of a log


def test_what_flannel_says():
    found = calico_log.parse_flannel(CANAL, NOW)

    assert [line.kind for line in found] == ["podcidr", "interface", "apiserver", "other"]
    assert {line.component for line in found} == {"flannel"}
    assert found[0].at == float(calendar.timegm((2026, 11, 21, 1, 0, 1)))


def test_why_flannel_got_no_answer_is_not_cut_off():
    # flannel-io/flannel#1785
    url = "https://10.96.0.1:443/api/v1/namespaces/kube-flannel/pods/kube-flannel-ds-z8lxw"
    said = (
        f"error retrieving pod spec for 'kube-flannel/kube-flannel-ds-z8lxw': Get \"{url}\": dial tcp 10.96.0.1:443: "
    )
    line = f"E0716 13:09:49.360285       1 main.go:229] Failed to create SubnetManager: {said}i/o timeout"
    (found,) = calico_log.parse_flannel(line, NOW)
    assert found.kind == "apiserver"
    assert found.text.endswith("… dial tcp 10.96.0.1:443: i/o timeout")


def test_where_a_log_begins():
    assert calico_log.time_of(LOG, NOW) == float(calendar.timegm((2026, 11, 21, 1, 0, 0)))
    assert calico_log.time_of(CANAL, NOW) == float(calendar.timegm((2026, 11, 21, 1, 0, 0)))
    assert calico_log.time_of("E1121 01:00:00.000000  1 x.go:1] y", NOW, 3600) == float(
        calendar.timegm((2026, 11, 21, 0, 0, 0))
    )
    assert calico_log.time_of("whatever\n", NOW) is None


# A node-local DNS cache's address taken for the node's; what other programs print between Felix' lines. From public
# reports of Calico 3.2x.
ADDRESSES = """2026-11-21 01:00:00.402 [INFO][9] startup/autodetection_methods.go 103: Using autodetected IPv4 address on interface ens5: 10.215.101.177/24
2026-11-21 01:01:00.655 [INFO][80] monitor-addresses/autodetection_methods.go 103: Using autodetected IPv4 address on interface ens5: 10.215.101.177/24
2026-11-21 01:02:00.655 [INFO][80] monitor-addresses/autodetection_methods.go 103: Using autodetected IPv4 address on interface ens5: 10.215.101.177/24
2026-11-21 01:02:00.656 [INFO][80] monitor-addresses/autodetection_methods.go 103: Using autodetected IPv6 address on interface ens5: fd00::9/64
"""  # noqa: E501  # lines of a log
OTHER = "2026-11-21 01:03:00.117 [INFO][80] monitor-addresses/autodetection_methods.go 103: "
OTHER += "Using autodetected IPv4 address on interface nodelocaldns: 10.96.0.10/32\n"
PRINTED = """iptables-restore v1.8.4 (legacy): Couldn't load match `set':No such file or directory
ipset v7.11: Kernel and userspace incompatible: settype hash:ip with revision 7 not supported by userspace
modprobe: can't change directory to '/lib/modules': No such file or directory
iptables-save v1.4.21: Cannot initialize: iptables who? (do you need to insmod?)
2026-11-21T01:00:00.0Z stdout F Calico node failed to start
"""


def test_addresses_that_come_and_go_are_told_and_those_that_stay_are_not():
    assert recent(ADDRESSES) == []
    assert recent(ADDRESSES + OTHER) == [
        ("monitor-addresses", "autodetected", 1),
        ("monitor-addresses", "autodetected", 2),
        ("startup", "autodetected", 1),
    ]


def test_what_other_programs_print_is_found():
    kinds = [line.kind for line in calico_log.parse(PRINTED)]

    assert kinds == ["kernel_lacks", "ipset_incompatible", "kernel_module", "kernel_lacks", "terminated"]


def test_no_more_than_the_newest_lines_are_told():
    lines = [calico_log.Line(NOW - number, f"c{number}", "tunnel", "t") for number in range(50)]
    lines += [calico_log.Line(NOW, "felix", "other", f"{number} different") for number in range(9)]

    found = calico_log.recent(lines, NOW, 3600)

    assert len(found) == calico_log.MOST_LINES
    assert sum(line.kind == "other" for line in found) == 5


def test_an_address_on_a_bridge_is_told_even_if_it_is_always_the_same():
    stamp = "2026-11-21 00:00:00.000 [INFO][9] startup.go 583: "
    usual = stamp + "Using autodetected IPv4 address on interface eth0: 10.0.0.9/24"
    by_reach = stamp + "Using autodetected IPv4 address 10.0.0.9/24, detected by connecting to 8.8.8.8"
    bridge = stamp + "Using autodetected IPv4 address on interface br-3faae2641db0"
    assert calico_log.recent(calico_log.parse(usual), NOW, 1e9) == []
    assert calico_log.recent(calico_log.parse(by_reach), NOW, 1e9) == []
    assert [line.kind for line in calico_log.recent(calico_log.parse(bridge), NOW, 1e9)] == ["autodetected"]


def test_a_secret_that_may_not_be_listed_is_told_by_client_go():
    text = 'E1013 09:14:22.5 74 reflector.go:138] failed to list *v1.Secret: cannot list resource "secrets"'
    assert [line.kind for line in calico_log.parse(text)] == ["password_secret"]


@given(st.text(max_size=300))
def test_hostile_lines_are_no_exception(noise):
    for line in (
        "[ERROR][1] " + noise,
        "E9999 99:99:99.0 1 " + noise + " x509: ",
        "Nov 99 99:99:99 h kubelet[1]: x509: ",
        "9999-99-99T99:99:99Z E9999 99:99:99.0 1 x:1] " + noise,
    ):
        calico_log.parse(line)
        calico_log.parse_kubelet(line, NOW)
        calico_log.parse_flannel(line, NOW)
        calico_log.time_of(line, NOW)
