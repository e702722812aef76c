# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done for a move to the operator that stands still: its own next steps, and never anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._catalogue import migration_state, words
from . import api_facts
from .model import Decision

if TYPE_CHECKING:
    from .._catalogue.migration_state import State
    from .model import Given


def changes(given: Given) -> Decision:
    """Labels of nodes, and the manifest's DaemonSet where it is for no node any more; in `says` how far the move has
    come and what holds it. Refused where only a person, or another role, can do what it waits for.

    `more` has ask: the API is to be asked first. Options: delete_old (whether the manifest's DaemonSet may go), gate
    (before the move: refuse if something would hold it).
    """
    why = api_facts.missing(given, "nodes", "daemonsets", "deployments")
    cluster = given.evidence.cluster
    if why or cluster is None:
        return Decision(refused=why, more={"ask": True})
    more = {"ask": False}
    state = migration_state.state_of(cluster)
    if not state.begun:
        return _gate(given, state)
    steps = migration_state.steps(cluster, state)
    if not given.options.get("delete_old", True):
        steps = [one for one in steps if one[0]["action"] != "delete"]
    holds = migration_state.holds(given.evidence, state)
    says = [*migration_state.told(state), *(says for _change, says in steps)]
    for hold in holds:
        says.append(hold.says if not hold.role else f"{hold.says} The role {hold.role} repairs that.")
        says += hold.lines
    if not steps and not holds:
        says.append(
            f"Nothing is in its way that the API tells; what the operator waits for, it says: {migration_state.look()}"
        )
    refused = ""
    if holds and not steps:
        others = f" ({words.plural(len(holds) - 1, 'more reason')} above)" if len(holds) > 1 else ""
        refused = f"the move waits for what this role does not do: {holds[0].says}{others}"
    return Decision([change for change, _says in steps], says, refused, more=more)


def _gate(given: Given, state: State) -> Decision:
    """Before the move: what would hold it."""
    holds = migration_state.ahead(given.evidence, state)
    says = ["No move to the operator is under way."]
    for hold in holds:
        repaired = f" The role {hold.role} repairs that (bgp_password_namespace={migration_state.NEW})."
        says += [f"It would be held up: {hold.says}{repaired if hold.role else ''}", *hold.lines]
    refused = (
        f"the move to the operator would be held up: {holds[0].says}" if holds and given.options.get("gate") else ""
    )
    return Decision(says=says, refused=refused, more={"ask": False})
