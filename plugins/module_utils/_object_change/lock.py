# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time: a Lease that a run holds while it changes a cluster, and loses if it does not renew it in time.

All times are those of the API server, so that the clocks of those who compete need not agree.
"""

from __future__ import annotations

import calendar
import time

from .._cluster.kinds import LEASES
from .._cluster.problems import REFUSED, ApiError
from .._cluster.shapes import mapping, word
from .._record import NamedTuple
from . import fields
from .resources import Ref, refused
from .run import connected
from .settling import Settled, Transition, settle
from .views import Live, Rehearsal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Union

    from .._cluster.asking import Asker

    Object = dict[str, Any]
    Found = Union[Object, None]

NAME = "netmedic-calico-remediate"
SECONDS = 120
SHORTEST, LONGEST = 30, 3600
ACQUIRED, RENEWED, RELEASED = "acquired", "renewed", "released"
_VERSION = "coordination.k8s.io/v1"
_MICRO = ".000000Z"
# In which process of its controller a run holds the lock, so that a run on the same controller can see that it is gone.
PROCESS = "netmedic-calico/process"


class Standing(NamedTuple):
    """Who holds the lock now ('' if nobody), since when and until when (RFC 3339); who lost it by not renewing it; why
    it was not as wanted ('' if it was), and in which process the one who has it instead holds it ('' if not told)."""

    changed: bool = False
    holder: str = ""
    since: str = ""
    until: str = ""
    taken_over_from: str = ""
    why: str = ""
    process: str = ""


class Claim(NamedTuple):
    """Who wants the lock, for how many seconds, and in which process of its controller ('' if that is not told).
    instead_of: the process of a holder of which the caller knows that it is gone, '' for none."""

    holder: str
    seconds: int = SECONDS
    process: str = ""
    instead_of: str = ""


class HeldError(ApiError):
    """Another one holds the lock, in this process of its controller ('' if not told)."""

    def __init__(self, sentence: str, process: str) -> None:
        super().__init__(REFUSED, sentence)
        self.process = process


def hold(
    params: Mapping[str, Any], check_mode: bool, environ: Mapping[str, str] | None = None, root: str = ""
) -> Standing:
    """Acquire, renew or release the lock. `environ` and `root` are for tests."""
    try:
        asker = connected(params, environ, root)
        ref = Ref(_VERSION, "Lease", params["namespace"], NAME, LEASES)
        told = (params.get("seconds") or SECONDS, params.get("process") or "", params.get("instead_of") or "")
        claim = Claim(params["holder"], *told)
        settled = _settled(asker, (Rehearsal if check_mode else Live)(asker), ref, params["state"], claim)
        if params["state"] == ACQUIRED and not check_mode and _holder(_spec(settled.before)) != claim.holder:
            _see_that_it_can_be_kept(asker, ref, claim)
    except HeldError as problem:
        return Standing(why=problem.sentence, process=problem.process)
    except ApiError as problem:
        return Standing(why=problem.sentence)
    before, after = (_spec(one) for one in (settled.before, settled.after))
    holder, former = _holder(after), _holder(before)
    return Standing(
        holder != former,
        holder,
        _plain(word(after.get("acquireTime"))),
        _stamp(_end(after)) if holder else "",
        former if former and holder and former != holder else "",
    )


def _settled(asker: Asker, view: Live | Rehearsal, ref: Ref, state: str, claim: Claim, later: int = 0) -> Settled:
    decide = _DECIDE[state](ref, claim, lambda: _now(asker, ref) + later)
    return settle(asker, view, Transition(ref, state, decide, own=True))


def _see_that_it_can_be_kept(asker: Asker, ref: Ref, claim: Claim) -> None:
    """Rehearse what follows: a right that is lacking for it would be missed when the cluster is changed already.

    Raises ApiError, and gives the lock back before.
    """
    view = Rehearsal(asker)
    try:
        for state in (RENEWED, RELEASED):
            _settled(asker, view, ref, state, claim, later=1)
    except ApiError as problem:
        told = f"The lock can be taken, but not renewed and given back. {problem.sentence}"
        try:
            _settled(asker, Live(asker), ref, RELEASED, claim)
        except ApiError:
            told += f" It is held for nothing now, and ends by itself in {claim.seconds} s."
        raise ApiError(problem.kind, told) from None


def _acquisition(ref: Ref, claim: Claim, now: Callable[[], int]) -> Callable[[Found], Found]:
    def decide(found: Found) -> Found:
        moment, spec, own = now(), _spec(found), _holder(_spec(found)) == claim.holder
        dead = claim.instead_of != "" and _process(found) == claim.instead_of
        if not own and _holder(spec) and moment < _end(spec) and not dead:
            raise HeldError(_told(ref, spec, moment), _process(found))
        stamp = _plain(_stamp(moment))[:-1] + _MICRO
        wanted = {"holderIdentity": claim.holder, "leaseDurationSeconds": claim.seconds, "renewTime": stamp}
        patch: Object = {"spec": wanted}
        if claim.process or (_process(found) and not own):
            patch["metadata"] = {"annotations": {PROCESS: claim.process or None}}
        if own:
            return fields.merged(found, patch)  # type: ignore[no-any-return]
        wanted.update(acquireTime=stamp, leaseTransitions=_number(spec.get("leaseTransitions")) + (found is not None))
        bare = {"apiVersion": _VERSION, "kind": "Lease", "metadata": {"name": ref.name, "namespace": ref.namespace}}
        return fields.merged(found or bare, patch)  # type: ignore[no-any-return]

    return decide


def _renewal(ref: Ref, claim: Claim, now: Callable[[], int]) -> Callable[[Found], Found]:
    acquire = _acquisition(ref, claim, now)

    def decide(found: Found) -> Found:
        spec = _spec(found)
        if _holder(spec) == claim.holder:
            return acquire(found)
        told = _told(ref, spec, now()) if _holder(spec) else f"Nobody holds the {_named(ref)} any more."
        raise refused(f"The lock was lost, so nothing more may be changed. {told}")

    return decide


def _release(_ref: Ref, claim: Claim, _now: Callable[[], int]) -> Callable[[Found], Found]:
    return lambda found: None if _holder(_spec(found)) == claim.holder else found


_DECIDE = {ACQUIRED: _acquisition, RENEWED: _renewal, RELEASED: _release}


def _told(ref: Ref, spec: Object, moment: int) -> str:
    since, end = _plain(word(spec.get("acquireTime"))), _end(spec)
    left = f", which is in {end - moment} s," if end > moment else ""
    return (
        f"{_holder(spec)} holds the lock ({_named(ref)}) since {since or 'an unknown time'}, until {_stamp(end)}{left} "
        "if it is not renewed. Wait for its end and run again."
    )


def _named(ref: Ref) -> str:
    return f"Lease {ref.namespace}/{ref.name}"


def _process(found: Found) -> str:
    return word(mapping(mapping(mapping(found).get("metadata")).get("annotations")).get(PROCESS))


def _spec(found: Found) -> Object:
    return mapping(mapping(found).get("spec"))


def _holder(spec: Object) -> str:
    return word(spec.get("holderIdentity"))


def _number(found: Any) -> int:
    return found if isinstance(found, int) and not isinstance(found, bool) else 0


def _end(spec: Object) -> int:
    """Return when a lease runs out, in Unix seconds; 0 if that cannot be told, so that nobody is kept out for ever."""
    renewed = _moment(word(spec.get("renewTime")))
    return renewed + _number(spec.get("leaseDurationSeconds")) if renewed else 0


def _moment(word: str) -> int:  # a time as the API writes it
    try:
        return calendar.timegm(time.strptime(_plain(word), "%Y-%m-%dT%H:%M:%SZ"))
    except (ValueError, OverflowError):
        return 0


def _plain(word: str) -> str:
    """Return a time without parts of seconds."""
    return f"{word[:19]}Z" if len(word) > 19 else word


def _stamp(moment: int) -> str:
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
    except (ValueError, OverflowError, OSError):
        return "an unknown time"


def _now(asker: Asker, ref: Ref) -> int:
    """Return the API server's time in Unix seconds. Raises ApiError.

    It stands in the header of every answer. kubectl shows no headers; there it is asked for as the time at which an
    object would be made that never is.
    """
    from email.utils import parsedate

    date = parsedate(asker.latest) if 0 < len(asker.latest) < 60 else None
    if date is not None:
        return calendar.timegm(date)
    metadata = {"generateName": f"{ref.name}-", "namespace": ref.namespace}
    body = {"apiVersion": _VERSION, "kind": "Lease", "metadata": metadata, "spec": {"leaseDurationSeconds": 1}}
    found = asker.change("POST", ref.collection, [("dryRun", "All")], body)
    return _moment(word(mapping(found.get("metadata")).get("creationTimestamp"))) or int(time.time())
