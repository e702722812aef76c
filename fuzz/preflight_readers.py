# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What preflight reads of others: packets from the network, requests from a file, results from hosts."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from ansible_collections.netmedic.calico.plugins.module_utils._preflight import marks, plan
from ansible_collections.netmedic.calico.plugins.module_utils._probe import transport
from ansible_collections.netmedic.calico.plugins.plugin_utils._preflight import addresses, asking, read, ways
from ansible_collections.netmedic.calico.plugins.plugin_utils._preflight.reach import Reach, taking_part

_NAMES = ("one", "two", "three")


def packet(data: bytes) -> Any:
    """The payload of a datagram, of an IPIP packet, and a TCP segment."""
    return (
        marks.body_of_datagram(data),
        marks.body_of_inner(data),
        transport.offered_mss(data),
        marks.token_words(data[:8].ljust(8, b"\0")),
    )


def request(data: bytes) -> Any:
    """A token, an address and a request, as they stand in a file of root's own."""
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(ValueError):
        marks.of_token(text[:16])
    with contextlib.suppress(ValueError):
        return plan.read_request(text)
    return addresses.canonical(text)


def results(data: bytes) -> Any:
    """What three hosts told, all the same: the matrix must not be broken by any of it."""
    try:
        told = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        told = data.decode("utf-8", "replace")
    listened = {"token": "00112233aabbccdd", "ports": told.get("ports") if isinstance(told, dict) else told}
    hostvars = {
        name: {
            "ansible_host": f"192.0.2.{at}",
            "preflight_listened": {"ansible_facts": {"calico_preflight": listened}},
            "preflight_probed": told,
            "preflight_told": told,
        }
        for at, name in enumerate(_NAMES, 1)
    }
    found = Reach(taking_part(read.hosts(hostvars, _NAMES, {})), ways.wanted({}))
    answer = asking.read({"stdout": f"netmedic-preflight-answer {data.decode('utf-8', 'replace')}"})
    return (
        [verdict.state for _prober, _listener, _way, verdict in found.troubles()],
        found.verdict("one", "two", "mtu").state,
        found.was_asked("one"),
        found.unanswered(),
        list(found.other_senders()),
        list(found.not_measured()),
        sorted(answer),
    )
