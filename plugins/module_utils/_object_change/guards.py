# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not done whatever the API says: change what an owner puts back, or what could not be put back by us."""

from __future__ import annotations

from . import fields, masking, owners
from .resources import refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Union

    from .fields import Field
    from .settling import Transition

    Found = Union[dict[str, Any], None]

_SAY_SO = "Change it there, or say despite_owner: true."


def check(transition: Transition, current: Found, wanted: Found) -> None:
    """Raise ApiError if a change must not be made."""
    if wanted is not None and not isinstance(wanted.get("metadata"), dict):
        raise refused(f"{transition.ref.label} would be no object any more: it has to have metadata.")
    changed = [] if current is None or wanted is None else fields.differences(current, wanted)
    if current is not None and not transition.own:
        _check_owner(transition, current, [one.path for one in changed] if wanted is not None else None)
    if transition.secret or transition.own:
        return
    if wanted is None:
        if not transition.irreversible and not is_restorable(transition, current):
            raise refused(
                f"{transition.ref.label} could not be put back once it is deleted, for it holds what no record may "
                "hold. Say irreversible: true if it shall be deleted all the same."
            )
    elif current is None:
        if masking.is_secret(wanted):
            raise refused(f"{transition.ref.label} holds what looks like a secret, which only copy_secret may write.")
    else:
        _check_fields(transition, changed)


def _check_owner(transition: Transition, current: dict[str, Any], paths: list[Any] | None) -> None:
    if transition.despite_owner:
        return
    label = transition.ref.label
    if transition.owner_reverts:
        raise refused(
            f"{label} is not changed, for it would be put back: {transition.owner_reverts.rstrip('.')}. {_SAY_SO}"
        )
    who = owners.reverting(current, paths)
    if who:
        raise refused(f"{label} is not changed, for it would be put back by {who}. {_SAY_SO}")


def _check_fields(transition: Transition, changed: list[Field]) -> None:
    for one in changed:
        if masking.is_secret(one.after, one.path):
            raise refused(
                f"{fields.shown(one.path)} of {transition.ref.label} would hold what looks like a secret, which only "
                "copy_secret may write."
            )
        if masking.is_secret(one.before, one.path) and not transition.irreversible:
            raise refused(
                f"{fields.shown(one.path)} of {transition.ref.label} could not be put back, for it holds what looks "
                "like a secret. Say irreversible: true if it shall be changed all the same."
            )


def is_restorable(transition: Transition, current: Found) -> bool:
    """Say whether an object that is deleted can be made again from its record."""
    return transition.ref.kind != "Secret" and not masking.is_secret(current)
