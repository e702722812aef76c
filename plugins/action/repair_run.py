# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin repair_run: what a run that repairs keeps on the controller, and what undoes an earlier one."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.netmedic.calico.plugins.module_utils._change import options
from ansible_collections.netmedic.calico.plugins.plugin_utils._plan import outcome, process, runs, turns
from ansible_collections.netmedic.calico.plugins.plugin_utils._plan.wishes import wishes_of

# What means something else in a run that repairs, and what to say of it.
_CONTRADICTIONS = {
    "collect_bundle_dir": "the evidence is saved in the run's own folder in remediate_dir, as bundle",
    "report_redact": "a plan names the hosts that it changes",
}


def _left_out(task_vars: dict[str, Any]) -> str:
    limit = task_vars.get("ansible_limit") or "HOSTS"
    return (
        "localhost is left out by --limit, and from there the API is asked, the cluster's lock is held, and what came "
        f"of it is told. Say --limit '{limit},localhost', or leave the limit out. Nothing was changed."
    )


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no type hints
    """Open a run, keep its documents, or find an earlier one; on the controller only."""

    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Do what state says; nothing is connected to, and nothing is written in check mode."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validated, given = self.validate_argument_spec(
            {
                "state": {"type": "str", "required": True, "choices": ["opened", "kept", "found"]},
                "directory": {"type": "path"},
                "wishes": {"type": "dict", "default": {}},
                "path": {"type": "path"},
                "document": {"type": "str", "choices": list(runs.DOCUMENTS)},
                "content": {"type": "dict"},
                "run": {"type": "str", "default": ""},
                "inventory": {"type": "list", "elements": "str", "default": []},
                "controller": {"type": "bool", "default": True},
            },
            required_if=[
                ("state", "opened", ["directory"]),
                ("state", "kept", ["path", "document", "content"]),
                ("state", "found", ["directory"]),
            ],
        )
        if given["state"] != "kept" and not given["controller"]:
            return {**result, "failed": True, "msg": _left_out(task_vars or {})}
        do = {"opened": self._opened, "kept": self._kept, "found": self._found}[given["state"]]
        try:
            return {**result, **do(given, task_vars or {})}
        except ValueError as error:
            return {**result, "failed": True, "msg": str(error)}

    def _opened(self, given: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        for name, why in _CONTRADICTIONS.items():
            if self._templar.template(task_vars.get(name)):
                raise ValueError(f"{name} cannot be given here: {why}.")
        wishes_of(given["wishes"])
        where = given["directory"]
        if not where:
            raise ValueError("remediate_dir is empty. Name a directory that the next run finds again.")
        name = runs.new_id(datetime.now(timezone.utc))
        try:
            if self._task.check_mode:
                runs.check(where)
                path = Path(where).expanduser().absolute() / name
            else:
                path = runs.opened(where, name)
        except OSError as error:
            raise ValueError(
                f"Nothing can be kept in remediate_dir, which is {where}: {error.strerror or error}. Without a record "
                "nothing is changed."
            ) from None
        told = {
            "path": str(path),
            "holder": f"{options.default_holder()}, run {name}",
            "process": process.of_this_run(),
            "undo": outcome.undone_by(str(path)),
        }
        return {"changed": not self._task.check_mode, "run": name, **told}

    def _kept(self, given: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        if self._task.check_mode:
            return {"changed": True, "path": given["path"]}
        try:
            path = runs.keep(Path(given["path"]), given["document"], given["content"])
        except (OSError, TypeError) as error:
            why = getattr(error, "strerror", None) or error
            raise ValueError(f"{given['document']}.json cannot be written into {given['path']}: {why}.") from None
        return {"changed": True, "path": str(path)}

    @staticmethod
    def _found(given: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        run = runs.found(given["run"], given["directory"])
        journal = run.path / runs.OBJECTS
        kept = str(journal) if os.path.lexists(journal) else ""
        hosts = given["inventory"]
        back = turns.back(run, kept, hosts[0] if hosts else "") if run.plan else []
        unknown = sorted({one["at"] for one in back if one["id"]} - set(hosts))
        if unknown:
            raise ValueError(
                f"Run {run.id} has changed hosts that this run cannot reach, as they are not in the inventory (or "
                f"left out by --limit): {', '.join(unknown[:5])}. Nothing was undone."
            )
        says = turns.told_back(run, kept)
        told = {"run": run.id, "path": str(run.path), "turns": back, "journal": kept, "says": says}
        lock = str(run.plan.get("lock") or "")
        # One of its own for each time, or two rollbacks of one run would hold the lock together.
        this = runs.new_id(datetime.now(timezone.utc))
        holder = f"{options.default_holder()}, rollback {this} of {run.id}"
        return {"changed": False, **told, "lock": lock, "holder": holder, "process": process.of_this_run()}
