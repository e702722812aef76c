# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import calendar

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._host import calico_log

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


def test_no_more_than_the_newest_lines_are_told():
    lines = [calico_log.Line(NOW - number, f"c{number}", "tunnel", "t") for number in range(50)]
    lines += [calico_log.Line(NOW, "felix", "other", f"{number} different") for number in range(9)]

    found = calico_log.recent(lines, NOW, 3600)

    assert len(found) == calico_log.MOST_LINES
    assert sum(line.kind == "other" for line in found) == 5


@given(st.text(max_size=300))
def test_hostile_lines_are_no_exception(noise):
    for line in (
        "[ERROR][1] " + noise,
        "E9999 99:99:99.0 1 " + noise + " x509: ",
        "Nov 99 99:99:99 h kubelet[1]: x509: ",
    ):
        calico_log.parse(line)
        calico_log.parse_kubelet(line, NOW)
