# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._clock import chrony as chronyd
from ansible_collections.netmedic.calico.plugins.module_utils._clock import kernel, ntpd, openntpd, timesyncd
from ansible_collections.netmedic.calico.plugins.module_utils._facts import chrony
from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources


class FakeProcess:
    argv = ()

    def __init__(self, comm, state="S", network="net:[1]"):
        self.pid, self.comm, self.state, self.network_namespace, self.container = 7, comm[:15], state, network, ""


class FakeTable:
    network_namespace = "net:[1]"

    def __init__(self, *processes):
        self.processes = processes

    def named(self, *names):
        return [process for process in self.processes if process.comm in {name[:15] for name in names}]


@pytest.fixture
def disciplined(monkeypatch):
    monkeypatch.setattr(kernel, "synchronised", lambda: True)


@pytest.fixture
def undisciplined(monkeypatch):
    monkeypatch.setattr(kernel, "synchronised", lambda: False)


def gather(*processes):
    sources = Sources()
    return chrony.gather(FakeTable(*processes), sources, 1.0), sources.as_list()


@pytest.mark.parametrize(
    ("comm", "service", "module"),
    [("chronyd", "chrony", chronyd), ("ntpd", "ntpd", ntpd), ("systemd-timesyncd", "timesyncd", timesyncd)],
)
def test_the_service_that_runs_is_asked(monkeypatch, undisciplined, comm, service, module):
    monkeypatch.setattr(module, "read", lambda timeout, now: ({"synchronised": True, "why": "well"}, ""))

    facts, sources = gather(FakeProcess(comm))

    assert facts == {
        "service": service,
        "running": True,
        "synchronised": True,
        "kernel_synchronised": False,
        "why": "well",
    }
    assert sources == [{"source": service, "status": "ok", "detail": ""}]


def test_no_service(undisciplined):
    facts, sources = gather(FakeProcess("sshd"))

    assert (facts["service"], facts["running"], facts["synchronised"]) == ("none", False, False)
    assert sources[0]["status"] == "absent"


def test_no_known_service_and_a_disciplined_clock(disciplined):
    facts, _sources = gather()

    assert (facts["service"], facts["synchronised"]) == ("none", True)


def test_a_service_in_another_network_keeps_no_clock_for_us(undisciplined):
    assert gather(FakeProcess("chronyd", network="net:[2]"))[0]["service"] == "none"


def test_a_stopped_service_is_not_waited_for(monkeypatch, undisciplined):
    monkeypatch.setattr(chronyd, "read", lambda timeout, now: pytest.fail("asked"))

    facts, sources = gather(FakeProcess("chronyd", state="T"))

    assert (facts["service"], facts["running"], facts["synchronised"]) == ("chrony", True, None)
    assert "stopped by a signal" in facts["why"]
    assert sources[0]["status"] == "failed"


def test_a_service_that_does_not_answer_leaves_it_to_the_kernel(monkeypatch, disciplined):
    monkeypatch.setattr(chronyd, "read", lambda timeout, now: ({}, "chronyc said: 506 Cannot talk to daemon."))

    facts, sources = gather(FakeProcess("chronyd"))

    assert (facts["synchronised"], facts["why"]) == (True, "chronyc said: 506 Cannot talk to daemon.")
    assert sources[0]["status"] == "failed"


def test_a_reader_that_breaks_is_reported(monkeypatch, undisciplined):
    def broken(timeout, now):
        raise ValueError("surprise")

    monkeypatch.setattr(chronyd, "read", broken)

    facts, sources = gather(FakeProcess("chronyd"))

    assert facts["synchronised"] is None
    assert sources[0]["status"] == "failed"


def test_openntpd_is_no_ntpd(monkeypatch, undisciplined):
    monkeypatch.setattr(openntpd, "read", lambda timeout, now: ({"synchronised": True}, ""))
    parent, child = FakeProcess("ntpd"), FakeProcess("ntpd")
    parent.argv, child.argv = ("/usr/sbin/ntpd", "-f", "/etc/openntpd/ntpd.conf"), ("ntpd: ntp engine",)

    facts, sources = gather(parent, child)

    assert (facts["service"], facts["synchronised"], "also_running" in facts) == ("openntpd", True, False)
    assert sources == [{"source": "openntpd", "status": "ok", "detail": ""}]


def test_two_services_at_once_are_told(monkeypatch, undisciplined):
    monkeypatch.setattr(chronyd, "read", lambda timeout, now: ({"synchronised": True}, ""))

    facts, _sources = gather(FakeProcess("chronyd"), FakeProcess("systemd-timesyncd"))

    assert (facts["service"], facts["also_running"]) == ("chrony", ["timesyncd"])
