# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin cluster_lock: have the lock at once if the run on this controller that holds it is gone."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.netmedic.calico.plugins.plugin_utils._plan import process


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no type hints
    """The module, and where another one holds the lock, a look at whether that one is gone."""

    _supports_check_mode = True
    _supports_async = False
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what the module returns."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        try:
            answer = self._module(task_vars, {})
            held_in = str(answer.get("process") or "")
            if answer.get("failed") and held_in and process.is_gone(held_in):
                answer = self._module(task_vars, {"instead_of": held_in})
                if answer.get("taken_over_from"):
                    taken = "It would be taken over." if self._task.check_mode else "It was taken over."
                    told = f"{answer['taken_over_from']} is gone and has not given back the lock. {taken}"
                    answer["warnings"] = [*(answer.get("warnings") or ()), told]
            return {**result, **answer}
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)

    def _module(self, task_vars: dict[str, Any] | None, more: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._execute_module(
            module_name="netmedic.calico.cluster_lock", module_args={**self._task.args, **more}, task_vars=task_vars
        )
        return answer
