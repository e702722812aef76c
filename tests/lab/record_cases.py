# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record what the nodes of the lab say in every fault, as cases under tests/unit/cases.

    python -m tests.lab.record_cases [FAULT …]      from the repository's root, as root

Each case is a folder: the facts of every node that could be read as the module returned them, the inventory's
addresses, what should come out, and SOURCE. Run it again when the facts change their shape.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab import Lab
from lab.faults.registry import FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT / "tests" / "unit" / "cases"
ANSIBLE = ROOT / ".venv" / "bin" / "ansible"
STATE = "/run/netmedic-lab-recording"
# Where the lab names another node than the one at fault; see test_faults.py.
AT_FAULT = {("stale_node_in_mesh", "registered"): "10.200.0.200", ("as_mismatch", "peer"): "node-4"}

# Where there is no BIRD by design, that is what a healthy cluster is told of.
HEALTHY = ({"fault": None, "node": None}, {"fault": "bird_not_expected", "node": "node-1"})


def ask(lab: Lab) -> dict[str, Any]:
    """The facts of every node that could be read."""
    facts = {}
    with tempfile.TemporaryDirectory() as folder:
        argv = [str(ANSIBLE), "all", "-i", lab.inventory, "-m", "netmedic.calico.node_facts", "--tree", folder, "-o"]
        subprocess.run(argv, capture_output=True, check=False, timeout=300)
        for node in lab.nodes:
            written = Path(folder) / node.name
            told = json.loads(written.read_text(encoding="utf-8")) if written.is_file() else {}
            if "ansible_facts" in told:
                facts[node.name] = told["ansible_facts"]
    return facts


def write(name: str, lab: Lab, expected: dict[str, Any], how: str) -> None:
    """One case's folder, made anew."""
    facts = ask(lab)
    inventory = {node.name: node.address for node in lab.nodes}
    folder = CASES / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for node, told in facts.items():
        (folder / f"{node}.json").write_text(
            json.dumps(told, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8"
        )
    case = json.dumps({**expected, "inventory": inventory}, indent=1, sort_keys=True)
    (folder / "case.json").write_text(f"{case}\n", encoding="utf-8")
    what = "VXLAN written by the lab's stand-in" if lab.plan.topology.overlay else "BIRD 1.6.8 of Debian 12"
    source = (
        f"netmedic.calico.node_facts on the lab ({lab.plan.topology.name}, {len(lab.nodes)} nodes, {what}): {how}\n"
    )
    (folder / "SOURCE").write_text(source, encoding="utf-8")
    sys.stderr.write(f"{name}: {len(facts)} of {len(inventory)} nodes read\n")


def wanted(names: list[str]) -> Iterator[tuple[str, str, str]]:
    """Fault, variant and topology of every case to record."""
    for fault in FAULTS:
        for variant in fault.variants:
            if not names or fault.id in names:
                yield fault.id, variant.name, variant.topology or "one_subnet"


def main(names: list[str]) -> None:
    """Record the cases of these faults, or all of them and the healthy mesh."""
    for topology in ("one_subnet", "two_subnets", "vxlan", "canal"):
        count = 3 if topology in ("vxlan", "canal") else 4
        with Lab.up(nodes=count, topology=topology, state=f"{STATE}-{topology}") as lab:
            if not names:
                write(f"healthy-{topology}", lab, HEALTHY[bool(lab.plan.topology.overlay)], "nothing broken")
            for fault, variant, where in wanted(names):
                if where == topology:
                    case = lab.make(fault, None, variant)
                    node = AT_FAULT.get((fault, variant), case.target)
                    write(
                        f"{fault}-{variant}",
                        lab,
                        {"fault": fault, "node": node},
                        f"lab break {fault} --variant {variant}",
                    )
                    lab.heal()


if __name__ == "__main__":
    main(sys.argv[1:])
