# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of the action plugin node_facts on nodes without a usable Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ...module_utils._facts import options
from .._evidence import clock, refused
from .._texts import node
from . import script

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NO_PROGRAM = (126, 127)
_SAYS = re.compile(
    r"interpreter .{0,200}not found|python[\d.]*'?: (?:command )?not found|python[\d.]*'?: no such file"
    r"|python[\d.]*'?: permission denied|requires a minimum of python|future feature annotations is not defined"
    r"|SyntaxError: |no python interpreters? found|discover.{0,40}interpreter",
    re.IGNORECASE,
)
_LONGEST_WORDS = 300


def lacks_python(result: Mapping[str, Any]) -> bool:
    """Say whether a module failed because the node has no Python, or one that is too old for the module or Ansible."""
    if result.get("unreachable") or not result.get("failed"):
        return False
    # What cannot become root cannot run a shell script as root either.
    if refused.privileges(result):
        return False
    if result.get("rc") in _NO_PROGRAM:
        return True
    told = " ".join(str(result.get(key) or "") for key in ("msg", "module_stderr", "module_stdout", "exception"))
    return _SAYS.search(told) is not None


def argument_spec() -> dict[str, dict[str, Any]]:
    """Return the options of the module, which cannot check them itself."""
    return options.spec(*options.OPTIONS)


def texts(params: dict[str, Any], execute: Callable[[str], Mapping[str, Any]]) -> tuple[dict[str, str], str]:
    """Return what the script prints on a node whose facts are known already, and what went wrong ('' if nothing did).

    No packet is sent to other nodes for it.
    """
    mark = script.new_mark()
    answer = execute(script.command({**params, "probe": False}, mark))
    output = script.cut(str(answer.get("stdout") or ""), mark, params)
    if output.complete:
        return output.texts, ""
    said = " ".join(str(answer.get("stderr") or "").split())[:_LONGEST_WORDS]
    return output.texts, f"The node's shell did not come to the end of the script that reads texts. {said}".strip()


def _said(answer: Mapping[str, Any], mark: str) -> str:
    """Return what kept the script from its end: where sudo was given a terminal, that is on standard output."""
    printed = str(answer.get("stdout") or "")
    return str(answer.get("stderr") or "") or ("" if mark in printed else printed)


def read(
    result: Mapping[str, Any], params: dict[str, Any], execute: Callable[[str], Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the task's result: facts from what the script prints, or why that did not go either.

    `execute` runs one command on the node, with become, and returns what it printed as stdout.
    """
    problem = options.out_of_range(params)
    if problem:
        return {"failed": True, "changed": False, "msg": problem}
    mark = script.new_mark()
    question = clock.Question()
    answer = execute(script.command(params, mark))
    asked = question.answered()
    output = script.cut(str(answer.get("stdout") or ""), mark, params)
    if not output.complete:
        said = " ".join(_said(answer, mark).split())[:_LONGEST_WORDS]
        why = f"The node has no usable Python, and its shell did not come to the end of the script. {said}".strip()
        return {**result, "failed": True, "changed": False, "msg": f"{why} The module: {result.get('msg', '')}"}
    facts = node.facts(output.texts, "", log_window=float(params["log_window"]))
    # Some shells know whole seconds only: the pass may have begun up to one later than it says.
    whole = float(facts["calico_node"].get("taken_at_epoch", 0.5)).is_integer()
    found = clock.offset(facts, asked[0] - whole, asked[1]) if asked else None
    if found is not None:
        facts["calico_chrony"]["offset_to_controller_seconds"] = found[0]
        facts["calico_chrony"]["offset_to_controller_error_seconds"] = found[1]
    return {
        "changed": False,
        "ansible_facts": facts,
        "texts": output.texts,
        "read_without_python": True,
        "_ansible_verbose_override": True,
    }
