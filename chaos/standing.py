# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a lab stands: the sessions that are up, and all that a repair may change on its hosts and in its API."""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from lab import birdc
from matrix import places, sessions

if TYPE_CHECKING:
    from collections.abc import Set

    from lab import Lab

# What a repair writes elsewhere on purpose: its own records. /etc/service is of calico-node's container, which also
# writes its token anew whenever it starts.
_SETTINGS = (
    r"sysctl -ae 2>/dev/null | grep -E '^net\.ipv[46]\.conf\.[^.]*\.(forwarding|rp_filter|accept_redirects) "
    r"|ip_forward |nf_conntrack_max '; "
    "find /etc -path /etc/service -prune -o -type f ! -name resolv.conf ! -name '*.lock' ! -name calico-kubeconfig "
    "-print | sort | xargs -r md5sum"
)
_ARMED = 'grep -l \'"state": *"armed"\' /var/lib/netmedic-calico/changes/*.json 2>/dev/null'
_PEER_IP = re.compile(r'"peerIP": "([^"]+)"')
_TICK = 0.5
_SHOWN = 200  # characters of a text


class Standing(NamedTuple):
    """sessions: (node, protocol) of those that are established. settings: rules, kernel settings, files and objects,
    each as a text that begins with its node or "API"."""

    sessions: frozenset[tuple[str, str]]
    settings: frozenset[str]


def look(lab: Lab) -> Standing:
    """How the lab stands now."""
    seen = places.look(lab)
    rules = {f"{name}: {_lasting(line)}" for name, lines in seen.rules.items() for line in lines if line[:1] != "#"}
    objects = {f"API: {name} {_of_repairs(name, text)}" for name, text in seen.objects.items()}
    hosts = {
        f"{name}: {line}" for name in seen.rules for line in lab.exec(name, ["sh", "-c", _SETTINGS]).stdout.splitlines()
    }
    return Standing(frozenset(sessions.established(lab)), frozenset(rules | objects | hosts))


def _of_repairs(name: str, text: str) -> str:
    """An object's settings without what no repair writes: a Node's addresses are its kubelet's to tell."""
    return json.dumps(json.loads(text)[:2], sort_keys=True) if name.startswith("Node/") else text


def _lasting(rule: str) -> str:
    """A rule of nftables without its counter."""
    return re.sub(r"counter packets \d+ bytes \d+", "counter", rule)


def settled(lab: Lab, wanted: frozenset[tuple[str, str]], limit: float) -> Standing:
    """Wait until no host has a change that may still be undone by itself, and the wanted sessions are established; but
    not longer than the limit. How the lab stands then."""
    end = time.monotonic() + limit
    while time.monotonic() < end and (armed(lab) or not wanted <= frozenset(sessions.established(lab))):
        time.sleep(_TICK)
    return look(lab)


def armed(lab: Lab) -> list[str]:
    """The nodes with a change that is neither confirmed nor undone."""
    running = [node.name for node in lab.nodes if lab.machine(node.name).running]
    return [name for name in running if lab.exec(name, ["sh", "-c", _ARMED]).stdout]


def worse(before: Standing, now: Standing) -> list[str]:
    """The sessions that are down and were up before."""
    return [f"{node} {protocol} is down" for node, protocol in sorted(before.sessions - now.sessions)]


def as_before(lab: Lab, expected: Standing, limit: float) -> list[str]:
    """Wait until all is as expected, which takes what restarts and is elected a while, but not longer than the limit.
    What differs then."""
    end = time.monotonic() + limit
    while (differs := other(expected, look(lab))) and time.monotonic() < end:
        time.sleep(_TICK)
    return differs


def let_hold_times_end(lab: Lab, broken: Standing) -> None:
    """Restart what is established and was not in the broken lab: a session that is cut lives on for up to 240 s."""
    for node, protocol in sorted(frozenset(sessions.established(lab)) - broken.sessions):
        with suppress(birdc.BirdError):
            birdc.restart(lab.machine(node), protocol)


def wanted(healthy: Standing, broken: Standing) -> Standing:
    """The healthy standing without sessions whose BGPPeer the fault itself has taken away: no repair brings it back."""
    gone = {text for text in healthy.settings - broken.settings if text.startswith("API: BGPPeer/")}
    ends = tuple("_" + re.sub(r"[.:]", "_", address) for text in gone for address in _PEER_IP.findall(text))
    return healthy._replace(sessions=frozenset(one for one in healthy.sessions if not one[1].endswith(ends)))


def strange(before: Standing, now: Standing, repaired: Standing) -> list[str]:
    """What is neither as it was nor as the repair makes it."""
    gone = (before.settings & repaired.settings) - now.settings
    new = now.settings - (before.settings | repaired.settings)
    return _told(gone, new)


def other(expected: Standing, now: Standing) -> list[str]:
    """What differs of the settings, and the sessions that do."""
    return [
        *_told(expected.settings - now.settings, now.settings - expected.settings),
        *(f"down: {node} {protocol}" for node, protocol in sorted(expected.sessions - now.sessions)),
    ]


def _told(gone: Set[str], new: Set[str]) -> list[str]:
    """Texts that are gone and new, of long ones the place where they begin to differ."""
    begins = {_name(text): text for text in gone}
    told = [f"gone: {text[:_SHOWN]}" for text in sorted(gone) if not text.startswith("API: ")]
    for text in sorted(new):
        old = begins.get(_name(text), "") if text.startswith("API: ") else ""
        at = max(_alike(old, text) - _SHOWN // 4, 0)
        told.append(f"new: {_name(text)} … {text[at : at + _SHOWN]}" if at else f"new: {text[:_SHOWN]}")
    names = {_name(text) for text in new}
    return told + [f"gone: {name}" for name in sorted(begins) if name.startswith("API: ") and name not in names]


def _alike(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    return next((at for at, (left, right) in enumerate(zip(one, other, strict=False)) if left != right), 0)


def _name(text: str) -> str:
    """A node or "API", and the first word after it: an object's kind and name."""
    return " ".join(text.split(" ", 2)[:2])
