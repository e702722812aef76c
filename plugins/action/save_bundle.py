# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin save_bundle: what the nodes told, as an evidence bundle on the controller."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, write
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import cluster
from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction import keyed, share
from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction.redactor import Redactor


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no type hints
    """Write a bundle on the controller from the variables of all hosts."""

    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Write the bundle, unless in check mode; nothing is connected to."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validated, arguments = self.validate_argument_spec(
            {
                "directory": {"type": "path", "required": True},
                "hosts": {"type": "list", "elements": "str", "required": True},
                "environment_file": {"type": "path", "default": ""},
                "redact": {"type": "bool", "default": False},
                "redact_key": {"type": "str", "default": "", "no_log": True},
            }
        )
        hostvars = (task_vars or {}).get("hostvars", {})
        unknown = [host for host in arguments["hosts"] if host not in hostvars]
        if unknown:
            return {**result, "failed": True, "msg": f"There is no host {', '.join(unknown)} in the inventory."}
        environment, problem = self._environment(arguments["environment_file"])
        if problem:
            return {**result, "failed": True, "msg": problem}
        nodes = evidence.saw(hostvars, arguments["hosts"])
        where = arguments["directory"]
        written_at = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        besides = write.Written(written_at, environment, cluster.fact_of(hostvars, arguments["hosts"]))
        try:
            if self._task.check_mode:
                write.replaceable(Path(where).expanduser())
            elif arguments["redact"]:
                weak = keyed.why_weak(arguments["redact_key"])
                if weak:
                    result["warnings"] = [*result.get("warnings", ()), weak]
                self._write_redacted(where, dict(write.files(nodes, besides)), arguments["redact_key"])
            else:
                write.write(where, nodes, besides)
        except share.NotRedactedError as error:
            return self._not_written(result, str(error))
        except OSError as error:
            why = error.strerror or error
            return self._not_written(result, f"The bundle cannot be written as {where}: {why}.")
        told = sorted(name for name, saw in nodes.items() if saw.facts)
        return {**result, "changed": True, "path": where, "nodes": told}

    @staticmethod
    def _not_written(result: dict[str, Any], why: str) -> dict[str, Any]:
        """Fail, and warn as well: a caller who goes on without the bundle is still told why there is none."""
        return {**result, "failed": True, "msg": why, "warnings": [*result.get("warnings", ()), why]}

    @staticmethod
    def _write_redacted(where: str, texts: dict[str, str], key: str) -> None:
        made = Redactor(key or keyed.random_key()).texts(texts)
        share.refuse(made.leaks)
        write.put(where, sorted(made.texts.items()))

    @staticmethod
    def _environment(path: str) -> tuple[str, str]:
        """Return the text of the operator's own file, and why it cannot be read ("" if it can, or there is none)."""
        if not path:
            return "", ""
        try:
            return Path(path).expanduser().read_text(encoding="utf-8", errors="replace"), ""
        except OSError as error:
            return "", f"The file {path}, to go into the bundle as environment.yml, cannot be read: {error.strerror}."
