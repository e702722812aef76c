# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a plan must not be carried out: each reason one sentence, found before the first change."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .._evidence import plain
from .model import CONTROLLER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .model import Wishes

_NAMES = 5


def why(report: Mapping[str, Any], made: Mapping[str, Any], wishes: Wishes, now: datetime) -> str:
    """The first reason that holds, '' if the steps may be taken. Where there are no steps there is nothing to refuse,
    but for a plan that was agreed to and is another one now, and for one that is empty because too little was seen."""
    if wishes.approved and wishes.approved != made["id"]:
        return _another_plan(made, wishes)
    if not made["steps"]:
        return _too_little_seen(report)
    return (
        _without_bundle(wishes)
        or _stale(report, wishes, now)
        or _managed(report, wishes)
        or _unreachable(made, wishes)
        or _from_elsewhere(made, wishes)
        or _too_many(report, made, wishes)
    )


def _another_plan(made: Mapping[str, Any], wishes: Wishes) -> str:
    """Another plan, or none any more, than the one that was agreed to."""
    if not made["steps"]:
        return (
            f"The plan {wishes.approved}, which was agreed to (remediate_approved), is not there any more: nothing is "
            "to be repaired now, as the report above tells. Leave remediate_approved out."
        )
    return (
        f"The plan is no longer the one that was agreed to: it is {made['id']} now, remediate_approved is "
        f"{wishes.approved}. Look at it and agree to this one."
    )


def _too_little_seen(report: Mapping[str, Any]) -> str:
    """Something is wrong, and firewalls and sockets of some nodes, which only root may see, were not looked at."""
    blind = report["coverage"].get("without_root") or ()
    if not blind or report["verdict"] == "healthy":
        return ""
    return (
        f"Nothing was planned, and the cause may be where nobody looked ({plain.few(blind, _NAMES)}: not read as "
        "root). Run again with --become, as a user who may become root."
    )


def _without_bundle(wishes: Wishes) -> str:
    if wishes.bundle:
        return ""
    return "The evidence was not saved, and a repair destroys it. Give remediate_dir a directory that can be written."


def _stale(report: Mapping[str, Any], wishes: Wishes, now: datetime) -> str:
    first = report["collected"]["first"]
    if not first:
        return "No node was read, so that there is nothing to go by. See the report for why."
    age = now - datetime.fromisoformat(first.replace("Z", "+00:00"))
    if age <= timedelta(seconds=wishes.max_age):
        return ""
    return (
        f"The evidence is {age.total_seconds():.0f} s old, and remediate_max_age allows {wishes.max_age} s. "
        "Diagnose again."
    )


def _managed(report: Mapping[str, Any], wishes: Wishes) -> str:
    forbids = report["flavour"].get("forbids") or ()
    if wishes.managed or not forbids:
        return ""
    provider = report["flavour"].get("provider") or "The provider"
    return f"{provider} manages this cluster and does not let anybody change this: {forbids[0]}"


def _unreachable(made: Mapping[str, Any], wishes: Wishes) -> str:
    wanted = {host for step in made["steps"] for host in step["hosts"]}
    unknown = sorted(wanted - set(wishes.inventory))
    if not unknown:
        return ""
    return (
        "The plan changes hosts that this run cannot reach, as they are not in the inventory (or left out by "
        f"--limit): {', '.join(unknown[:_NAMES])}."
    )


def _from_elsewhere(made: Mapping[str, Any], wishes: Wishes) -> str:
    through = [step["role"] for step in made["steps"] if not step["hosts"]]
    if not through or wishes.api_host == CONTROLLER:
        return ""
    return (
        f"The plan changes objects through the API ({', '.join(through)}), which is done from the controller, and "
        f"collect_api_host is {wishes.api_host}. Give a kubeconfig on the controller (collect_kubeconfig) and leave "
        "collect_api_host out, or name other faults in remediate_only."
    )


def _too_many(report: Mapping[str, Any], made: Mapping[str, Any], wishes: Wishes) -> str:
    hosts = {host for step in made["steps"] for host in step["hosts"]}
    known = int(report["coverage"]["nodes"]["expected"])
    most = most_hosts(wishes.max_nodes, known)
    if len(hosts) <= most:
        return ""
    return (
        f"The plan changes {len(hosts)} hosts, and remediate_max_nodes={wishes.max_nodes} allows {most} of {known}. "
        f"If that many are meant, say remediate_max_nodes={len(hosts)}, or name fewer faults in remediate_only."
    )


def most_hosts(limit: str, known: int) -> int:
    """How many hosts a number or a share such as '25%' allows, of a share at least one. ValueError for others."""
    text = limit.strip()
    share = text.endswith("%")
    number = int(text.removesuffix("%"))
    if number < 0 or (share and number > 100):
        raise ValueError(limit)
    return max(1, math.floor(known * number / 100)) if share else number
