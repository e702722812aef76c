# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a reboot would change: rules of now that are loaded by nothing, and rules in files which are not loaded now.

Not rules are compared but what they do: the verdicts of now with those of the filters as they will be.
"""

from __future__ import annotations

from .firewall import NO_BGP
from .packing import pack, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .._firewall.persistence import Files, Loader
    from .._firewall.read import Rulesets
    from .bgp_daemon import Peer
    from .firewall import Around

    Facts = dict[str, Any]
    Verdicts = dict[tuple[str, str], dict[str, "tuple[str, Facts | None]"]]

_BLOCKING = frozenset(("drop", "reject"))
_MOST_ENTRIES = 12


def add(facts: Facts, found: Rulesets, loaders: Sequence[Loader], files: Files, around: Around) -> None:
    """Put what a reboot changes into calico_firewall `facts`, which hold the verdicts of now; nothing if it changes
    nothing. `found` is what they were made from, `loaders` are persistence.loaders()."""
    from .._firewall import after_boot

    then = after_boot.rulesets(found, loaders, files)
    if then.unread:
        found.sources.unrecognised("boot_filters", "; ".join(then.unread)[:300])
    if not then.bases and not found.bases:
        return
    from . import firewall_verdicts

    later = firewall_verdicts.verdicts(then, around)
    peers = [peer for peer in around.peers if peer.kind != NO_BGP]
    differs = _differences(_by_peer(facts.get("tcp179"), peers), _by_peer(later.get("tcp179"), peers))
    flows = _flows(facts.get("flows") or {}, later.get("flows") or {})
    if differs or flows:
        flows.update(_undecided(differs, flows, files))
        loaded = {loader.service: [path for _family, path in loader.files] for loader in loaders}
        facts["persistence"] = dict({"loaded_at_boot": loaded}, **({"tcp179": differs} if differs else {}), **flows)


def _undecided(differs: Sequence[Facts], flows: Facts, files: Files) -> Facts:
    """Take back what is said of rules of now that will be gone, where a script or unit may load them again; return
    may_load (what that is) and flows_undecided."""
    going = [entry for entry in differs if entry["now"] in _BLOCKING]
    if not going and "flows_gained" not in flows:
        return {}
    from .._firewall import boot_scripts

    may_load = boot_scripts.may_load(files)
    if not may_load and files.knows_scripts:
        return {}
    for entry in going:
        entry["after_reboot"] = "unknown"
    facts: Facts = {"may_load": may_load} if may_load else {}
    if "flows_gained" in flows:
        facts["flows_undecided"] = flows.pop("flows_gained")
    return facts


def _by_peer(tcp179: Facts | None, peers: Sequence[Peer]) -> Verdicts:
    """Return {(direction, family): {peer: (verdict, rule)}}."""
    found: Verdicts = {}
    for direction in ("inbound", "outbound"):
        for entry in (tcp179 or {}).get(direction, ()):
            own = found.setdefault((direction, entry["family"]), {})
            members = (
                list(unpack(entry["peers"]))
                if "peers" in entry
                else [peer.address for peer in peers if peer.family == entry["family"]]
            )
            for peer in members:
                own[peer] = (entry["verdict"], entry.get("rule"))
    return found


def _differences(now: Verdicts, then: Verdicts) -> list[Facts]:
    """Return one entry per change of verdict and rule that blocks; what is unknown in either is left out."""
    groups: dict[tuple[str, ...], tuple[list[str], Facts | None]] = {}
    for key, verdicts in now.items():
        for peer, (verdict, rule) in verdicts.items():
            later, its_rule = then.get(key, {}).get(peer, ("unknown", None))
            if (verdict in _BLOCKING) == (later in _BLOCKING) or "unknown" in (verdict, later):
                continue
            deciding = rule if verdict in _BLOCKING else its_rule
            place = f"{deciding['table']} {deciding['path']}" if deciding else ""
            groups.setdefault((*key, verdict, later, place), ([], deciding))[0].append(peer)
    found = []
    for (direction, family, verdict, later, _place), (members, rule) in list(groups.items())[:_MOST_ENTRIES]:
        entry: Facts = {"direction": direction, "family": family, "now": verdict, "after_reboot": later}
        entry.update(count=len(members), peers=pack(members), **({"rule": rule} if rule else {}))
        found.append(entry)
    return found


def _flows(now: Facts, then: Facts) -> Facts:
    """Return the names of flows that pass now and will be blocked, and the reverse."""
    lost = [name for name in now.get("accepted", ()) if name in _blocked(then)]
    gained = [name for name in then.get("accepted", ()) if name in _blocked(now)]
    return dict({"flows_lost": lost} if lost else {}, **({"flows_gained": gained} if gained else {}))


def _blocked(flows: Facts) -> set[str]:
    return {
        name
        for way in ("inbound", "outbound")
        for entry in flows.get(way, ())
        if entry["verdict"] in _BLOCKING
        for name in entry["flows"]
    }
