# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin check_variables: what is wrong with the variables of roles, a sentence each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..filter import (
    cached,
    classify,
    collected,
    cure,
    failure,
    gather_choice,
    ignored,
    ledger,
    outcome,
    parse_text,
    plan,
    preflight,
    redact,
    report,
    working,
    worse,
)
from ..plugin_utils._analysis.wishes import doubts
from ..plugin_utils._evidence import chosen_tags, misspelt, role_options
from ..plugin_utils._evidence.variables import complaints
from ..plugin_utils._render import places
from ..plugin_utils._render.formats import FILES

if TYPE_CHECKING:
    from collections.abc import Mapping

# Ansible loads this file, which all playbooks need first, in the process from which those of all later tasks come. It
# reads a collection's filters one after the other until it has found the one it wants, which takes each process
# a second unless they are there already.
_IN_MEMORY = (
    *(cached, classify, collected, cure, failure, gather_choice, ignored, ledger, outcome, parse_text, plan, preflight),
    *(redact, report, working, worse),
)


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no type hints
    """Check the variables of roles of this collection; ansible.builtin.validate_argument_spec prints their
    specifications with a mistake, and only those of the first role that has one."""

    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check all roles; nothing is connected to and nothing changes."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validated, arguments = self.validate_argument_spec(
            {"roles": {"type": "list", "elements": "str", "required": True}}
        )
        left_out = chosen_tags.complaint((task_vars or {}).get("ansible_run_tags") or (), self._task.tags)
        mistakes = [left_out] if left_out else []
        warnings = misspelt.warnings(task_vars or {})
        for role in arguments["roles"]:
            options = role_options.of_role(role)
            named = {name: value for name, value in (task_vars or {}).items() if name in options}
            given = {name: self._templar.template(value) for name, value in named.items()}
            wrong = complaints(options, given, _fits)
            mistakes += wrong
            mistakes += [] if wrong else _unwritable(given)
            if not wrong:
                self._wishes(given.get(f"{role}_checks"), given.get(f"{role}_waivers"), mistakes, warnings)
        for sentence in warnings:
            Display().warning(sentence)
        result["changed"] = False
        if mistakes:
            result.update(failed=True, msg="\n".join(mistakes))
        return result

    @staticmethod
    def _wishes(checks: Any, waivers: Any, mistakes: list[str], warnings: list[str]) -> None:
        """What only reading them tells of a user's own checks and waivers."""
        try:
            warnings += doubts(checks, waivers)
        except ValueError as error:
            mistakes.append(f"{error}.")


def _unwritable(given: Mapping[str, Any]) -> list[str]:
    """That no report can be written, if that is so: told after the diagnosis, it would have cost the diagnosis."""
    where, forms = given.get("report_dir"), given.get("report_formats") or ["json", "html"]
    if not where:
        return []
    forms = forms.split(",") if isinstance(forms, str) else forms
    place = os.path.expandvars(str(where))
    why = places.why_not(place, [FILES[form.strip()] for form in forms if form.strip() in FILES])
    return [f"report_dir is {where}, and no report can be written there: {why}."] if why else []


def _fits(spec: Mapping[str, Any], value: Any) -> bool:
    told = {key: one for key, one in spec.items() if key != "description"}
    return not ArgumentSpecValidator({"value": told}).validate({"value": value}).error_messages
