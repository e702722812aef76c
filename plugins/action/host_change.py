# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin host_change: apply, come back over a new connection, gate, and confirm; or undo."""

from __future__ import annotations

import time
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.plugins.connection import ConnectionBase

from ansible_collections.netmedic.calico.plugins.module_utils._change import options

_MARGIN = 10  # between the end of the gate and that of the time to confirm
_PAUSE = 0.5
_OWN = ("keep", "expect", "gate_seconds")


class LostError(Exception):
    """The host cannot be reached any more."""


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no type hints
    """The whole transaction in one task. Other states than applied are the module's alone."""

    _supports_check_mode = True
    _supports_async = False
    TRANSFERS_FILES = False
    _was_lost = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what the module returns, with what came of the gate."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validated, arguments = self.validate_argument_spec(options.spec())
        self._task_vars = task_vars
        self._arguments = dict(arguments, holder=arguments["holder"] or options.default_holder())
        try:
            problem = self._contradiction()
            if problem:
                return {**result, "failed": True, "msg": problem}
            if arguments["state"] != "applied":
                return {**result, **self._asked(arguments["state"])}
            return {**result, **self._transaction()}
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)

    def _contradiction(self) -> str:
        one = self._arguments
        within, gate = one["confirm_within"], one["gate_seconds"]
        gated = one["keep"] and (one["gate"] or one["expect"])
        if one["state"] != "applied":
            return f"changes are made with state applied, not with {one['state']}" if one["changes"] else ""
        if gated and within and not 0 < gate <= within - _MARGIN:
            return (
                f"gate_seconds is {gate}, and confirm_within is {within}: they must be {_MARGIN} seconds apart at least"
            )
        return ""

    def _asked(self, state: str) -> dict[str, Any]:
        try:
            return self._module(state)
        except LostError as error:
            meant = (
                " Nothing was changed." if self._task.check_mode else f" Whether the change is {state} is not known."
            )
            return self._lost(error, f"Ask for it again when it can be reached.{meant if state != 'status' else ''}")

    def _transaction(self) -> dict[str, Any]:
        began = time.monotonic()
        within = self._arguments["confirm_within"]
        try:
            answer = self._module("applied", wait=self._task.check_mode or not within)
        except LostError as error:
            until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + within))
            if not within:
                return {"failed": True, "msg": f"The connection was lost while the change was made: {error}"}
            return self._lost(error, f"If it was armed already, the host undoes it by itself by {until}.")
        if answer.get("failed") or not answer.get("changed") or self._task.check_mode:
            return answer
        self._deadline = began + (within or self._arguments["gate_seconds"] + _MARGIN)
        try:
            return {**answer, **self._prove(answer)}
        except LostError as error:
            if not within:
                return self._lost(error, "The change is made, and nothing undoes it by itself.", answer)
            return self._lost(error, f"The host undoes the change by itself at {answer['armed_until']}.", answer)

    def _prove(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Come back over a new connection, look, and confirm or undo."""
        self._reset()
        before = answer.get("sessions", {}).get("established", [])
        wanted = set(before) if self._arguments["gate"] else set()
        expected = set(self._arguments["expect"])
        gated = self._arguments["keep"] and bool(wanted | expected)
        began = time.monotonic()
        while True:
            now = self._patiently("status", gate=gated)
            if now.get("failed"):
                return now
            if now["state"] not in {"armed", "confirmed"}:
                return self._gone(now)
            up = set(now.get("sessions", {}).get("established", []))
            passed = not gated or wanted | expected <= up
            if now["record"].get("applied") and passed:
                break
            if time.monotonic() - began > self._arguments["gate_seconds"]:
                return self._failed_gate(now, sorted(wanted - up), sorted(expected - up))
            time.sleep(_PAUSE)
        told: dict[str, Any] = {}
        if gated:
            told["gate"] = {"lost": [], "missing": [], "seconds": round(time.monotonic() - began, 1)}
        if not self._arguments["keep"] or now["state"] == "confirmed":
            return told
        done = self._patiently("confirmed")
        if done.get("failed"):
            return {**told, "failed": True, "changed": False, "msg": done["msg"]}
        return {**told, "state": done["state"], "armed_until": "", "seconds_left": 0.0}

    def _gone(self, now: dict[str, Any]) -> dict[str, Any]:
        """Say what came of changes that are armed no more."""
        record = now.get("record", {})
        why = record.get("why", "there is no record of it")
        problems = "; ".join(record.get("problems", []))
        then = f"Not undone: {problems}" if problems else "All is as it was before."
        changed = bool(problems)
        return {
            "failed": True,
            "changed": changed,
            "state": now["state"],
            "msg": f"The change was undone: {why}. {then}",
        }

    def _failed_gate(self, now: dict[str, Any], lost: list[str], missing: list[str]) -> dict[str, Any]:
        seconds = self._arguments["gate_seconds"]
        words = []
        if lost:
            words.append(f"BGP sessions that were established before are not: {', '.join(lost)}")
        if missing:
            words.append(f"BGP sessions that were expected are not established: {', '.join(missing)}")
        if not now["record"].get("applied"):
            words.append("the changes are not made yet")
        gate = {"lost": lost, "missing": missing, "seconds": float(seconds)}
        done = self._patiently("undone")
        then = "The change was undone." if not done.get("failed") else f"It could not be undone: {done['msg']}"
        msg = f"After {seconds} seconds {'; '.join(words)}. {then}"
        return {
            "failed": True,
            "changed": bool(done.get("failed")),
            "state": done.get("state", now["state"]),
            "gate": gate,
            "msg": msg,
        }

    def _lost(self, error: LostError, then: str, answer: dict[str, Any] | None = None) -> dict[str, Any]:
        return {**(answer or {}), "failed": True, "changed": bool(answer), "msg": f"The host is lost: {error}. {then}"}

    def _patiently(self, state: str, gate: bool = False) -> dict[str, Any]:
        """Ask the module as often as the connection fails, while the change may still be confirmed."""
        while True:
            try:
                return self._module(state, gate=gate)
            except LostError:  # noqa: PERF203
                self._was_lost = True
                if time.monotonic() + _MARGIN / 2 > self._deadline:
                    raise
                time.sleep(_PAUSE)
                self._reset()

    def _module(self, state: str, **given: Any) -> dict[str, Any]:
        """Run the module. Raises LostError if the connection is gone."""
        names = ("id", "holder") if state != "applied" else options.spec().keys() - set(_OWN)
        arguments = {name: self._arguments[name] for name in names}
        if state == "applied":
            changes = [{key: one for key, one in change.items() if one is not None} for change in arguments["changes"]]
            arguments["changes"] = changes
            arguments["gate"] = self._arguments["keep"] and self._arguments["gate"]
        elif state == "status" and self._arguments["state"] == "status":
            arguments["gate"] = self._arguments["gate"]
        arguments.update(given, state=state)
        try:
            answer: dict[str, Any] = self._execute_module(
                module_name="netmedic.calico.host_change", module_args=arguments, task_vars=self._task_vars
            )
        except AnsibleConnectionFailure as error:
            raise LostError(" ".join(str(error).split())[:300]) from None
        if answer.get("unreachable"):
            raise LostError(" ".join(str(answer.get("msg")).split())[:300])
        answer.pop("invocation", None)
        return answer

    def _reset(self) -> None:
        """Have the next call come over a connection of its own: one that stands may outlive what lets no new one in."""
        if type(self._connection).reset is not ConnectionBase.reset:
            try:
                self._connection.reset()
            except AnsibleConnectionFailure:
                return
