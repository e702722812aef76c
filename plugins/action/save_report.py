# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin save_report: a report as files on the controller."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.netmedic.calico.plugins.plugin_utils._render.files import NotWrittenError, save_report
from ansible_collections.netmedic.calico.plugins.plugin_utils._render.formats import FILES, Wanted

ARGUMENTS = {
    "report": {"type": "dict", "required": True},
    "directory": {"type": "path", "required": True},
    "formats": {"type": "list", "elements": "str", "choices": list(FILES), "default": ["json"]},
    "fail_on": {"type": "str", "choices": ["info", "minor", "major", "critical", "never"], "default": "major"},
    "incomplete": {"type": "bool", "default": False},
    "width": {"type": "int", "default": 80},
    "ledger": {"type": "dict", "default": {}},
    "cluster": {"type": "str", "default": ""},
}


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no type hints
    """Write a report on the controller, where ansible.builtin.copy would start three modules for each file."""

    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Write the files, unless in check mode; nothing is connected to."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validated, arguments = self.validate_argument_spec(ARGUMENTS)
        given = {name: arguments[name] for name in ("fail_on", "incomplete", "width", "ledger", "cluster")}
        where, formats = arguments["directory"], arguments["formats"]
        try:
            saved = save_report(arguments["report"], where, formats, Wanted(**given), write=not self._task.check_mode)
        except NotWrittenError as error:
            return {**result, "failed": True, "msg": _told(error, where)}
        paths = [str(path) for path in saved.paths]
        told = {**result, "changed": saved.changed, "path": paths[0] if paths else "", "paths": paths}
        return {**told, "failed": True, "msg": f"{saved.problem}."} if saved.problem else told


def _told(error: NotWrittenError, where: str) -> str:
    why = (f"{', '.join(names)} cannot be written into {where}: {why}." for why, names in error.reasons().items())
    others = [f"Written: {', '.join(error.written)}."] if error.written else []
    return " ".join((*why, *others, "The report stands above."))
