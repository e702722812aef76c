# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What brings BGP passwords to where calico-node reads them: copies of secrets, Roles and RoleBindings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._catalogue import password_repair
from .._evidence import plain
from . import api_facts
from .model import Decision

if TYPE_CHECKING:
    from .model import Given


def changes(given: Given) -> Decision:
    """The changes of objects; in `says` what they do, and what is left to a person with the lines to type.

    Options: secrets (names, none: all that are referred to), namespace and service_account (where and by whom they
    are read), from (the namespace to copy from), despite_sessions. `more` has ask: the API is to be asked first.
    """
    why = api_facts.missing(given, "bgpconfigurations", "bgppeers", "daemonsets")
    if why:
        return Decision(refused=why, more={"ask": True})
    options = given.options
    wishes = password_repair.Wishes(
        names=plain.texts(options.get("secrets")),
        namespace=plain.text(options.get("namespace")),
        account=plain.text(options.get("service_account")),
        source=plain.text(options.get("from")),
        despite_sessions=bool(options.get("despite_sessions")),
    )
    found = password_repair.find(given.evidence, wishes)
    says = [*found.says, *_unused(given, wishes), *found.left, *found.lines]
    refused = found.left[0] if found.left and not found.changes else ""
    return Decision(found.changes, says, refused, more={"ask": False})


def _unused(given: Given, wishes: password_repair.Wishes) -> list[str]:
    """Secrets that the caller named and no object refers to."""
    cluster = given.evidence.cluster
    known = {one.name for one in password_repair.references(cluster).values()} if cluster else set()
    return [
        f"No BGPConfiguration and no BGPPeer refers to the secret {name}." for name in wishes.names if name not in known
    ]
