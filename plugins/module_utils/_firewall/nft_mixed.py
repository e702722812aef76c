# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules that nft put into a table of iptables-nft.

iptables-nft-save shows them without whatever iptables has no words for, which makes other rules of them (see
`nft_foreign`). Here such rules are read from nft, and put in the place of what iptables-nft-save made of them. The
order and the numbers of the rules are the same in both listings.
"""

from __future__ import annotations

import json

from . import model, nft_foreign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from .model import Rule
    from .patience import Patience

_INCOMPLETE = "the rule was written by nft and iptables-save shows it incompletely"
_MAX_BYTES = 16 * 1024 * 1024


def reader(family: str, timeout: float, patience: Patience) -> Callable[[str, str], Mapping[int, Sequence[Rule]]]:
    """Return what gives, for a table and a chain of nft's `family`, the rules of nft's making by their numbers. The
    kernel is waited for `timeout` seconds, and nft is run with `patience`."""

    def rules(table: str, chain: str) -> Mapping[int, Sequence[Rule]]:
        try:
            numbers = nft_foreign.foreign_rules(family, table, chain, timeout)
        except OSError:
            return {}
        if not numbers:
            return {}
        unreadable = model.Match("undecidable", False, _INCOMPLETE)
        found: dict[int, Sequence[Rule]] = {
            number: [model.Rule(number, [unreadable], (), model.UNKNOWN, _INCOMPLETE, "")] for number in numbers
        }
        found.update(_from_nft(family, table, chain, numbers, patience))
        return found

    return rules


def _from_nft(family: str, table: str, chain: str, numbers: set[int], patience: Patience) -> dict[int, Sequence[Rule]]:
    from . import nftables

    result = patience.run(["nft", "-j", "list", "chain", family, table, chain], _MAX_BYTES)
    listed = [rule for rule in nftables.objects(result.stdout, "rule") if rule.get("chain") == chain]
    sets: Mapping[str, Any] = {}
    if '"@' in json.dumps([listed[number - 1] for number in numbers if number <= len(listed)]):
        named = patience.run(["nft", "-j", "list", "table", family, table], _MAX_BYTES).stdout
        sets = nftables.named_sets(named)
    return {number: nftables.translate(number, listed[number - 1], sets) for number in numbers if number <= len(listed)}
