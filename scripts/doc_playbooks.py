# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a call of ansible or ansible-playbook in our pages: read by Ansible's own parser, variables judged
by the roles' specifications, as the playbooks do it themselves."""

from __future__ import annotations

import functools
import os
import re
from typing import TYPE_CHECKING, Any

import yaml

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import role_options
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.variables import complaints
from scripts.doc_elsewhere import EXAMPLES
from scripts.paths import NAME, NAMESPACE, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_OWN = f"{NAMESPACE}.{NAME}."
_ROLE = re.compile(rf"{re.escape(_OWN)}(\w+)")
_LISTED = re.compile(r"^\s+roles: \[(.*)\]$", re.MULTILINE)
# A variable that the playbook, or a role of it, reads from elsewhere.
_READ = re.compile(r"\b([a-z]\w+) \| default\(")


def of_adhoc(words: list[str]) -> list[str]:
    """Mistakes in a call of ansible."""
    from ansible.cli.adhoc import AdHocCLI

    told = _parsed(AdHocCLI, "ansible", words)
    module = str(told.module_name)
    path = ROOT / "plugins" / "modules" / f"{module.removeprefix(_OWN)}.py"
    wrong = (
        []
        if module == "ping" or module.startswith("ansible.builtin.") or path.is_file()
        else [f"there is no module {module}"]
    )
    return [*wrong, *_of_inventories(told.inventory)]


def of_playbook(words: list[str]) -> list[str]:
    """Mistakes in a call of ansible-playbook."""
    from ansible.cli.playbook import PlaybookCLI

    told = _parsed(PlaybookCLI, "ansible-playbook", words)
    wrong = _of_inventories(told.inventory)
    for playbook in told.args:
        path = ROOT / "playbooks" / f"{playbook.removeprefix(_OWN)}.yml"
        if not playbook.startswith(_OWN) or not path.is_file():
            wrong.append(f"there is no playbook {playbook}")
        else:
            wrong += _of_variables(path.read_text(encoding="utf-8"), told.extra_vars or [])
    return wrong


def _parsed(face: Any, program: str, words: list[str]) -> Any:
    """The arguments as the program reads them; SystemExit, with its words on standard error, where it would not."""
    cli = face([program, *words])
    cli.init_parser()
    known = cli.parser._option_string_actions  # abbreviations of options work, and are bad examples
    short = [word for word in words if word.startswith("--") and word.partition("=")[0] not in known]
    if short:
        cli.parser.error(f"there is no option {short[0]}")
    return cli.parser.parse_args(words)


def _of_inventories(given: Iterable[str] | None) -> list[str]:
    told = [one for one in given or () if not one.startswith("$(")]  # what another command prints
    return [f"the inventory {one} is none of doc_elsewhere.EXAMPLES" for one in told if one not in EXAMPLES]


def _of_variables(playbook: str, given: Iterable[str]) -> list[str]:
    roles = _roles(playbook)
    options = {name: spec for role in roles for name, spec in _specification(role).items()}
    read = {name for text in (playbook, *map(_texts, roles)) for name in _READ.findall(text)}
    wrong = []
    for text in given:
        if text.startswith("@"):
            name = os.path.relpath(text[1:])  # the parser makes it absolute
            wrong += [] if name in EXAMPLES else [f"{name} is none of doc_elsewhere.EXAMPLES"]
            continue
        values = _values(text)
        wrong += [f"nothing reads the variable {name}" for name in values if name not in options.keys() | read]
        known = {name: spec for name, spec in options.items() if name in values}
        wrong += complaints(known, values, _fits)
        wrong += [sentence for name, spec in known.items() for sentence in _of_files(name, spec, values[name])]
    return wrong


def _values(text: str) -> Mapping[str, Any]:
    """What one -e sets."""
    from ansible.parsing.splitter import parse_kv

    told = yaml.safe_load(text) if text[:1] in "{[" else parse_kv(text)
    return told if isinstance(told, dict) else {}


def _of_files(name: str, spec: Mapping[str, Any], value: Any) -> Iterator[str]:
    """What a variable names to be read must be there, or be one of the examples."""
    if name.endswith("_dir") or "path" not in (spec.get("type"), spec.get("elements")):
        return
    for one in value if isinstance(value, list) else str(value).split(","):
        if one not in EXAMPLES and not (ROOT / one).exists():
            yield f"{name}: {one} is neither in the checkout nor one of doc_elsewhere.EXAMPLES"


def _roles(playbook: str) -> set[str]:
    """The roles that a playbook calls or checks the variables of, and those that these call."""
    named = {one.strip() for listed in _LISTED.findall(playbook) for one in listed.split(",")}
    found: set[str] = set()
    waiting = named | set(_ROLE.findall(playbook))
    while waiting:
        role = waiting.pop()
        if role in found or not (ROOT / "roles" / role).is_dir():
            continue
        found.add(role)
        waiting |= set(_ROLE.findall(_texts(role)))
    return found


@functools.cache
def _specification(role: str) -> dict[str, Any]:
    return role_options.of_role(role)


@functools.cache
def _texts(role: str) -> str:
    """A role's tasks and defaults."""
    folder = ROOT / "roles" / role
    paths = [*(folder / "tasks").rglob("*.yml"), *(folder / "defaults").glob("*.yml")]
    return "".join(path.read_text(encoding="utf-8") for path in paths)


def _fits(spec: Mapping[str, Any], value: Any) -> bool:
    """As the action plugin check_variables has it."""
    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

    told = {key: one for key, one in spec.items() if key != "description"}
    return not ArgumentSpecValidator({"value": told}).validate({"value": value}).error_messages
