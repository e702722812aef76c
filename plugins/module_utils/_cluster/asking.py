# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking the API: again where that helps and is decent, page by page, never without an end."""

from __future__ import annotations

import json
import time

from .._record import NamedTuple
from . import problems
from .kinds import JSON
from .problems import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, Protocol

    Query = Sequence["tuple[str, str]"]

    class Transport(Protocol):
        """What carries a request to the API server and its answer back. Raises ApiError if there is no answer."""

        via: str
        server: str
        where: str
        workers: int
        # Whether it can send a PATCH; otherwise whole objects are written.
        patches: bool

        def request(
            self, method: str, path: str, query: Query, accept: str, body: dict[str, Any] | None, seconds: float
        ) -> Answer:
            """Return the answer, whatever its status."""


_TRIES = {429: 6, 500: 3, 502: 4, 503: 4, 504: 3}
_LONGEST_WAIT = 10.0
_FIRST_WAIT = 0.25
_TRIES_BROKEN, _TRIES_TIMEOUT = 3, 2
# Of who has begun to change something and had better finish it.
_PATIENT = {429: 40, 500: 4, 502: 6, 503: 8, 504: 4}
_PATIENT_WITHOUT_ANSWER = 4
_MOST_RESTARTS = 3
_MOST_PAGES = 20_000
# So many requests in a row that reached nobody: the next one would not either.
_DEAD_AFTER = 6
LARGEST_PAGE = 64 * 1024 * 1024


class Answer(NamedTuple):
    """An answer: HTTP status, body, and the headers Date and Retry-After ('' if absent)."""

    status: int
    body: bytes
    date: str = ""
    retry_after: str = ""


class UnclearError(ApiError):
    """A change was sent, and whether it was made is not known: reading tells. `kind` as of the problem behind it."""


class Asker:
    """Asks through a transport until a moment (of time.monotonic()). Used by several threads at once.

    `patient`: try more often, and wait for as long as the server asks for if there is time for that.
    """

    def __init__(
        self,
        transport: Transport,
        timeout: float,
        until: float,
        sleep: Callable[[float], None] = time.sleep,
        patient: bool = False,
    ) -> None:
        self.transport = transport
        self.date = self.latest = ""
        self._timeout, self._until, self._sleep, self._patient = timeout, until, sleep, patient
        self._answered = False
        self._dead: ApiError | None = None
        self._in_a_row = 0

    def get(self, path: str, query: Query = (), accept: str = JSON) -> dict[str, Any]:
        """Return the object that is answered. Raises ApiError."""
        return self._object(path, self._answer("GET", path, query, accept, None))

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send an object that is not kept (a review) and return what is answered. Raises ApiError."""
        return self._object(path, self._answer("POST", path, (), JSON, body))

    def change(self, method: str, path: str, query: Query, body: dict[str, Any], attempt: int = 1) -> dict[str, Any]:
        """Send what changes something and return what is answered; again only where the server did not look at it.

        Raises ApiError if it was certainly not done, and UnclearError, after a pause, if that is not known. `attempt`:
        which one it is of this change, from 1; the pauses grow with it.
        """
        throttled = 0
        while True:
            answer = self._sent(method, path, query, body, attempt)
            if 200 <= answer.status < 300:
                return self._told(path, answer, attempt)
            throttled += 1
            if answer.status == 429 and throttled < self._tries(429) and self._wait(self._pause(answer, throttled)):
                continue
            problem = self._refusal(path, answer, "remediate")
            if answer.status < 500:
                raise problem
            self._wait(self._pause(answer, attempt))
            raise UnclearError(problem.kind, problem.sentence)

    def pause(self, attempt: int) -> bool:
        """Wait before the next attempt, longer each time, or say that there is no time for that."""
        return self._wait(_own_pause(attempt))

    def _sent(self, method: str, path: str, query: Query, body: dict[str, Any], attempt: int) -> Answer:
        try:
            return self._once(method, path, query, JSON, body)
        except ApiError as problem:
            if problem.kind not in (problems.BROKEN, problems.TIMEOUT, problems.UNREACHABLE) or not self._answered:
                raise
            self._wait(_own_pause(attempt))
            raise UnclearError(problem.kind, problem.sentence) from None

    def _told(self, path: str, answer: Answer, attempt: int) -> dict[str, Any]:
        try:
            return self._object(path, answer)
        except ApiError as problem:
            self._wait(_own_pause(attempt))
            raise UnclearError(problem.kind, problem.sentence) from None

    def pages(self, path: str, query: Query, page_size: int, accept: str = JSON) -> Iterator[dict[str, Any]]:
        """Yield the pages of a list. Raises ApiError, of the kind 'expired' if the list has to be begun again."""
        token, seen = "", set()
        for _number in range(_MOST_PAGES):
            more = [("continue", token)] if token else []
            page = self.get(path, [*query, ("limit", str(page_size)), *more], accept)
            yield page
            meta = page.get("metadata")
            found = meta.get("continue") if isinstance(meta, dict) else ""
            if not found or not isinstance(found, str):
                return
            token = found
            if hash(token) in seen:
                raise self._endless(path)
            seen.add(hash(token))
        raise self._endless(path)

    def walk(
        self, path: str, take: Callable[[dict[str, Any]], None], begin: Callable[[], None], page_size: int, **more: Any
    ) -> None:
        """Give every page of a list to `take`. A list that went stale meanwhile is begun again, after `begin`.

        Raises ApiError; what was taken by then is what there is.
        """
        for attempt in range(_MOST_RESTARTS + 1):
            begin()
            try:
                for page in self.pages(path, more.get("query", ()), page_size, more.get("accept", JSON)):
                    take(page)
                return
            except ApiError as problem:
                if problem.kind != problems.EXPIRED or attempt == _MOST_RESTARTS:
                    raise

    def _endless(self, path: str) -> ApiError:
        return ApiError(
            problems.ANSWER, f"{self.transport.server} goes round in circles when {path} is listed; that was given up."
        )

    def _object(self, path: str, answer: Answer) -> dict[str, Any]:
        if len(answer.body) > LARGEST_PAGE:
            raise ApiError(
                problems.ANSWER,
                f"A page of {path} is larger than {LARGEST_PAGE >> 20} MiB. Use a smaller page_size.",
            )
        try:
            found = json.loads(answer.body, parse_constant=lambda _word: None)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            return found
        raise problems.not_json(self.transport.server, path, self.transport.where)

    def _answer(self, method: str, path: str, query: Query, accept: str, body: dict[str, Any] | None) -> Answer:
        """Return an answer with a status of success, after some tries. Raises ApiError."""
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = self._once(method, path, query, accept, body)
            except ApiError as problem:
                if attempt >= self._tries_without_answer(problem.kind) or not self._wait(_FIRST_WAIT * 2**attempt):
                    raise
                continue
            if 200 <= answer.status < 300:
                return answer
            if attempt >= self._tries(answer.status) or not self._wait(self._pause(answer, attempt)):
                raise self._refusal(path, answer, "remediate" if self._patient else "collect")

    def _refusal(self, path: str, answer: Answer, role: str) -> ApiError:
        message, transport = problems.message_of(answer.body), self.transport
        return problems.of_status(answer.status, message, path, transport.server, transport.where, role)

    def _tries(self, status: int) -> int:
        return (_PATIENT if self._patient else _TRIES).get(status, 1)

    def _tries_without_answer(self, kind: str) -> int:
        if self._patient and self._answered and kind in (problems.BROKEN, problems.TIMEOUT, problems.UNREACHABLE):
            return _PATIENT_WITHOUT_ANSWER
        return {problems.BROKEN: _TRIES_BROKEN, problems.TIMEOUT: _TRIES_TIMEOUT}.get(kind, 1)

    def _pause(self, answer: Answer, attempt: int) -> float:
        return _pause(answer, attempt, float("inf") if self._patient else _LONGEST_WAIT)

    def _once(self, method: str, path: str, query: Query, accept: str, body: dict[str, Any] | None) -> Answer:
        if self._dead is not None:
            raise self._dead
        left = self._until - time.monotonic()
        if left <= 0:
            raise ApiError(
                problems.LATE, f"There was no time left for {path.partition('?')[0]}; a longer timeout helps."
            )
        try:
            answer = self.transport.request(method, path, query, accept, body, min(self._timeout, left))
        except ApiError as problem:
            if problem.kind in (problems.UNREACHABLE, problems.TIMEOUT):
                self._in_a_row += 1
                if self._in_a_row >= _DEAD_AFTER:
                    self._dead = problem
            raise
        self._in_a_row, self._answered = 0, True
        self.date, self.latest = self.date or answer.date, answer.date
        return answer

    def _wait(self, seconds: float) -> bool:
        """Wait, or say that there is no time for that."""
        if time.monotonic() + seconds >= self._until:
            return False
        self._sleep(seconds)
        return True


def _own_pause(attempt: int) -> float:
    return float(min(_FIRST_WAIT * 2 ** min(attempt, 10), _LONGEST_WAIT))


def _pause(answer: Answer, attempt: int, longest: float) -> float:
    """Return how long to wait before the next try: what the server asks for (for ever if that is unreasonable), longer
    each time if it asks for nothing."""
    own = _own_pause(attempt)
    wanted = answer.retry_after.strip()
    if not wanted.isdigit():
        return own
    return max(float(wanted), own) if len(wanted) < 6 and float(wanted) <= longest else float("inf")
