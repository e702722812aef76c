# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong with an API server, switched on from JSON: it answers "what shall happen to this request".

A setting is a list of disturbances, each an object:

    {"what": "conflict",       "count": 3, "kinds": ["daemonsets.apps"]}      the next three writes answer 409
    {"what": "throttle",       "every": 3, "retry_after": 1}                  every third request answers 429
    {"what": "slow",           "seconds": 2, "kinds": ["pods"]}               the answer comes two seconds later
    {"what": "expired_token",  "users": ["system:serviceaccount:a:b"]}        401
    {"what": "error",          "status": 503, "kinds": ["nodes"]}             500, 502, 503 or 504
    {"what": "missing",        "kinds": ["ippools.crd.projectcalico.org"]}    404, and not in discovery
    {"what": "forbidden",      "kinds": ["secrets"]}                          403
    {"what": "drop_watch",     "after_seconds": 5, "after_events": 3, "gone": true}   watches end, with 410 if "gone"
    {"what": "down",           "how": "refused" or "unanswered"}              no connection, or one without an answer
    {"what": "denied",         "kinds": ["bgppeers"], "message": "no"}        writes answer 403 as a webhook's denial
    {"what": "lost",           "kinds": ["ippools"], "verbs": ["patch"]}      it is done, and no answer comes

and for each, as limits: "kinds" ("plural.group", or "plural" in any group), "verbs", "users", "count" (so many times),
"every" (each n-th time only), "for_seconds" (after it was switched on), "dry_run" (true or false: only requests that
are or are not dry runs). What is left out limits nothing.
"""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import errors
from ..errors import ApiError
from . import rbac

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .rbac import Asked

WHAT = (
    *("down", "slow", "expired_token", "throttle", "error", "missing", "forbidden", "denied", "conflict", "lost"),
    "drop_watch",
)
_WRITES = ("update", "patch", "delete")
_ALL_WRITES = ("create", *_WRITES)
_USUAL_VERBS = {"conflict": _WRITES, "denied": _ALL_WRITES, "lost": _ALL_WRITES}
_LISTS = ("kinds", "verbs", "users")
_NUMBERS = ("count", "every", "for_seconds", "retry_after", "seconds", "status", "after_seconds", "after_events")
_STATUSES = {
    500: ("InternalError", "Internal error occurred: etcdserver: request timed out"),
    502: ("", "Bad Gateway"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: ("Timeout", "Timeout: request did not complete within the allotted timeout"),
}


class BadSettingError(ValueError):
    """The setting is not as described; the text says what is wrong, for a person."""


class WatchEnd(NamedTuple):
    """When a watch ends: after so many seconds, so many events (None: never); `gone`: with an ERROR event, 410."""

    after_seconds: float | None
    after_events: int | None
    gone: bool


class Outcome(NamedTuple):
    """What happens to a request: first `delay` seconds of nothing, then one of the others, or all as usual.

    `connection`: "" or "refused" or "unanswered" (accepted, then silence). `refusal`: answered instead of the request;
    `retry_after` is the header's value where it is not 0. `watch`: how the watch ends. `lost`: the request is done, and
    the connection broken off instead of the answer.
    """

    delay: float = 0.0
    connection: str = ""
    refusal: ApiError | None = None
    retry_after: int = 0
    watch: WatchEnd | None = None
    lost: bool = False


AS_USUAL = Outcome()


class _Rule:
    """One disturbance with what is left of it."""

    def __init__(self, setting: dict[str, Any], since: float) -> None:
        self.setting = setting
        self.what: str = setting["what"]
        self.left: int | None = setting.get("count")
        self.until = since + setting["for_seconds"] if "for_seconds" in setting else None
        self.met = 0

    def concerns(self, user: str, request: Asked, now: float, dry_run: bool) -> bool:
        """Whether it is about this request at all."""
        if self.left == 0 or (self.until is not None and now >= self.until):
            return False
        if self.setting.get("dry_run", dry_run) != dry_run:
            return False
        verbs = self.setting.get("verbs") or _USUAL_VERBS.get(self.what, ())
        users = self.setting.get("users")
        if self.what == "drop_watch":
            verbs = ("watch",)
        return (
            (not verbs or request.verb in verbs)
            and (not users or user in users)
            and (not self.setting.get("kinds") or self.names(request.group, request.resource))
            and (self.what not in ("missing", "forbidden", "conflict", "denied", "lost") or bool(request.resource))
        )

    def names(self, group: str, resource: str) -> bool:
        """Whether the kind is among those named."""
        full = f"{resource}.{group}" if group else resource
        return any(kind in (full, resource) for kind in self.setting.get("kinds", ()))

    def strikes(self) -> bool:
        """Whether it is this one's turn; uses up one of `count`."""
        self.met += 1
        if self.met % self.setting.get("every", 1):
            return False
        if self.left is not None:
            self.left -= 1
        return True


class Disturbances:
    """The disturbances that are switched on. Safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []

    def set(self, settings: object) -> None:
        """Switch on exactly these (a list, or its JSON text); [] switches all off. BadSettingError."""
        checked = [_checked(setting) for setting in _listed(settings)]
        with self._lock:
            self._rules = [_Rule(setting, self._clock()) for setting in checked]

    def add(self, setting: object) -> None:
        """Switch on one more (an object, or its JSON text). BadSettingError."""
        checked = _checked(_parsed(setting))
        with self._lock:
            self._rules.append(_Rule(checked, self._clock()))

    def settings(self) -> list[dict[str, Any]]:
        """What is switched on and not used up, as `set` takes it, with what is left of counts and times."""
        with self._lock:
            now, found = self._clock(), []
            for rule in self._rules:
                if rule.left == 0 or (rule.until is not None and now >= rule.until):
                    continue
                left = dict(rule.setting)
                if rule.left is not None:
                    left["count"] = rule.left
                if rule.until is not None:
                    left["for_seconds"] = rule.until - now
                found.append(left)
            return found

    def happens(self, user: str, request: Asked, dry_run: bool = False) -> Outcome:
        """What shall happen to this request of this user; counts it."""
        with self._lock:
            now = self._clock()
            concerned = [rule for rule in self._rules if rule.concerns(user, request, now, dry_run)]
            return _outcome(concerned, user, request) if concerned else AS_USUAL

    def hides(self, group: str, resource: str) -> bool:
        """Whether a kind is missing now, so that discovery must not show it."""
        with self._lock:
            now = self._clock()
            return any(
                rule.what == "missing"
                and rule.left != 0
                and (rule.until is None or now < rule.until)
                and rule.names(group, resource)
                for rule in self._rules
            )


def _outcome(rules: Iterable[_Rule], user: str, request: Asked) -> Outcome:
    """The strongest disturbance wins; weaker ones are not used up by the same request."""
    delay = 0.0
    for rule in sorted(rules, key=lambda each: WHAT.index(each.what)):
        if not rule.strikes():
            continue
        setting = rule.setting
        if rule.what == "down":
            return Outcome(connection=setting.get("how", "refused"))
        if rule.what == "slow":
            delay += setting.get("seconds", 1)
        elif rule.what == "lost":
            return Outcome(delay, lost=True)
        elif rule.what == "drop_watch":
            end = WatchEnd(setting.get("after_seconds"), setting.get("after_events"), setting.get("gone", False))
            return Outcome(delay, watch=end)
        else:
            retry_after = setting.get("retry_after", 1 if rule.what == "throttle" else 0)
            return Outcome(delay, refusal=_refusal(rule, user, request, retry_after), retry_after=retry_after)
    return Outcome(delay)


def _refusal(rule: _Rule, user: str, request: Asked, retry_after: int) -> ApiError:
    if rule.what == "expired_token":
        return errors.unauthorized()
    if rule.what == "throttle":
        return errors.too_many_requests("Too many requests, please try again later.", retry_after)
    if rule.what == "missing":
        return errors.no_such_resource()
    if rule.what == "forbidden":
        return rbac.forbidden(user, request)
    if rule.what == "denied":
        why = rule.setting.get("message", "not allowed by policy")
        return ApiError(403, "Forbidden", f'admission webhook "policy.netmedic.lab" denied the request: {why}')
    if rule.what == "error":
        status = rule.setting.get("status", 500)
        return ApiError(status, *_STATUSES[status])
    resource = f"{request.resource}.{request.group}" if request.group else request.resource
    message = f'Operation cannot be fulfilled on {resource} "{request.name}": {errors.MODIFIED}'
    details = {"name": request.name, "group": request.group, "kind": request.resource}
    return errors.Conflict(409, "Conflict", message, {name: value for name, value in details.items() if value})


def _listed(settings: object) -> list[object]:
    found = _parsed(settings)
    if not isinstance(found, list):
        raise BadSettingError("a list of disturbances is wanted")
    return found


def _parsed(settings: object) -> object:
    if not isinstance(settings, (str, bytes)):
        return settings
    try:
        found: object = json.loads(settings)
    except (ValueError, RecursionError) as error:
        raise BadSettingError(f"no JSON: {error}") from error
    return found


def _checked(setting: object) -> dict[str, Any]:
    if not isinstance(setting, dict):
        raise BadSettingError("a disturbance is an object")
    if setting.get("what") not in WHAT:
        raise BadSettingError(f'"what" is one of {", ".join(WHAT)}')
    for name, value in setting.items():
        if not _fits(name, value):
            raise BadSettingError(f"{json.dumps(name)} cannot be {json.dumps(value, default=str)[:100]}")
    if setting["what"] == "missing" and not setting.get("kinds"):
        raise BadSettingError('"missing" wants "kinds"')
    return dict(setting)


def _fits(name: object, value: object) -> bool:
    if name in _LISTS:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if name in _NUMBERS:
        whole = name not in ("seconds", "for_seconds", "after_seconds")
        if not isinstance(value, int if whole else (int, float)) or isinstance(value, bool):
            return False
        least = 1 if name == "every" else 0
        return least <= value <= 1_000_000 and (name != "status" or value in _STATUSES)
    if name == "message":
        return isinstance(value, str)
    switches = (True, False)
    choices = {"what": WHAT, "how": ("refused", "unanswered"), "gone": switches, "dry_run": switches}
    return isinstance(name, str) and isinstance(value, (str, bool)) and value in choices.get(name, ())
