# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One change until it is settled: read, decide, write on condition that nothing changed meanwhile, and look again where
that is not known."""

from __future__ import annotations

from .._cluster import problems
from .._cluster.asking import UnclearError
from .._cluster.problems import ApiError
from .._record import NamedTuple
from . import fields, owners
from .guards import check
from .views import meta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Union

    from .._cluster.asking import Asker
    from .resources import Ref
    from .views import Live, Rehearsal

    Found = Union[dict[str, Any], None]
    Decide = Callable[[Found], Found]
    Intends = Callable[["Settled"], None]

_MOST_CONFLICTS = 12
_MOST_UNCLEAR = 4


class Transition(NamedTuple):
    """A change of one object. decide() returns what an object as it is now shall be made into: the same if it is as
    wanted already, None if it shall go. It raises ApiError if this must not be done.

    `owner_reverts`: who would put it back, in the words of a caller who knows. `own`: a change that undoes one of ours,
    or concerns what is not kept by an owner. `secret`: values are neither told nor kept.
    """

    ref: Ref
    action: str
    decide: Decide
    owner_reverts: str = ""
    despite_owner: bool = False
    irreversible: bool = False
    own: bool = False
    secret: bool = False


class Settled(NamedTuple):
    """What became of a change. `unsure`: it was sent, and nobody could be asked whether it was made."""

    transition: Transition
    before: Found
    after: Found
    changed: bool
    unsure: bool = False


class UnsureError(ApiError):
    """The API fell silent after a change was sent."""

    def __init__(self, problem: ApiError, settled: Settled) -> None:
        label = settled.transition.ref.label
        super().__init__(problem.kind, f"Whether {label} was changed is not known. {problem.sentence}")
        self.settled = settled


def settle(asker: Asker, view: Live | Rehearsal, transition: Transition, intends: Intends | None = None) -> Settled:
    """Make a change, or find that there is nothing to do. Raises ApiError if it was not made, UnsureError.

    intends() is told what is about to be made before each attempt, and may raise ApiError to prevent it.
    """
    ref = transition.ref
    announce = intends or _announce_nowhere
    begun: tuple[Found, Found] | None = None
    conflicts = unclear = 0
    while True:
        try:
            current = view.read(ref)
        except ApiError as problem:
            if begun is None or view.dry:
                raise
            raise UnsureError(problem, Settled(transition, *begun, True, True)) from None
        if begun is not None and took_effect(begun[0], begun[1], current):
            return Settled(transition, begun[0], current if begun[1] is not None else None, True)
        wanted = transition.decide(fields.copied(current))
        if fields.same(current, wanted):
            return Settled(transition, current, current, False)
        check(transition, current, wanted)
        try:
            announce(Settled(transition, current, wanted, True))
            return Settled(transition, current, view.write(ref, current, wanted, unclear + 1), True)
        except UnclearError as problem:
            unclear += 1
            if unclear >= _MOST_UNCLEAR:
                return _last_look(view, Settled(transition, current, wanted, True), problem)
            begun = None if view.dry else (current, wanted)
        except ApiError as problem:
            conflicts += 1
            again = problem.kind == problems.CONFLICT or (problem.kind == problems.ABSENT and current is not None)
            if not again or conflicts > _MOST_CONFLICTS or not asker.pause(conflicts - 3):
                raise
        view.renew(ref)


def _announce_nowhere(_settled: Settled) -> None:
    return


def _last_look(view: Live | Rehearsal, sent: Settled, problem: ApiError) -> Settled:
    """Say what became of the last attempt. Raises ApiError, UnsureError."""
    if view.dry:
        raise problem
    try:
        current = view.read(sent.transition.ref)
    except ApiError as silent:
        raise UnsureError(silent, sent._replace(unsure=True)) from None
    if took_effect(sent.before, sent.after, current):
        return sent._replace(after=current if sent.after is not None else None)
    raise problem


def took_effect(before: Found, wanted: Found, current: Found) -> bool:
    """Say whether what was sent to make `before` into `wanted` was done, by how the object is now."""
    if wanted is None:
        return (
            current is None or meta(current, "uid") != meta(before, "uid") or bool(meta(current, "deletionTimestamp"))
        )
    if current is None:
        return False
    if before is None:
        return fields.holds(current, fields.without_servers(wanted)) and owners.wrote(current)
    return (
        meta(current, "uid") == meta(before, "uid")
        and meta(current, "resourceVersion") != meta(before, "resourceVersion")
        and fields.holds(current, fields.patch_between(before, wanted))
        and owners.wrote(current)
    )
