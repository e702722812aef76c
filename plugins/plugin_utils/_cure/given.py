# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the variables of a play's hosts to what a decision is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._evidence import cluster
from .._evidence.facts import FACT_KEYS
from .._evidence.inventory import from_hostvars
from .._evidence.plain import mapping
from .model import Given

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


def read(
    hostvars: Mapping[str, Any],
    host: str,
    hosts: tuple[str, ...],
    options: Mapping[str, Any],
    now: datetime,
    max_age: int,
) -> Given:
    """What is known of the hosts. host counts as one of them even where the play leaves it out."""
    names = hosts if not host or host in hosts else (*hosts, host)
    evidence = from_hostvars(hostvars, names, now, max_age)
    return Given(
        host=host,
        hosts=names,
        facts={name: _facts(hostvars[name]) for name in (*evidence.nodes, *evidence.aliases)},
        cluster=cluster.fact_of(hostvars, names),
        evidence=evidence,
        missing={one.name: one.why for one in evidence.missing},
        options=options,
    )


def _facts(variables: Mapping[str, Any]) -> dict[str, Any]:
    known = mapping(variables.get("ansible_facts"))
    found = {key: known.get(key, variables.get(key)) for key in FACT_KEYS}
    return {key: value for key, value in found.items() if isinstance(value, dict)}
