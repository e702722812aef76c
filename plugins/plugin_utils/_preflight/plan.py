# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who probes whom, and which listeners do not end by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._evidence import plain
from . import addresses
from . import ways as all_ways
from .reach import Reach, taking_part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .model import Host

MOST = 5000
LONGEST = 3600
LONGEST_WAIT = 60
_USUAL_WAIT, _USUAL_RATE = 1.0, 1000
_LEAST_SECONDS, _SECONDS_EACH = 180, 2


def listening(hostvars: Mapping[str, Any], names: Sequence[str], planned: Mapping[str, Any]) -> dict[str, Any]:
    """What every host is to listen to and for how long, and by which addresses the inventory knows the hosts, and
    of which destinations they are to tell from where they would send there.

    ValueError, with a sentence, for plans that cannot be.
    """
    ways = all_ways.wanted(planned)
    known = (addresses.of_host(name, hostvars[name], {}, planned.get("addresses")) for name in names)
    seconds = plain.count(planned.get("listen_seconds"))
    if (plain.integer(planned.get("listen_seconds")) or 0) < 0 or seconds > LONGEST:
        given = planned.get("listen_seconds")
        raise ValueError(f"preflight_listen_seconds is {given}; it must be between 0 and {LONGEST}")
    _pace(planned)
    strangers = sorted(set(plain.mapping(planned.get("addresses"))) - set(names))
    if strangers:
        raise ValueError(f"preflight_addresses has {strangers[0]}, which is none of the hosts")
    return {
        "tcp": list(ways.tcp),
        "udp": list(ways.udp),
        "ipip": ways.ipip,
        "seconds": seconds or min(_LEAST_SECONDS + _SECONDS_EACH * len(names), LONGEST // 2),
        "peers": [address for found in known for address in found],
        "reach": _reached(planned),
    }


def _reached(planned: Mapping[str, Any]) -> list[str]:
    """The destinations of planned methods can-reach=…; what else is planned is looked at as well, as a mistake there
    must not cost a run."""
    from . import intent

    return intent.reach_of(intent.load(planned))


def requests(known: Mapping[str, Host], planned: Mapping[str, Any]) -> dict[str, Any]:
    """What every host is asked: the numbers of the hosts that listen, who they are, and what is probed.

    Empty without two hosts that listen. ValueError, with a sentence, for plans that cannot be.
    """
    ways = all_ways.wanted(planned)
    hosts = taking_part(known)
    if len(hosts) > MOST:
        raise ValueError(f"preflight takes {MOST} hosts at a time at most, not {len(hosts)}; take some at a time")
    numbered = {host.name: number for number, host in enumerate(hosts)}
    return {
        "numbers": numbered if len(hosts) > 1 else {},
        "peers": [[numbered[host.name], list(host.addresses), host.listened["token"]] for host in hosts],
        "tcp": list(ways.tcp),
        "udp": list(ways.udp),
        "ipip": ways.ipip,
        "mtu": True,
        "signed": [numbered[host.name] for host in hosts if has_passwords(host)],
        **_pace(planned),
    }


def _pace(planned: Mapping[str, Any]) -> dict[str, Any]:
    """How long an answer is waited for, and how many probes leave in a second. ValueError, with a sentence, for what
    would make every probe fail, or none ever end."""
    given, per_second = planned.get("probe_timeout"), planned.get("probe_rate")
    try:
        wait = _USUAL_WAIT if given in (None, "") else float(given)
    except (TypeError, ValueError):
        wait = 0.0
    if not 0 < wait <= LONGEST_WAIT:
        raise ValueError(
            f"preflight_probe_timeout is {given}; it must be more than 0 and at most {LONGEST_WAIT} seconds"
        )
    rate = _USUAL_RATE if per_second in (None, "") else plain.integer(per_second) or 0
    if rate < 1:
        raise ValueError(f"preflight_probe_rate is {per_second}; it must be at least 1 packet a second")
    return {"timeout": wait, "rate": rate}


def has_passwords(host: Host) -> bool:
    """BIRD on the host has a password for some session: it counts SYNs that are not signed, and a later diagnosis would
    take that for a mismatch."""
    daemons = plain.mapping(plain.mapping(host.facts.get("calico_bgp")).get("daemons"))
    configs = [plain.mapping(plain.mapping(one).get("config")) for one in daemons.values()]
    return any(config.get("password") in ("some", "all") for config in configs)


def unfinished(known: Mapping[str, Host], planned: Mapping[str, Any]) -> list[str]:
    """The hosts whose listener may still be there: it ends by itself once it has probed and was heard by all."""
    hosts = taking_part(known)
    if len(hosts) < 2:
        return [host.name for host in hosts]
    waiting = Reach(hosts, all_ways.wanted(planned)).unanswered()
    return [host.name for number, host in enumerate(hosts) if waiting >> number & 1 or not host.probed.get("ways")]
