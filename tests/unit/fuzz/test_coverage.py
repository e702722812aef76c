# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No parser without a fuzz target: every function that takes a text or bytes is entered by some target's seeds."""

from __future__ import annotations

import ast
import itertools
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

from fuzz import enlarge, seeds
from fuzz.targets import TARGETS, Target
from scripts.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, FrameType
    from typing import Any

FOLDERS = ("module_utils", "plugin_utils")
MOST_SEEDS = 12
# First parameters of this name are ours, or come from where they were read as what they are: paths, names of things,
# words out of a text that was taken apart elsewhere. Whatever else is called otherwise counts as a text of others.
OURS = frozenset(
    (
        *("path", "name", "folder", "root", "proc_root", "net_folder", "directory", "place", "family", "kind", "part"),
        *(
            "backend",
            "program",
            "service",
            "device",
            "interface",
            "way",
            "hook",
            "table",
            "chain",
            "key",
            "word",
            "why",
        ),
        *("address", "peer", "destination", "host", "node", "prefix", "label", "what", "fault", "command", "question"),
        *("hostname", "group", "mark", "bird_version", "field", "module", "owner", "pid"),
    )
)
# What takes a text and reads nothing out of it: it writes, sends, imports, or decides about parts of what was read.
NOT_READERS = frozenset(
    (
        "module_utils/_address/autodetect.py:_of_length",
        "module_utils/_cluster/asking.py:change",
        "module_utils/_change/kind_ufw.py:_matches",
        "module_utils/_change/record.py:take",
        "module_utils/_cluster/asking.py:request",
        "module_utils/_cluster/asking.py:_sent",
        "module_utils/_cluster/client.py:request",
        "module_utils/_cluster/kubectl.py:request",
        "module_utils/_firewall/after_boot.py:made_again",
        "module_utils/_firewall/counterfactual.py:turned",
        "module_utils/_firewall/owners.py:part_of",
        "module_utils/_firewall/owners.py:_is_closing",
        "module_utils/_firewall/packet_classes.py:_fitting",
        "module_utils/_firewall/packet_classes.py:_cut",
        "module_utils/_firewall/packet_classes.py:values",
        "module_utils/_firewall/persistence.py:matching",
        "module_utils/_firewall/persistence.py:named",
        "module_utils/_payload.py:get_filename",
        "module_utils/_inet.py:is_address",
        "module_utils/_preflight/agent.py:_take",
        "module_utils/_preflight/ears.py:__init__",
        "module_utils/_probe/sockets.py:_zone_number",
        "module_utils/_probe/transport.py:udp6",
        "module_utils/_probe/wire.py:checksum",
        "plugin_utils/_address/methods.py:evaluate",
        "plugin_utils/_bundle/evidence.py:_moment",
        "plugin_utils/_bundle/write.py:_write",
        "plugin_utils/_cure/model.py:refuse",
        "plugin_utils/_cure/own_firewall_rules.py:inside",
        "plugin_utils/_gather/choice.py:_numbers",
        "plugin_utils/_gather/contents.py:_packed",
        "plugin_utils/_gather/run.py:_versions",
        "plugin_utils/_texts/node_told.py:holder",
        "plugin_utils/_texts/probes.py:write",
        "plugin_utils/_texts/told_files.py:_write",
        "plugin_utils/_texts/tried_connect.py:_form",
    )
)
# They decide and print; what they are given, the target "evidence" has been through.
_DECIDES = ("plugin_utils/_catalogue/", "plugin_utils/_render/", "plugin_utils/_analysis/", "plugin_utils/_evidence/")


class Function(NamedTuple):
    """A function of the project: file below plugins/, name, and the line where its code begins."""

    path: str
    name: str
    line: int


def takes_texts() -> Iterator[Function]:
    """Every function, and every class by its __init__, whose first parameter is a text or bytes."""
    for path in sorted(itertools.chain(*((ROOT / "plugins" / folder).rglob("*.py") for folder in FOLDERS))):
        shown = path.relative_to(ROOT / "plugins").as_posix()
        if not shown.startswith(_DECIDES):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for one in ast.walk(tree):
                if isinstance(one, ast.FunctionDef) and _of_text(one):
                    first = min([one.lineno, *(decorator.lineno for decorator in one.decorator_list)])
                    yield Function(shown, one.name, first)


def _of_text(one: ast.FunctionDef) -> bool:
    parameters = [parameter for parameter in one.args.args if parameter.arg not in ("self", "cls")]
    if not parameters or parameters[0].annotation is None or parameters[0].arg in OURS:
        return False
    kinds = {word.strip() for word in ast.unparse(parameters[0].annotation).strip("'\"").split("|")}
    return bool(kinds & {"str", "bytes", "bytearray"})


def entered(target: Target) -> set[tuple[str, str, int]]:
    """The functions of the project that a target comes through with its seeds."""
    found: set[CodeType] = set()

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call":
            found.add(frame.f_code)

    every = [b"", *seeds.of(target)]
    some = every[:: max(len(every) // MOST_SEEDS, 1)]
    for data in (*some, *enlarge.fillers(40)):
        sys.setprofile(note)
        try:
            target.read(data)
        except target.allowed:
            pass
        finally:
            sys.setprofile(None)
    marker = "/netmedic/calico/plugins/"
    return {
        (code.co_filename.partition(marker)[2], code.co_name, code.co_firstlineno)
        for code in found
        if marker in code.co_filename
    }


def test_every_reader_of_a_text_is_entered_by_a_target():
    seen = set().union(*(entered(target) for target in TARGETS))
    missing = [
        f"{one.path}:{one.name}"
        for one in takes_texts()
        if tuple(one) not in seen and f"{one.path}:{one.name}" not in NOT_READERS
    ]
    assert not missing, "These take a text and no target of fuzz/targets.py comes to them: " + ", ".join(missing)


@pytest.mark.parametrize(
    ("source", "is_one"),
    [
        ("def parse(text: str) -> int: ...", True),
        ("def parse(self, blob: bytes | None) -> int: ...", True),
        ("def read(path: str) -> int: ...", False),
        ("def count(number: int, text: str) -> int: ...", False),
    ],
)
def test_what_counts_as_a_reader(source, is_one):
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    assert _of_text(function) is is_one
