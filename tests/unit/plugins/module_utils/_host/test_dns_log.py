# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of CoreDNS as public reports show them: projectcalico/calico 5836, coredns/coredns 3402 and 1986."""

from __future__ import annotations

import calendar

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._host import dns_log

NOW = float(calendar.timegm((2026, 4, 3, 15, 0, 0)))
LIST = (
    "E0403 14:36:29.616270       1 reflector.go:125] github.com/coredns/coredns/plugin/kubernetes/controller.go:260: "
    "Failed to list *v1.Service: Get https://10.96.0.1:443/api/v1/services: dial tcp 10.96.0.1:443: {}"
)
ASK = "[ERROR] plugin/errors: 2 example.org. A: read udp 10.1.102.153:58843->192.168.2.1:53: {}"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (LIST.format("connect: no route to host"), [dns_log.API]),
        (LIST.format("i/o timeout"), [dns_log.API]),
        # What refuses was reached.
        (LIST.format("connect: connection refused"), []),
        (ASK.format("i/o timeout"), [dns_log.UPSTREAM]),
        (ASK.format("read: no route to host"), [dns_log.UPSTREAM]),
        (ASK.format("read: connection refused"), []),
        (".:53\n[INFO] plugin/reload: Running configuration MD5 = 4e235fcc3696966e76816bcd9034ebc7\nCoreDNS-1.6.7", []),
    ],
)
def test_what_does_not_answer_coredns_is_told_by_kind(text, kinds):
    assert [line.kind for line in dns_log.parse(text, NOW)] == kinds


def test_a_line_is_coredns_own_and_has_its_time():
    found = dns_log.parse("2026-04-03T14:36:30Z stderr F " + LIST.format("i/o timeout"), NOW)
    assert [(one.component, one.text[:17], one.at) for one in found] == [
        (dns_log.COREDNS, "E0403 14:36:29.61", pytest.approx(NOW - 23.5 * 60, abs=61))
    ]


def test_of_a_long_line_what_tells_is_kept():
    long = LIST.replace("/api/v1/services", "/api/v1/services?" + "x" * 900).format("connect: no route to host")
    (line,) = dns_log.parse(long, NOW)
    assert line.text.endswith("dial tcp 10.96.0.1:443: connect: no route to host")
