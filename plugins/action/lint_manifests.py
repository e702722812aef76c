# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin lint_manifests: rules for Calico's objects on manifests, on the controller."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.netmedic.calico.plugins.plugin_utils._lint import result as linting
from ansible_collections.netmedic.calico.plugins.plugin_utils._lint.context import PROVIDERS, Settings, network
from ansible_collections.netmedic.calico.plugins.plugin_utils._lint.rules import BY_ID
from ansible_collections.netmedic.calico.plugins.plugin_utils._render import files
from ansible_collections.netmedic.calico.plugins.plugin_utils._render import lint as rendering

ARGUMENTS = {
    "paths": {"type": "list", "elements": "path", "required": True},
    "provider": {"type": "str", "choices": ["", *PROVIDERS], "default": ""},
    "service_cidrs": {"type": "list", "elements": "str", "default": []},
    "node_cidrs": {"type": "list", "elements": "str", "default": []},
    "ignore": {"type": "list", "elements": "str", "default": []},
    "directory": {"type": "path", "default": ""},
    "formats": {"type": "list", "elements": "str", "choices": list(rendering.FILES), "default": ["json"]},
    "fail_on": {"type": "str", "choices": ["info", "minor", "major", "critical", "never"], "default": "major"},
    "width": {"type": "int", "default": rendering.WIDTH},
}


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no type hints
    """Read manifests, hold them against the rules, print and write what is wrong; nothing is connected to."""

    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Lint all paths as one whole."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validated, arguments = self.validate_argument_spec(ARGUMENTS)
        problem = _mistake(arguments)
        if problem:
            return {**result, "failed": True, "msg": problem}
        settings = Settings(
            arguments["provider"],
            tuple(arguments["service_cidrs"]),
            tuple(arguments["node_cidrs"]),
            tuple(arguments["ignore"]),
        )
        found = linting.run([path for path in arguments["paths"] if path], settings)
        Display().display("\n" + "\n".join(rendering.lines(found, arguments["width"])) + "\n")
        result.update(found.as_dict(), changed=False, failure=linting.failure(found, arguments["fail_on"]))
        if arguments["directory"]:
            self._write(result, found, arguments)
        return result

    def _write(self, result: dict[str, Any], found: linting.Result, arguments: dict[str, Any]) -> None:
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        made = rendering.rendered(found, arguments["formats"], arguments["fail_on"], now, arguments["width"])
        try:
            result["changed"] = files.save_files(made, arguments["directory"], write=not self._task.check_mode)
        except OSError as error:
            told = f"What was found cannot be written into {arguments['directory']}: {error.strerror or error}."
            result.update(failed=True, msg=told)


def _mistake(arguments: dict[str, Any]) -> str:
    """What is wrong with the arguments, in a sentence; ''."""
    if not any(arguments["paths"]):
        return "There is nothing to lint: paths names no file, folder or glob."
    unknown = [one for one in arguments["ignore"] if one not in BY_ID]
    if unknown:
        return f"ignore names {unknown[0]}, which is no rule; docs/prevention.md has the list."
    for key in ("service_cidrs", "node_cidrs"):
        wrong = [one for one in arguments[key] if network(one) is None]
        if wrong:
            return f"{key} has {wrong[0]}, which is no range of addresses such as 10.96.0.0/12."
    return ""
