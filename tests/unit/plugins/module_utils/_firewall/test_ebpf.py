# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._firewall import ebpf, evaluate, model, owners, packets
from ansible_collections.netmedic.calico.plugins.module_utils._host.bpf_programs import EGRESS, INGRESS, XDP, Program

MARKED = model.Match("mark", False, (0x01000000, ((0x01000000, 0x01000000),)))


def verdict(programs, rules=(), interface="eth0"):
    chain = model.Chain("INPUT", model.ACCEPT, lambda _screen: rules)
    table = model.Table(model.NFT, "ipv4", "filter", {"INPUT": chain})
    bases = [*ebpf.base_chains(programs), model.BaseChain("input", 0, "filter", table, chain)]
    batch = packets.Batch([model.Packet("ipv4", interface, "", 1, 2)], lambda _name: None)
    (decision,) = evaluate.evaluate([base for base in bases if base.hook in model.INBOUND], batch).decisions
    return decision


@pytest.mark.parametrize("hook", [XDP, INGRESS])
def test_somebodys_program_may_stop_what_comes_by_its_interface_alone(hook):
    programs = [Program("eth0", hook, "someone")]

    decision = verdict(programs)
    assert (decision.verdict, decision.detail) == ("unknown", "it depends on: the program someone")
    assert decision.place.base.table.backend == model.EBPF
    assert verdict(programs, interface="eth1").verdict == "accept"


def test_calicos_own_program_marks_what_it_lets_pass():
    dropping = [model.Rule(1, (MARKED._replace(negated=True),), (), model.DROP, "", "unseen")]

    assert verdict([Program("eth0", INGRESS, "cali_tc_preambl:[12]")], dropping).verdict == "accept"
    assert verdict([], dropping).verdict == "drop"
    assert ebpf.base_chains([Program("eth0", EGRESS, "cali_tc_preambl")]) == []


def test_calicos_xdp_program_drops_by_policies():
    assert verdict([Program("eth0", XDP, "cali_xdp_preamb")]).verdict == "unknown"


def test_what_a_program_marks_is_not_known():
    marked = [model.Rule(1, (MARKED,), (), model.DROP, "", "marked")]

    assert verdict([Program("eth0", INGRESS, "")], marked).verdict == "unknown"


def test_on_the_way_out_only_filters_behind_routing_matter():
    base = ebpf.base_chains([Program("eth0", EGRESS, "someone")])
    batch = packets.Batch([model.Packet("ipv4", "", "eth0", 1, 2)], lambda _name: None)

    assert [one.hook for one in base] == ["egress"]
    assert evaluate.evaluate(base, batch).decisions[0].verdict == "unknown"


def test_programs_of_one_name_are_told_together():
    programs = [Program(name, hook, "cil_from_netdev") for name in ("eth0", "eth1") for hook in (INGRESS, EGRESS)]

    assert ebpf.facts(programs) == [
        {
            "program": "cil_from_netdev",
            "owner": "cilium",
            "hooks": ["tc ingress", "tc egress"],
            "interfaces": ["eth0", "eth1"],
        }
    ]


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("cali_tc_preambl", "calico"),
        ("from_hep_fib_no_log.o:[calico_from_host_ep]", "calico"),
        ("cil_from_netdev", "cilium"),
        ("bpf_host.o:[from-netdev]", "cilium"),
        ("califlower", "unknown"),
        ("", "unknown"),
    ],
)
def test_owners_are_known_by_names(name, owner):
    assert owners.of_program(name) == owner
