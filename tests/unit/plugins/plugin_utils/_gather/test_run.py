# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From variables to the archive, and from the archive to the same diagnosis."""

from __future__ import annotations

import json
import random
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._gather.model import ABSENT, CUT, FAILED, OK, Output
from ansible_collections.netmedic.calico.plugins.module_utils._gather.parcel import Parcel
from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import offline, read
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.inventory import from_hostvars
from ansible_collections.netmedic.calico.plugins.plugin_utils._gather import choice, contents, index, run

CASES = Path(__file__).parents[3] / "cases"
CASE = CASES / "tcp179_blocked_host_firewall-iptables-nft"
ANY_AGE = 1 << 40
RULES = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -m tcp --dport 179 -j DROP\nCOMMIT\n"
OUTPUTS = [
    Output("iptables-save.txt", "iptables-nft-save -c", OK, RULES, "", len(RULES), 0.01),
    Output("iptables-save.txt", "iptables-legacy-save -c", OK, "# legacy\n", "", 9, 0.01),
    Output("calico-node.log", "/var/log/pods/x/0.log", CUT, "2026-01-01 bird: x\n", "90000000 bytes", 90000000, 0.2),
    Output("more/dmesg.txt", "dmesg", OK, "[1.0] nf_conntrack: nf_conntrack: table full, dropping packet\n", "", 60),
    Output("ufw-status.txt", "ufw status", ABSENT, detail="ufw is not installed"),
    Output("more/tc-qdisc.txt", "tc", FAILED, detail="not done within 10 s"),
]


def parcel(*outputs: Output) -> dict[str, Any]:
    made = Parcel(8 << 20)
    for one in outputs:
        made.add(one)
    return {"parcel": made.end(), "duration_seconds": 0.5, "changed": False}


@pytest.fixture
def hostvars() -> dict[str, Any]:
    """The variables after a run on a recorded mesh, a rule of node-2 against BGP; node-9 is not reached."""
    inventory = json.loads((CASE / "case.json").read_text())["inventory"]
    found: dict[str, Any] = {}
    for path in sorted(CASE.glob("node-*.json")):
        facts = json.loads(path.read_text())
        found[path.stem] = {
            "ansible_host": inventory[path.stem],
            "ansible_facts": facts,
            "collect_result": {"ansible_facts": facts, "changed": False},
        }
    found["node-9"] = {
        "ansible_host": "10.200.0.99",
        "collect_result": {"unreachable": True, "msg": "Task failed: No route to host"},
    }
    found["localhost"] = {}
    return found


def names(hostvars: dict[str, Any]) -> list[str]:
    return [name for name in hostvars if name != "localhost"]


def live(hostvars: dict[str, Any]) -> dict[str, Any]:
    now = datetime.now(UTC)
    return analyse(from_hostvars(hostvars, names(hostvars), now, ANY_AGE), now)


def gather(hostvars: dict[str, Any], tmp_path: Path, redact: bool = False, max_mb: int = 100) -> run.Made:
    report = live(hostvars)
    hosts = names(hostvars)
    gone = [name for name in hosts if hostvars[name].get("collect_result", {}).get("unreachable")]
    chosen = choice.choose(report, hosts, ["affected"], choice.Limits(20, max_mb), gone)
    asked = index.Asked(["affected"], 20, max_mb, redact)
    return run.make(hostvars, hosts, report, chosen, run.Wished(str(tmp_path), asked), "2.19.0")


def unpack(path: str) -> dict[str, str]:
    with tarfile.open(path) as archive:
        told = {one.name: archive.extractfile(one) for one in archive.getmembers()}
        return {name.partition("/")[2]: stream.read().decode() for name, stream in told.items() if stream}


def of_report(report: dict[str, Any]) -> list[tuple[Any, ...]]:
    keys = ("fault", "nodes", "confidence", "severity", "role", "where", "summary", "alternatives")
    return [tuple(one.get(key) for key in keys) for one in report["findings"]]


def test_the_archive_gives_the_diagnosis_that_the_run_had(hostvars: dict[str, Any], tmp_path: Path) -> None:
    hostvars["node-2"]["must_gather_result"] = parcel(*OUTPUTS)

    made = gather(hostvars, tmp_path)

    found = offline.analysed(made.path).report
    expected = live(hostvars)
    assert of_report(found) == of_report(expected)
    assert found["findings"][0]["fault"] == "tcp179_blocked_host_firewall"
    assert found["verdict"] == expected["verdict"]
    assert found["coverage"]["nodes"] == expected["coverage"]["nodes"]
    assert found["sessions"] == expected["sessions"]
    # Neither the index nor what is for people only is something that "nobody knows".
    assert not [one for one in found["coverage"]["sources"] if one["status"] == "unrecognised"]


def test_outputs_lie_where_the_reader_looks_for_them(hostvars: dict[str, Any], tmp_path: Path) -> None:
    hostvars["node-2"]["must_gather_result"] = parcel(*OUTPUTS)

    made = gather(hostvars, tmp_path)

    files = unpack(made.path)
    assert files["nodes/node-2/iptables-save.txt"] == RULES + "# legacy\n"
    assert "nodes/node-2/more/dmesg.txt" in files
    assert "nodes/node-2/ufw-status.txt" not in files
    bundle = read.read(made.path)
    assert set(bundle.nodes["node-2"].texts) >= {"iptables-save.txt", "calico-node.log"}
    assert "nodes/node-2/more/dmesg.txt" not in bundle.unrecognised
    assert bundle.nodes["node-9"].result["unreachable"] is True


def test_what_was_asked_for_is_no_name_to_redact(hostvars: dict[str, Any], tmp_path: Path) -> None:
    files = unpack(gather(hostvars, tmp_path, redact=True).path)

    asked = json.loads(files["index.json"])["asked"]
    assert (asked["groups"], asked["nodes"]) == (["affected"], [])
    assert "Asked for: nodes affected;" in files["INDEX.md"]


def test_the_index_says_what_came_and_what_did_not_and_why(hostvars: dict[str, Any], tmp_path: Path) -> None:
    hostvars["node-1"]["must_gather_result"] = {"unreachable": True, "msg": "Task failed: Connection timed out"}
    hostvars["node-2"]["must_gather_result"] = parcel(*OUTPUTS)
    hostvars["node-3"]["must_gather_result"] = {"failed": True, "timedout": {"period": 120}, "msg": "Timed out"}
    hostvars["node-4"]["must_gather_result"] = {"failed": True, "rc": 127, "msg": "/bin/sh: python3: not found"}

    made = gather(hostvars, tmp_path)

    files = unpack(made.path)
    told = json.loads(files["index.json"])
    assert told == made.told
    nodes = {one["node"]: one for one in told["nodes"]}
    assert told["schema"] == "netmedic.calico.must-gather/v1"
    assert told["size"]["files"] == len(files)
    assert told["diagnosis"]["findings"][0]["fault"] == "tcp179_blocked_host_firewall"
    assert told["not_read"] == {"over_the_limit": [], "unreachable": ["node-9"]}
    assert told["versions"]["ansible-core"] == "2.19.0"
    assert nodes["node-2"]["read_because"] == "finding tcp179_blocked_host_firewall"
    assert {one["file"]: one["status"] for one in nodes["node-2"]["outputs"]} == {
        "iptables-save.txt": OK,
        "calico-node.log": CUT,
        "more/dmesg.txt": OK,
        "ufw-status.txt": ABSENT,
        "more/tc-qdisc.txt": FAILED,
    }
    assert nodes["node-1"]["problem"] == "unreachable: Connection timed out"
    assert nodes["node-3"]["problem"] == "given up on after 120 s (must_gather_node_timeout)"
    assert nodes["node-4"]["problem"].startswith("no usable Python is on it")
    assert nodes["node-9"]["why_no_facts"] == "unreachable: No route to host"
    shown = files["INDEX.md"]
    for words in (
        "not done within 10 s",
        "90000000 bytes",
        "No route to host",
        "Connection timed out",
        "2 whole, 1 cut",
    ):
        assert words in shown
    assert "Unreachable: node-9." in shown
    assert any("node-9: no facts" in line for line in run.lines(made))


def test_without_nodes_there_is_the_api_and_without_both_nothing(hostvars: dict[str, Any], tmp_path: Path) -> None:
    for name in names(hostvars):
        hostvars[name] = {"collect_result": {"unreachable": True, "msg": "No route to host"}}

    nothing = gather(hostvars, tmp_path)

    assert nothing.path == ""
    assert nothing.problem.startswith("Nothing could be gathered")
    assert list(tmp_path.iterdir()) == []
    fact = {"schema": 1, "reached": True, "sources": [], "objects": {"nodes": [{"metadata": {"name": "node-1"}}]}}
    hostvars["localhost"] = {"ansible_facts": {"calico_cluster": fact}}
    made = gather(hostvars, tmp_path)
    assert "cluster/nodes.json" in unpack(made.path)


def test_an_api_that_is_down_told_nothing(hostvars: dict[str, Any], tmp_path: Path) -> None:
    for name in names(hostvars):
        hostvars[name] = {"collect_result": {"unreachable": True, "msg": "No route to host"}}
    fact = {"schema": 1, "reached": False, "why": "connection refused", "sources": [], "objects": {}}
    hostvars["localhost"] = {"ansible_facts": {"calico_cluster": fact}}

    assert gather(hostvars, tmp_path).problem.startswith("Nothing could be gathered")


def test_what_a_node_sends_that_is_no_parcel_costs_its_outputs_only(hostvars: dict[str, Any], tmp_path: Path) -> None:
    hostvars["node-2"]["must_gather_result"] = {"parcel": "bm90aGluZw=="}

    made = gather(hostvars, tmp_path)

    told = {one["node"]: one for one in made.told["nodes"]}
    assert told["node-2"]["problem"].startswith("what came from the node cannot be read: it is damaged")


def test_a_node_cannot_write_elsewhere_or_over_its_facts(hostvars: dict[str, Any], tmp_path: Path) -> None:
    evil = ["../../../etc/passwd", "/etc/passwd", "more/../../x", "facts.json", "a//b", "a\nb", ".hidden", ""]
    hostvars["node-2"]["must_gather_result"] = parcel(*(Output(name, "x", OK, "EVIL\n") for name in evil))

    files = unpack(gather(hostvars, tmp_path).path)

    assert not [path for path, text in files.items() if "EVIL" in text]


def test_redacted_only_the_redacted_one_remains(hostvars: dict[str, Any], tmp_path: Path) -> None:
    log = "2026-01-01 00:00:00.000 [INFO][1] felix 1: host node-2 talks to 10.200.0.10, pass=CANARY-1\n"
    more = Output("more/pods/kube-system_calico-node-x_1/calico-node/0.log", "x", OK, log)
    hostvars["node-2"]["must_gather_result"] = parcel(*OUTPUTS, more)

    made = gather(hostvars, tmp_path, redact=True)

    assert [one.name for one in tmp_path.iterdir()] == [Path(made.path).name]
    assert made.path.endswith("-redacted.tar.gz")
    files = unpack(made.path)
    everything = "\n".join([*files, *files.values()])
    for word in ("node-1", "node-2", "node-9", "10.200.0.", "CANARY"):
        assert word not in everything
    assert json.loads(files["index.json"])["schema"] == "netmedic.calico.must-gather/v1"
    found = offline.analysed(made.path).report
    assert [one["fault"] for one in found["findings"]] == [one["fault"] for one in live(hostvars)["findings"]]


def test_the_archive_keeps_to_its_size_and_says_what_is_missing(hostvars: dict[str, Any], tmp_path: Path) -> None:
    def noise(seed: int) -> str:
        raw = random.Random(seed).randbytes(300_000).hex()
        return "\n".join(raw[at : at + 100] for at in range(0, len(raw), 100))

    for number, name in enumerate(("node-1", "node-2", "node-3", "node-4")):
        logs = [Output(f"more/{at}.log", "x", OK, noise(number * 10 + at)) for at in range(4)]
        hostvars[name]["must_gather_result"] = parcel(*OUTPUTS, *logs)

    made = gather(hostvars, tmp_path, max_mb=1)

    assert Path(made.path).stat().st_size <= 1 << 20
    left = [
        one for node in made.told["nodes"] for one in node.get("outputs", ()) if one.get("detail") == contents.NO_ROOM
    ]
    assert left
    assert {one["status"] for one in left} == {"left_out"}
    files = unpack(made.path)
    assert all(f"nodes/node-{number}/iptables-save.txt" in files for number in range(1, 5))
    assert offline.analysed(made.path).report["findings"][0]["fault"] == "tcp179_blocked_host_firewall"


def test_facts_that_do_not_fit_are_told_in_a_sentence(hostvars: dict[str, Any], tmp_path: Path) -> None:
    raw = random.Random(1).randbytes(2_000_000).hex()
    hostvars["node-1"]["ansible_facts"] = {**hostvars["node-1"]["ansible_facts"], "calico_mtu": {"odd": raw}}

    made = gather(hostvars, tmp_path, max_mb=1)

    assert made.problem == (
        "The facts and the API's objects alone take more than must_gather_max_mb = 1 allows. Raise it."
    )
    assert list(tmp_path.iterdir()) == []
