# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""eBPF programs as chains of the model, so that they stand in the way of packets as they do in the kernel.

What a program does is in no listing: packets that come to somebody's program may be stopped there. Of those that Calico
attaches by traffic control in its eBPF mode is known how they go on: they let pass what no policy for the host forbids,
and mark it as seen, which Calico's rules of iptables ask for (felix/bpf/tc/defs). Calico's XDP programs are there only
where policies without connection tracking are, and drop by these.
"""

from __future__ import annotations

from .._host.bpf_programs import EGRESS, INGRESS, XDP
from . import model, owners

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from .._host.bpf_programs import Program

_SEEN = 0x01000000
# XDP comes before traffic control, and both before all of netfilter; on the way out they are the last.
_ORDER = {XDP: ("ingress", -30_000), INGRESS: ("ingress", -20_000), EGRESS: ("egress", 20_000)}
_MOST_INTERFACES = 8


def base_chains(programs: Iterable[Program]) -> list[model.BaseChain]:
    """Return a base chain for each program that matters to a packet's fate."""
    found = []
    for program in programs:
        rules = _rules(program)
        if rules:
            hook, priority = _ORDER[program.hook]
            chain = model.Chain(program.hook, model.ACCEPT, lambda _screen, rules=rules: rules)  # type: ignore[misc]
            table = model.Table(model.EBPF, "netdev", program.interface, {chain.name: chain})
            found.append(model.BaseChain(hook, priority, "filter", table, chain, program.interface))
    return found


def _rules(program: Program) -> Sequence[model.Rule]:
    calicos = owners.of_program(program.name) == "calico"
    if calicos and program.hook != XDP:
        seen = model.Effect("mark", (0, _SEEN))
        return [model.Rule(1, (), (seen,), model.CONTINUE, "", program.name)] if program.hook == INGRESS else []
    unread = model.Match("undecidable", False, f"the program {program.name or '(without a name)'}")
    forget = model.Effect("forget_mark", None)
    return [
        model.Rule(1, (unread,), (), model.DROP, "", program.name),
        model.Rule(2, (), (forget,), model.CONTINUE, "", program.name),
    ]


def facts(programs: Iterable[Program]) -> list[dict[str, Any]]:
    """Return calico_firewall.backends.ebpf: programs of one name together."""
    found: dict[str, dict[str, Any]] = {}
    for program in programs:
        owner = owners.of_program(program.name)
        entry = found.setdefault(program.name, {"program": program.name, "owner": owner, "hooks": [], "interfaces": []})
        for key, value in (("hooks", program.hook), ("interfaces", program.interface)):
            if value not in entry[key] and len(entry[key]) < _MOST_INTERFACES:
                entry[key].append(value)
    return list(found.values())
