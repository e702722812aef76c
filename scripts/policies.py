# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policies under policies/ and their table in docs/prevention.md, written from the linter's rules.

python3 -m scripts.policies           write them
python3 -m scripts.policies --check   only tell whether they are what the rules say (exit status 1 if not)

Ids, texts and severities are the rules' own. What CEL and Rego have to ask stands in scripts/policy_sources/<rule>.yml:
`cel` has for each kind expressions that are true for a good object, `variables` what they share; `rego` fills the set
`broken` with what is wrong about `resource`, with data.lib.calico (lib.rego) as `calico`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ansible_collections.netmedic.calico.plugins.plugin_utils._lint.rules import BY_ID, RULES
from scripts import policy_forms
from scripts.console import complain, say
from scripts.paths import ROOT
from scripts.policy_sources import Source, library, sources

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ansible_collections.netmedic.calico.plugins.plugin_utils._lint.model import Rule

FOLDER = ROOT / "policies"
PAGE = ROOT / "docs" / "prevention.md"
BEGIN, END = "<!-- rules: begin -->", "<!-- rules: end -->"


def files() -> dict[Path, str]:
    """Every generated file, by its path."""
    found: dict[Path, str] = {FOLDER / "conftest" / "lib" / "calico.rego": policy_forms.conftest_library(library())}
    for one in sources():
        rule = BY_ID[one.rule]
        name = policy_forms.dashed(rule.id)
        found[FOLDER / "vap" / f"{name}.yaml"] = policy_forms.vap(rule, one)
        found[FOLDER / "kyverno" / f"{name}.yaml"] = policy_forms.kyverno(rule, one)
        found[FOLDER / "gatekeeper" / "templates" / f"{name}.yaml"] = policy_forms.template(rule, one, library())
        found[FOLDER / "gatekeeper" / "constraints" / f"{name}.yaml"] = policy_forms.constraint(rule, one)
        found[FOLDER / "conftest" / f"{rule.id}.rego"] = policy_forms.conftest(rule, one)
    return found


def table() -> str:
    """The rules as rows for people."""
    told = {one.rule: one for one in sources()}
    head = ["| rule | severity | what is wrong | lint | policies refuse it in |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *(_row(rule, told.get(rule.id)) for rule in RULES)])


def _row(rule: Rule, source: Source | None) -> str:
    kinds = ", ".join(source.cel) if source else "-"
    return f"| `{rule.id}` | {rule.severity} | {rule.title} | yes | {kinds} |"


def _with_table(page: str) -> str:
    before, _begin, rest = page.partition(BEGIN)
    _old, _end, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _differing() -> Iterator[tuple[Path, str | None]]:
    """What has to be written, or removed (None)."""
    wanted = files()
    wanted[PAGE] = _with_table(PAGE.read_text(encoding="utf-8"))
    for path, text in wanted.items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            yield path, text
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file() and path not in wanted:
            yield path, None


def main(arguments: list[str]) -> int:
    """Write, or with --check compare."""
    differing = list(_differing())
    if arguments == ["--check"]:
        for path, _text in differing:
            complain(f"{path.relative_to(ROOT)} is not what the rules say; `make docs` writes it")
        return bool(differing)
    for path, text in differing:
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    say(f"{len(differing)} file(s) of policies written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
