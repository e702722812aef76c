# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands behind the rule that blocks: the rules which would block next if that one let the connection pass.

A fix that opens the first of several filters alone heals nothing. So each is opened on paper, in the way in which a fix
would do it (a rule that accepts, ahead of all others of the chain where the packet enters the table), until the packets
come through:

    for place, outcome in opening.behind(found.bases, decision.place, tried, found.find_set):
        …  # opened by opening.allowing(place, port), which counterfactual.compare() takes, too
"""

from __future__ import annotations

from . import counterfactual, model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .counterfactual import Addition, Outcome, Sets
    from .model import BaseChain, Packet, Place

_DEEPEST = 4


def allowing(place: Place, family: str, port: int, of_source: bool = False) -> Addition | None:
    """Return the rule that accepts TCP to `port` (`of_source`: from it) ahead of whatever blocks at `place`.

    None for what is no rule of iptables or nftables.
    """
    table, chain = place.base.table, place.base.chain.name
    if table.backend in (model.LEGACY, model.NFT):
        line = f"-I {chain} 1 -p tcp -m tcp --{'sport' if of_source else 'dport'} {port} -j ACCEPT"
        return counterfactual.addition(table.backend, family, table.name, line)
    if table.backend != model.NATIVE:
        return None
    field = {"payload": {"protocol": "tcp", "field": "sport" if of_source else "dport"}}
    expression = [{"match": {"op": "==", "left": field, "right": port}}, {"accept": None}]
    return counterfactual.Addition(model.NATIVE, family, table.name, chain, 1, expression)


def behind(
    bases: Sequence[BaseChain], first: Place, tried: Sequence[Packet], find_set: Sets, port: int
) -> list[Outcome]:
    """Return what becomes of the packets `tried`, all of which `first` blocks, each time that what blocks is opened.

    The last outcome is an acceptance if all of them come through in the end; those before it name what else is to be
    opened, in this order. Empty if nothing can be said.
    """
    found: list[Outcome] = []
    place: Place | None = first
    while place is not None and len(found) <= _DEEPEST:
        added = allowing(place, tried[0].family, port)
        if added is None:
            return found
        try:
            bases = counterfactual.with_rule(bases, added)
        except LookupError:
            return found
        outcomes = counterfactual.outcomes(bases, tried, find_set)
        stopped = [outcome for outcome in outcomes if outcome.verdict != model.ACCEPT]
        found.append(stopped[0] if stopped else outcomes[0])
        if not stopped:
            return found
        place = stopped[0].place
    return found
