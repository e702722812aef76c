# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inputs to begin from: what real programs said, as the unit tests have it recorded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fuzz.targets import BYTES
from scripts.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fuzz.targets import Target

TESTS = ROOT / "tests" / "unit"
REGRESSIONS = TESTS / "fuzz" / "regressions"
LARGEST = 64 * 1024
_MOST = 200

# Under which names the parts of a recorded node lie in a bundle.
_BIRD_TEXTS = {
    "status.raw": "birdcl-status.txt",
    "protocols.raw": "birdcl-protocols.txt",
    "config/bird.cfg": "bird.cfg",
}
_OTHER_TEXTS = {
    "_firewall/recorded/calico_nft.txt": "iptables-save.txt",
    "_firewall/recorded/calico.ipset": "ipset.txt",
    "_firewall/recorded/native_host_firewall.json": "nft-ruleset.json",
    "_clock/recorded/chrony-synchronised.txt": "chronyc-tracking.txt",
    "_host/recorded/mixed.tcp": "proc-net-tcp.txt",
    "_host/recorded/md5_listener.netstat": "netstat.txt",
    "_host/recorded/netlink/ip-addr.json": "ip-addr.txt",
    "_host/recorded/netlink/ip-route-get.json": "ip-route.txt",
    "_bird/recorded/logs/mixed.current": "bird.log",
}


def of(target: Target) -> list[bytes]:
    """The seeds of a target: recorded files, and inputs that once broke it."""
    found = [*(titled() if target.name in TITLED else ()), *_recorded(target), *regressions(target)]
    return list(dict.fromkeys(one[:LARGEST] for one in found))[:_MOST]


def regressions(target: Target) -> list[bytes]:
    """Inputs that once broke a target."""
    return [path.read_bytes() for path in regression_files(target)]


def regression_files(target: Target) -> list[Path]:
    """Files with inputs that once broke a target."""
    return sorted(path for path in (REGRESSIONS / target.name).glob("*") if path.is_file())


def _recorded(target: Target) -> Iterator[bytes]:
    for pattern in target.seeds:
        for path in sorted(TESTS.glob(pattern)):
            if not path.is_file() or path.name in {"SOURCE", "__init__.py"} or REGRESSIONS in path.parents:
                continue
            if target.form == BYTES and path.suffix == ".txt":
                yield from _hexadecimal(path)
            else:
                yield path.read_bytes()


def _hexadecimal(path: Path) -> Iterator[bytes]:
    """Binary messages are recorded as hexadecimal digits, one a line, after a word that names them."""
    for line in path.read_text(encoding="utf-8").splitlines():
        digits = line.rpartition(" ")[2]
        try:
            yield bytes.fromhex(digits)
        except ValueError:
            continue


def titled() -> Iterator[bytes]:
    """Whole nodes, each in one input: "==> name <==" begins each text."""
    plugins = TESTS / "plugins" / "module_utils"
    others = {name: plugins / path for path, name in _OTHER_TEXTS.items()}
    for folder in sorted((plugins / "_bird" / "recorded").iterdir()):
        paths = {name: folder / file for file, name in _BIRD_TEXTS.items()} | others
        texts = {name: path.read_text(encoding="utf-8") for name, path in paths.items() if path.is_file()}
        texts["raw-node.txt"] = _TOLD
        if "birdcl-status.txt" in texts:
            yield "".join(f"==> {name} <==\n{text.rstrip()}\n" for name, text in texts.items()).encode()
    first = next(iter(sorted((TESTS / "cases").glob("*/node-1.json"))), None)
    if first is not None:
        facts = json.dumps(json.loads(first.read_text(encoding="utf-8")))
        yield f"==> nodes/node-1/facts.json <==\n{facts}\n==> loose.txt <==\nBIRD 1.6.8\n".encode()


TITLED = {"texts_of_a_node", "bundle"}
_TOLD = (
    "# netmedic.calico raw-node 1\nroot\tyes\nhostname\tnode-1\nuptime\t100.5\nbegan\t1800000000\nended\t1800000001\n"
)
