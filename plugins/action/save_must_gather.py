# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin save_must_gather: what nodes and API told, as one archive on the controller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible import __version__
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import plain
from ansible_collections.netmedic.calico.plugins.plugin_utils._gather import archive, choice, index, run
from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction import keyed, share

ARGUMENTS = {
    "directory": {"type": "path", "required": True},
    "hosts": {"type": "list", "elements": "str", "required": True},
    "nodes": {"type": "list", "elements": "str", "default": ["affected"]},
    "report": {"type": "dict"},
    "choice": {"type": "dict"},
    "max_mb": {"type": "int", "default": 100},
    "max_nodes": {"type": "int", "default": 20},
    "seconds": {"type": "int", "default": 60},
    "timeout": {"type": "int", "default": 10},
    "environment_file": {"type": "path", "default": ""},
    "redact": {"type": "bool", "default": False},
    "redact_key": {"type": "str", "default": "", "no_log": True},
}


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no type hints
    """Write the archive from the variables of all hosts, or only see that it could be written."""

    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check, and write unless in check mode; nothing is connected to."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validated, arguments = self.validate_argument_spec(ARGUMENTS)
        hostvars = (task_vars or {}).get("hostvars", {})
        environment, problem = _environment(arguments["environment_file"])
        problem = problem or _why_not(arguments, hostvars)
        if problem:
            return {**result, "failed": True, "msg": problem}
        if self._task.check_mode:
            return {**result, "changed": True, "msg": f"The archive can be written into {arguments['directory']}."}
        if not arguments["report"] or not arguments["choice"]:
            return {**result, "failed": True, "msg": "To write the archive, give report and choice."}
        weak = keyed.why_weak(arguments["redact_key"]) if arguments["redact"] else ""
        if weak:
            Display().warning(weak)
        asked = index.Asked(arguments["nodes"], arguments["max_nodes"], arguments["max_mb"], arguments["redact"])
        wished = run.Wished(arguments["directory"], asked, environment, arguments["redact_key"])
        try:
            made = run.make(
                hostvars, arguments["hosts"], arguments["report"], _choice(arguments["choice"]), wished, __version__
            )
        except share.NotRedactedError as error:
            return {**result, "failed": True, "msg": str(error)}
        except OSError as error:
            why = error.strerror or error
            told = f"The archive cannot be written into {arguments['directory']}: {why}. Nothing of it is left there."
            return {**result, "failed": True, "msg": told}
        if made.problem:
            return {**result, "failed": True, "msg": made.problem}
        size = Path(made.path).stat().st_size
        return {**result, "changed": True, "path": made.path, "size": size, "lines": run.lines(made)}


def _why_not(arguments: dict[str, Any], hostvars: Any) -> str:
    """Return what is wrong with the arguments, in a sentence; '' if nothing is."""
    for name in ("max_mb", "max_nodes", "seconds", "timeout"):
        if arguments[name] < 1:
            return f"must_gather_{name} must be at least 1, not {arguments[name]}."
    absent = [host for host in arguments["hosts"] if host not in hostvars]
    if absent:
        return f"There is no host {', '.join(absent)} in the inventory."
    if not arguments["nodes"]:
        return "must_gather_nodes is empty; it must be affected, all, or names of hosts."
    unknown = choice.unknown(arguments["nodes"], arguments["hosts"])
    if unknown:
        return (
            f"must_gather_nodes names {', '.join(unknown)}, which is no host of the cluster; it must be affected, all, "
            "or names of hosts."
        )
    return archive.why_not(arguments["directory"], arguments["max_mb"])


def _choice(told: dict[str, Any]) -> choice.Choice:
    return choice.Choice(
        {name: plain.text(why) for name, why in plain.mapping(told.get("nodes")).items()},
        list(plain.texts(told.get("left_out"))),
        list(plain.texts(told.get("unreachable"))),
        plain.count(told.get("max_kb")),
    )


def _environment(path: str) -> tuple[str, str]:
    """Return the text of the operator's own file, and why it cannot be read ("" if it can, or there is none)."""
    if not path:
        return "", ""
    try:
        return Path(path).expanduser().read_text(encoding="utf-8", errors="replace"), ""
    except OSError as error:
        return "", f"The file {path}, to go into the archive as environment.yml, cannot be read: {error.strerror}."
