# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded outputs of programs, and what the parsers must read in them.

texts/<kind>/<variant>/ has the output (input.txt), where it is from (SOURCE), and the value and problems
(expected.json). After a change that is meant, `UPDATE_TEXTS=1 pytest tests/unit/test_texts.py` writes expected.json
anew: read the difference.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import kinds
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts.recognise import recognise

FOLDER = Path(__file__).parent / "texts"
CASES = sorted(path.parent for path in FOLDER.glob("*/*/input.txt"))
FAMILIES = {"ip-link": {"ip-link", "ip-addr"}, "chronyc-sources": {"chronyc-sources", "chronyc-tracking"}}


def read(folder):
    with (folder / "input.txt").open(encoding="utf-8", newline="") as file:
        return file.read()


def assert_has(found, expected):
    """That all which is expected is there and the same. A record may have got further fields meanwhile."""
    if isinstance(expected, dict):
        assert isinstance(found, dict)
        assert expected.keys() <= found.keys()
        for name, value in expected.items():
            assert_has(found[name], value)
    elif isinstance(expected, list):
        assert isinstance(found, list)
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_has(one, other)
    else:
        assert found == expected


def names(folder):
    return f"{folder.parent.name}-{folder.name}"


@pytest.mark.parametrize("folder", CASES, ids=names)
def test_a_recorded_output_is_read_as_expected(folder):
    _kind, parsed = kinds.parse(read(folder), folder.parent.name)
    found = {
        "value": kinds.plain(parsed.value, kind=folder.parent.name),
        "problems": [[problem.line, problem.text, problem.why] for problem in parsed.problems],
    }
    file = folder / "expected.json"
    if os.environ.get("UPDATE_TEXTS"):
        file.write_text(json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    assert_has(json.loads(json.dumps(found)), json.loads(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("folder", CASES, ids=names)
def test_a_recorded_output_says_where_it_is_from(folder):
    source = (folder / "SOURCE").read_text(encoding="utf-8")
    assert len(source) > 40


@pytest.mark.parametrize("folder", CASES, ids=names)
def test_a_recorded_output_is_recognised_by_its_content(folder):
    kind = folder.parent.name
    text = read(folder)
    assert recognise(text, "misleading.log") in FAMILIES.get(kind, {kind})


@pytest.mark.parametrize("folder", CASES, ids=names)
def test_a_pasted_output_is_recognised_and_read_alike(folder):
    kind = folder.parent.name
    text = read(folder)
    if text.lstrip()[:1] in "{[" or kind in ("log", "bird.cfg"):
        return  # what stands in front of a line is a part of a log
    pasted = "\ufeff```\r\n\x1b[1mroot@node-1:~#\x1b[0m run\r\n" + "".join(
        f"    \x1b[32m{line}\x1b[0m\r\n" if line else "\r\n" for line in text.split("\n")
    ) + "```\r\n"  # fmt: skip
    assert recognise(pasted) == recognise(text)
    assert kinds.plain(kinds.parse(pasted, kind)[1].value, kind=kind) == kinds.plain(
        kinds.parse(text, kind)[1].value, kind=kind
    )


def test_every_parser_has_a_recorded_output():
    assert {path.parent.name for path in CASES} >= {
        kind for kind, name in kinds.PARSERS.items() if kind not in UNRECORDED and not name.startswith("firewall")
    }


# No program of these could be run here, and no public output of theirs has a source that can be named.
UNRECORDED = {
    "modules",
    "tigerastatus",
    "calicoctl-get-nodes",
    "calicoctl-get-ippools",
    "calicoctl-ipam-show",
    "systemctl-status",
    "daemonsets",
    "probes",
    "networkctl",
    "network-unit",
    "nmcli",
}
