# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin preflight_probe: asks a host's listener by one command of the host's shell."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.netmedic.calico.plugins.plugin_utils._preflight import asking

ARGUMENTS = {
    "do": {"type": "str", "choices": ["probe", "stop"], "default": "probe"},
    "plan": {"type": "dict", "default": {}},
    "listener": {"type": "dict", "default": {}},
}


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no type hints
    """A module would have to be sent, and Python to be started, on every host once more."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask, and return what the listener says."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validated, arguments = self.validate_argument_spec(ARGUMENTS)
        host = str((task_vars or {}).get("inventory_hostname", ""))
        result["changed"] = False
        result["_ansible_verbose_override"] = True
        try:
            command = asking.command(host, arguments["do"], arguments["plan"], arguments["listener"])
        except ValueError as error:
            return {**result, "failed": True, "msg": f"{error}."}
        if not command:
            return {**result, "skipped": True, "msg": "There is no listener on this host."}
        answer = self._low_level_execute_command(command)
        return {**result, **asking.read(answer)}
