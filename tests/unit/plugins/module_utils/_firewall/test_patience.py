# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that hang, real ones: scripts in a folder that stands first in the path."""

from __future__ import annotations

import os
import time

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._firewall import nft_kernel, patience, read

TIMEOUT = 1.0
CHAIN = {"type": "filter", "hook": "input", "prio": 0, "policy": "accept", "uses": 1}


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Return what makes a program; each notes when it is started."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    class Programs:
        def make(self, name, script="sleep 30"):
            (folder / name).write_text(f'#!/bin/sh\necho "$0 $*" >>{tmp_path}/started\n{script}\n')
            (folder / name).chmod(0o755)

        @property
        def started(self):
            text = (tmp_path / "started").read_text() if (tmp_path / "started").exists() else ""
            return [os.path.basename(line) for line in text.splitlines()]

    return Programs()


def test_a_program_that_hangs_is_started_once(programs):
    programs.make("ipset")
    sources = Sources()
    found = read.Rulesets(sources, TIMEOUT)
    began = time.monotonic()

    assert [found.find_set(f"cali40s:{number}") for number in range(200)] == [None] * 200

    assert time.monotonic() - began < 3 * TIMEOUT
    assert programs.started == ["ipset save cali40s:0"]
    assert sources.status("ipset") == "failed"


def test_one_that_is_slow_has_its_time_for_all_its_runs_together(programs):
    programs.make("nft", f"sleep {TIMEOUT * 0.5}; echo said")
    one = patience.Patience(TIMEOUT)
    began = time.monotonic()

    results = [one.run(["nft", "-j", "list", "table", "ip", f"t{number}"], 1000) for number in range(9)]

    assert results[0].stdout == "said\n"
    assert results[-1].failure == "timeout"
    assert time.monotonic() - began < 3 * TIMEOUT
    assert len(programs.started) < 5


def test_all_programs_together_have_their_time(programs):
    names = [f"program{number}" for number in range(12)]
    for name in names:
        programs.make(name)
    one = patience.Patience(TIMEOUT)
    began = time.monotonic()

    assert {one.run([name], 1000).failure for name in names} == {"timeout"}

    assert time.monotonic() - began < 6 * TIMEOUT
    assert len(programs.started) < 6


def test_all_filters_are_given_up_on_in_time_and_stay_in_doubt(programs, tmp_path, monkeypatch):
    for name in (
        "nft",
        "ipset",
        *(f"{ip}-{kind}-save" for ip in ("iptables", "ip6tables") for kind in ("legacy", "nft")),
    ):
        programs.make(name)
    (tmp_path / "self").mkdir()
    (tmp_path / "net").mkdir()
    (tmp_path / "self" / "status").write_text("CapEff:\t000001ffffffffff\n")
    for listing in ("ip_tables_names", "ip6_tables_names"):
        (tmp_path / "net" / listing).write_text("filter\nnat\nmangle\n")
    chains = [
        dict(CHAIN, family="ip", table="filter", name="INPUT"),
        dict(CHAIN, family="ip6", table="filter", name="INPUT"),
    ]
    chains += [dict(CHAIN, family="inet", table=f"t{number}", name="in") for number in range(40)]
    monkeypatch.setattr(nft_kernel, "present", lambda _proc_root: True)
    monkeypatch.setattr(nft_kernel, "base_chains", lambda _timeout: chains)
    sources = Sources()
    began = time.monotonic()

    found = read.read(sources, TIMEOUT, str(tmp_path))

    assert time.monotonic() - began < 6 * TIMEOUT
    assert len(programs.started) == len(set(programs.started)) <= 5
    assert {sources.status(name) for name in ("iptables_legacy", "iptables_nft", "nftables")} == {"failed"}
    for family in ("ipv4", "ipv6"):
        assert any(chain.doubt for base in found.of_family(family, ("input",)) for chain in base.table.chains.values())
