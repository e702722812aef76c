# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a command of our pages, without running it: programs, playbooks, options, variables and their
values, make's targets, files. Those of Ansible are read by Ansible's own parsers."""

from __future__ import annotations

import contextlib
import io
import itertools
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from bench.__main__ import MEASUREMENTS
from scripts import doc_playbooks
from scripts.check import BY_NAME
from scripts.doc_elsewhere import ELSEWHERE, EXAMPLES
from scripts.make_variables import KNOWN
from scripts.paths import NAME, NAMESPACE, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_TARGET = re.compile(r"^([a-z-]+):.*## ", re.MULTILINE)
_VARIABLE = re.compile(r"\$\((?:or )?\$?\(?([A-Z_]+)\)")
_SETTING = re.compile(r"(?P<name>[A-Z_]+)=(?P<value>.*)", re.DOTALL)
_OWN = f"{NAMESPACE}.{NAME}."
_SHELL = frozenset(("&&", "|", ";", ">"))


def complaints(text: str) -> list[str]:
    """A sentence for each mistake in a line of shell."""
    try:
        parts = list(_parts(text))
    except ValueError as error:
        return [f"a shell cannot read it: {error}"]
    return [wrong for part in parts for wrong in _of_one(part)]


def elsewhere(words: Sequence[str]) -> tuple[str, ...]:
    """The beginning of a command by which doc_elsewhere names it; () if it does not."""
    return next((named for named in ELSEWHERE if tuple(words[: len(named)]) == named), ())


def simple_commands(text: str) -> list[list[str]]:
    """The words of each simple command of a line."""
    return list(_parts(text))


def _parts(text: str) -> Iterator[list[str]]:
    """The simple commands of a line, without the variables set before them and where their output goes."""
    words: list[str] = []
    for word in [*shlex.split(text, comments=True), ";"]:
        if word in _SHELL:
            if words:
                yield words
            words = ["to-file"] if word == ">" else []
        elif words or not _SETTING.fullmatch(word):
            words.append(word)


def _of_one(words: list[str]) -> list[str]:
    if words[0] in ("to-file", "cd") or elsewhere(words):
        return []
    rule = RULES.get(words[0].removeprefix(".venv/bin/"))
    if rule is None:
        return [f"{words[0]} is a program that no rule knows; it goes into scripts/doc_rules.py or doc_elsewhere.py"]
    # What Ansible's parsers complain of they print, and exit.
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return rule(words[1:])
    except SystemExit:
        return [said.getvalue().strip().rpartition("\n")[2]]


def _make(words: list[str]) -> list[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets, variables = _TARGET.findall(makefile), {*KNOWN, *_VARIABLE.findall(makefile)}
    wrong = []
    for word in words:
        setting = _SETTING.fullmatch(word)
        if setting is None and word not in targets:
            wrong.append(f"make has no target {word}")
        elif setting and setting["name"] not in variables:
            wrong.append(f"make has no variable {setting['name']}")
        elif setting and setting["name"] in ("BUNDLE", "INVENTORY") and setting["value"] not in EXAMPLES:
            wrong.append(f"{setting['value']} is no file that doc_elsewhere.EXAMPLES names")
        elif setting and setting["name"] == "FAULT":
            wrong += [] if _is_fault(setting["value"]) else [f"there is no fault {setting['value']}"]
    return wrong


def _is_fault(name: str) -> bool:
    return (ROOT / "docs" / "faults" / f"{name}.md").is_file()


def _python(words: list[str]) -> list[str]:
    if words[:1] != ["-m"] or len(words) == 1:
        return ["python is called without -m"]
    module, *arguments = words[1:]
    place = ROOT.joinpath(*module.split("."))
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    if not all(path.is_file() for path in files) or not files:
        return [f"there is no module {module}"]
    source = "".join(path.read_text(encoding="utf-8") for path in files)
    names = [one.strip("[]") for one in arguments]
    options = {one for one in names if one.startswith("--") and one != "--help"}
    wrong = [f"{module} has no option {one}" for one in sorted(options) if f'"{one}"' not in source]
    plain = [one for one in names if not one.startswith("-")]
    if module == "scripts.check":
        wrong += [f"there is no check and no file {one}" for one in plain if not _is_check_or_file(one)]
    if module == "bench":
        wrong += [f"there is no measurement {one}" for one in plain if one not in MEASUREMENTS]
    if module == "lab":
        wrong += [f"lab has no command {one}" for one in plain[:1] if f'"{one}"' not in source]
    return wrong


def _is_check_or_file(word: str) -> bool:
    targets = ROOT / "tests" / "integration" / "targets"
    return word in BY_NAME or any((root / word).exists() for root in (ROOT, targets, ROOT / "molecule"))


def _documentation(words: list[str]) -> list[str]:
    kind = words[1] if words[:1] == ["-t"] else "module"
    names = words[2:] if words[:1] == ["-t"] else words
    place = {"module": "plugins/modules/{}.py", "role": "roles/{}/meta"}.get(kind, f"plugins/{kind}/{{}}.py")
    return [
        f"there is no {kind} {name}"
        for name in names
        if not name.startswith(_OWN) or not (ROOT / place.format(name.removeprefix(_OWN))).exists()
    ]


def _kubectl(words: list[str]) -> list[str]:
    files = [after for option, after in itertools.pairwise(words) if option == "-f"]
    if words[:2] != ["apply", "-f"]:  # alone it stands before words about what is applied
        return ["kubectl does something that doc_elsewhere.py does not name"]
    return [f"there is no {path} in the collection" for path in files if not (ROOT / path).exists()]


def _conftest(words: list[str]) -> list[str]:
    folder = words[words.index("--policy") + 1]
    return [] if Path(ROOT / folder).is_dir() else [f"there is no {folder} in the collection"]


RULES: dict[str, Callable[[list[str]], list[str]]] = {
    "ansible": doc_playbooks.of_adhoc,
    "ansible-doc": _documentation,
    "ansible-playbook": doc_playbooks.of_playbook,
    "conftest": _conftest,
    "kubectl": _kubectl,
    "make": _make,
    "python": _python,
}
