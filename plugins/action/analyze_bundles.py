# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin analyze_bundles: a report on each of several evidence bundles, on the controller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.failure import failure
from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.wishes import Wishes, wishes_of
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import offline
from ansible_collections.netmedic.calico.plugins.plugin_utils._render import bundles, files, formats, terminal

ARGUMENTS = {
    "bundles": {"type": "list", "elements": "path", "required": True},
    "directory": {"type": "path", "default": ""},
    "formats": {"type": "list", "elements": "str", "choices": list(formats.FILES), "default": ["json"]},
    "width": {"type": "int", "default": terminal.WIDTH},
    "fail_on": {"type": "str", "choices": ["info", "minor", "major", "critical", "never"], "default": "major"},
    "incomplete": {"type": "bool", "default": False},
    "checks": {"type": "list", "elements": "dict", "default": []},
    "waivers": {"type": "list", "elements": "dict", "default": []},
}


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no type hints
    """Analyse bundles one after the other: what is wrong with one of them is told in its report, and only there."""

    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read, print and write; nothing is connected to."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validated, arguments = self.validate_argument_spec(ARGUMENTS)
        paths = [path for path in arguments["bundles"] if path]
        if not paths:
            return {**result, "failed": True, "msg": "There is no bundle to analyse: analyze_bundles names none."}
        try:
            wishes_of(arguments["checks"], arguments["waivers"], "")
        except ValueError as error:
            return {**result, "failed": True, "msg": f"{error}."}
        told = [self._one(path, name, arguments) for path, name in zip(paths, offline.names(paths), strict=True)]
        Display().display("\n" + "\n".join(bundles.table(told, arguments["width"])) + "\n")
        return {
            **result,
            "changed": any(one["changed"] for one in told),
            "bundles": told,
            "failure": bundles.failure(told),
        }

    def _one(self, path: str, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return what the table tells of one bundle, after its report is printed and written."""
        try:
            found = offline.analysed(path, self._wishes(name, arguments))
        except Exception as error:  # noqa: BLE001  (one bundle must not cost the others their reports)
            found = offline.broken(path, error)
        lines = terminal.lines(found.report, max(arguments["width"], terminal.NARROWEST))
        Display().display("\n" + "\n".join([*bundles.heading(name, path), "", *lines]))
        row = bundles.row(name, path, found.report)
        row["failure"] = failure(found.report, arguments["fail_on"], arguments["incomplete"])
        row["changed"] = False
        if arguments["directory"]:
            self._write(row, found, Path(arguments["directory"]) / name, arguments)
        return row

    @staticmethod
    def _wishes(name: str, arguments: dict[str, Any]) -> Wishes:
        """Return what the user adds to the diagnosis; each bundle follows its own earlier report."""
        earlier = Path(arguments["directory"]) / name if arguments["directory"] else ""
        return wishes_of(arguments["checks"], arguments["waivers"], str(earlier))

    def _write(self, row: dict[str, Any], found: offline.Analysed, folder: Path, arguments: dict[str, Any]) -> None:
        wanted = formats.Wanted(arguments["fail_on"], arguments["incomplete"], arguments["width"])
        write = not self._task.check_mode
        try:
            saved = files.save_report(found.report, str(folder), arguments["formats"], wanted, write=write)
            patched = files.save_patches(found.patches, str(folder), write=write)
            row["changed"] = saved.changed or patched
            if saved.paths:
                row["report"] = str(saved.paths[0])
            if saved.problem:
                row["failure"] = f"{saved.problem}."
        except OSError as error:
            row["failure"] = f"The report cannot be written into {folder}: {error.strerror or error}."
