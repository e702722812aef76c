# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._host import counters

RECORDED = pathlib.Path(__file__).parent / "recorded"
MD5 = ("TCPMD5Failure", "TCPMD5Unexpected", "TCPMD5NotFound")


def recorded(name):
    return counters.parse((RECORDED / name).read_text(), "TcpExt", MD5)


def test_only_the_listener_counts_wrong_signatures():
    listener, dialler = recorded("md5_listener.netstat"), recorded("md5_dialler.netstat")

    assert listener["TCPMD5Failure"] > 0
    assert (listener["TCPMD5Unexpected"], listener["TCPMD5NotFound"]) == (0, 0)
    assert dialler == {"TCPMD5Failure": 0, "TCPMD5Unexpected": 0, "TCPMD5NotFound": 0}


def test_counters_that_this_kernel_lacks_are_left_out():
    assert counters.parse("TcpExt: A B\nTcpExt: 1 2\n", "TcpExt", ["B", "C"]) == {"B": 2}


@pytest.mark.parametrize(
    "text", ["", "TcpExt:", "TcpExt: A\n", "TcpExt: A B\nTcpExt: x\n", "IpExt: A\nIpExt: 1\n", "TcpExt: A\nTcpExt: -\n"]
)
def test_what_makes_no_sense_gives_nothing(text):
    assert counters.parse(text, "TcpExt", ["A"]) == {}


@given(st.text(alphabet="TcpExtA:12 \n"))
def test_any_text_is_survived(text):
    counters.parse(text, "TcpExt", ["A"])


def test_the_real_proc(tmp_path):
    assert "SyncookiesSent" in counters.read_netstat("/proc/self/net", ["SyncookiesSent"])
    assert counters.read_netstat(str(tmp_path), ["SyncookiesSent"]) == {}
