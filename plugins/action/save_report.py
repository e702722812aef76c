# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin save_report: report.json on the controller."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.netmedic.calico.plugins.plugin_utils._render.files import save_json


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no type hints
    """Write a report on the controller, where ansible.builtin.copy would start three modules for the same."""

    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Write the file, unless in check mode; nothing is connected to."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validated, arguments = self.validate_argument_spec(
            {"report": {"type": "dict", "required": True}, "directory": {"type": "path", "required": True}}
        )
        try:
            path, changed = save_json(arguments["report"], arguments["directory"], write=not self._task.check_mode)
        except OSError as error:
            where = arguments["directory"]
            why = error.strerror or error
            return {
                **result,
                "failed": True,
                "msg": f"report.json cannot be written into {where}: {why}. The report stands above.",
            }
        return {**result, "changed": changed, "path": str(path)}
