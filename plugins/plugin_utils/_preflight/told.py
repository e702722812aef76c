# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks on hosts have in common: facts by their place, and one finding for what is the same on many hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._catalogue import commands, words
from .._evidence import plain
from .finding import finding, seen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .model import Host, Scene

MOST_SEEN = 8
MOST_COMMANDS = 6


def part(host: Host, *path: str) -> dict[str, Any]:
    """A part of a host's facts that is a mapping, {} where it is not told: part(host, "calico_node", "host")."""
    found: Any = host.facts
    for name in path:
        found = plain.mapping(found).get(name)
    return plain.mapping(found)


def read_hosts(scene: Scene) -> Iterator[Host]:
    """The hosts that told something."""
    return (host for host in scene.hosts.values() if host.facts)


def readiness(host: Host) -> dict[str, Any]:
    """calico_node.readiness, {} where it was not asked for, or the host has no Python."""
    return part(host, "calico_node", "readiness")


def runs_calico(host: Host) -> bool:
    """Calico runs there already: its Felix or confd, or a BIRD that is its own."""
    calico = part(host, "calico_node", "calico")
    return bool(calico.get("felix_running") or calico.get("confd_running") or part(host, "calico_bgp").get("expected"))


def together(
    fault: str,
    severity: str,
    told: Mapping[str, str],
    summary: str,
    fix: str,
    lines: Mapping[str, Sequence[str]] | None = None,
    source: str = "host",
    typed: Sequence[str] = (),
    **more: Any,
) -> list[dict[str, Any]]:
    """One finding on all hosts at which the same is wrong; none without any.

    told: by host what was seen there. In the summary {hosts} becomes their names. typed: what to type on the
    controller; lines: by host what to type there.
    """
    if not told:
        return []
    names = list(told)
    on_hosts = [commands.on_node(name, line) for name, each in (lines or {}).items() for line in each]
    to_type = [*typed, *on_hosts][:MOST_COMMANDS]
    evidence = [seen(name, source, says) for name, says in list(told.items())[:MOST_SEEN]]
    fields = {"evidence": evidence, "where": {"node": names[0]} if len(names) == 1 else {}, **more}
    return [finding(fault, severity, names, summary.replace("{hosts}", words.listed(names)), fix, to_type, **fields)]


def everywhere(names: Sequence[str], line: str) -> str:
    """Run a line on several hosts of the inventory."""
    return f"ansible {commands.word(','.join(names[:MOST_SEEN]), 'HOSTS')} -i INVENTORY -m command -a '{line}'"
