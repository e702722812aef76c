# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host may tell anything: no check fails over it, nothing of it reaches a terminal or a shell."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from ansible_collections.netmedic.calico.plugins.plugin_utils._preflight import checks
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._preflight.scenes import recorded, scene

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERY = 150
ODD = (
    *(None, 7, -1.5, True, "x\x1b;$(reboot)", [], {}, [7], {"a": 1}, {"a": "b"}, ["x"], float("nan"), [[1]]),
    *([{"x": []}], "10.0.0.0/99"),
)
PLANNED = {
    "pod_networks": ["10.244.0.0/16"],
    "target_version": "v3.30.3",
    "autodetection": "can-reach=198.51.100.1",
}


def everything() -> dict[str, Any]:
    """Facts with something in every part that a check looks at."""
    facts: dict[str, Any] = recorded("trouble")["node-2"]
    host, readiness = facts["calico_node"]["host"], facts["calico_node"]["readiness"]
    host["network_managers"] = {"NetworkManager": {"managed": ["tunl0"], "not_excluded": ["cali*"]}}
    host["rp_filter"] = {"strict": ["eth0"]}
    readiness["calico_left"] = {"interfaces": ["vxlan.calico"], "files": ["/var/lib/calico/nodename"]}
    facts["calico_firewall"]["persistence"] = {
        "loaded_at_boot": {"nftables": ["/etc/nftables.conf"]},
        "tcp179": [{"after_reboot": "drop", "rule": {"text": "drop"}}],
        "flows_lost": ["ipip"],
    }
    return facts


def places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*before, key)
        yield from places(inner, (*before, key))


def altered(facts: dict[str, Any], place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    found = copy.deepcopy(facts)
    inner: Any = found
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = copy.deepcopy(value)
    return found


def test_no_check_fails_over_what_a_host_tells() -> None:
    usual, others = everything(), recorded("trouble")
    cases = [(place, value) for place in places(usual) for value in ODD][::EVERY]
    assert len(cases) > 30
    for place, value in cases:
        there = scene({**others, "node-2": altered(usual, place, value)}, **PLANNED)
        for check in checks.CHECKS[1:]:
            for found in check(there):
                assert "\x1b" not in json.dumps(found, ensure_ascii=False), (place, value)
                assert "$(reboot)" not in " ".join(found["fix"]["commands"]), (place, value)


def test_a_clock_that_tells_no_number() -> None:
    facts = recorded("bare")
    for told in facts.values():
        told["calico_chrony"]["offset_to_controller_seconds"] = float("nan")

    for check in checks.CHECKS[1:]:
        check(scene(facts))
