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
from .._cluster.problems import ApiError
from .._cluster.shapes import mapping, word
from .._record import NamedTuple
from . import fields
from .resources import Ref, refused
from .run import connected
from .settling import Transition, settle
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


class Standing(NamedTuple):
    """Who holds the lock now ('' if nobody), since when and until when (RFC 3339); who lost it by not renewing it; and
    why it was not as wanted ('' if it was)."""

    changed: bool = False
    holder: str = ""
    since: str = ""
    until: str = ""
    taken_over_from: str = ""
    why: str = ""


def hold(
    params: Mapping[str, Any], check_mode: bool, environ: Mapping[str, str] | None = None, root: str = ""
) -> Standing:
    """Acquire, renew or release the lock. `environ` and `root` are for tests."""
    try:
        asker = connected(params, environ, root)
        ref = Ref(_VERSION, "Lease", params["namespace"], NAME, LEASES)
        seconds = params.get("seconds") or SECONDS
        decide = _DECIDE[params["state"]](ref, params["holder"], lambda: _now(asker, ref), seconds)
        settled = settle(
            asker, (Rehearsal if check_mode else Live)(asker), Transition(ref, params["state"], decide, own=True)
        )
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


def _acquisition(ref: Ref, holder: str, now: Callable[[], int], seconds: int = SECONDS) -> Callable[[Found], Found]:
    def decide(found: Found) -> Found:
        moment = now()
        spec = _spec(found)
        if _holder(spec) not in ("", holder) and moment < _end(spec):
            raise refused(_told(ref, spec))
        stamp = _plain(_stamp(moment))[:-1] + _MICRO
        wanted = {"holderIdentity": holder, "leaseDurationSeconds": seconds, "renewTime": stamp}
        if _holder(spec) == holder:
            return fields.merged(found, {"spec": wanted})  # type: ignore[no-any-return]
        wanted.update(acquireTime=stamp, leaseTransitions=_number(spec.get("leaseTransitions")) + (found is not None))
        bare = {"apiVersion": _VERSION, "kind": "Lease", "metadata": {"name": ref.name, "namespace": ref.namespace}}
        return fields.merged(found or bare, {"spec": wanted})  # type: ignore[no-any-return]

    return decide


def _renewal(ref: Ref, holder: str, now: Callable[[], int], seconds: int = SECONDS) -> Callable[[Found], Found]:
    acquire = _acquisition(ref, holder, now, seconds)

    def decide(found: Found) -> Found:
        spec = _spec(found)
        if _holder(spec) == holder:
            return acquire(found)
        told = _told(ref, spec) if _holder(spec) else f"Nobody holds the Lease {ref.namespace}/{ref.name} any more."
        raise refused(f"The lock was lost, so nothing more may be changed. {told}")

    return decide


def _release(_ref: Ref, holder: str, _now: Callable[[], int], _seconds: int = SECONDS) -> Callable[[Found], Found]:
    return lambda found: None if _holder(_spec(found)) == holder else found


_DECIDE = {ACQUIRED: _acquisition, RENEWED: _renewal, RELEASED: _release}


def _told(ref: Ref, spec: Object) -> str:
    since, until = _plain(word(spec.get("acquireTime"))), _stamp(_end(spec))
    return (
        f"{_holder(spec)} holds the lock (Lease {ref.namespace}/{ref.name}) since {since or 'an unknown time'}, until "
        f"{until} if it is not renewed. Wait for its end and run again."
    )


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
