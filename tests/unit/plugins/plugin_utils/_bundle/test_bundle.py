# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bundles: the recorded cases written and read back give the same report; hostile archives do no harm."""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
import tarfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, files, read, write
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import cluster
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.inventory import from_hostvars
from ansible_collections.netmedic.calico.plugins.plugin_utils._raw import script

CASES = sorted(path.parent for path in (Path(__file__).parents[3] / "cases").glob("*/case.json"))
RECORDED = Path(__file__).parents[1] / "_raw" / "recorded"
MARK = "-0123456789abcdef0123456789abcdef"


def hostvars(folder):
    """The variables of a run over a recorded case."""
    addresses = json.loads((folder / "case.json").read_text(encoding="utf-8"))["inventory"]
    found = {}
    for name, address in addresses.items():
        path = folder / f"{name}.json"
        if path.is_file():
            facts = json.loads(path.read_text(encoding="utf-8"))
            found[name] = {"ansible_host": address, "ansible_facts": facts, "collect_result": {"ansible_facts": facts}}
        else:
            result = {"unreachable": True, "msg": "Connection timed out"}
            found[name] = {"ansible_host": address, "collect_result": result}
    return found


def last_stamp(variables):
    return max(
        host["ansible_facts"]["calico_node"]["taken_at"] for host in variables.values() if "ansible_facts" in host
    )


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_a_bundle_gives_the_report_of_the_run(folder, tmp_path):
    variables = hostvars(folder)
    stamp = last_stamp(variables)
    path = write.write(str(tmp_path / "bundle"), evidence.saw(variables, variables), write.Written(stamp))
    told, now = evidence.evidence(read.read(str(path)))
    assert analyse(told, now) == analyse(from_hostvars(variables, list(variables), now, 900), now)


@pytest.fixture
def bundle(tmp_path):
    variables = hostvars(CASES[0])
    return write.write(str(tmp_path / "made"), evidence.saw(variables, variables), write.Written(last_stamp(variables)))


@pytest.mark.parametrize("form", ["tar", "gztar", "xztar", "zip"])
@pytest.mark.parametrize("base", [None, "made"])
def test_an_archive_is_read_as_its_directory(bundle, tmp_path, form, base):
    archive = shutil.make_archive(str(tmp_path / "archive"), form, bundle.parent if base else bundle, base)
    odd = Path(archive).rename(tmp_path / "no-telling-name")
    assert read.read(str(odd)).nodes == read.read(str(bundle)).nodes


def test_nobody_else_may_read_it(bundle):
    modes = {stat.S_IMODE(path.lstat().st_mode) for path in bundle.rglob("*")}
    assert modes == {0o600, 0o700}
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o700
    assert os.listdir(bundle.parent) == ["made"]


def test_an_earlier_bundle_is_replaced_and_nothing_else(bundle, tmp_path):
    write.write(str(bundle), {}, write.Written("2026-01-01T00:00:00Z"))
    assert sorted(path.name for path in bundle.iterdir()) == ["bundle.json"]
    other = tmp_path / "mine"
    other.mkdir()
    (other / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(FileExistsError):
        write.write(str(other), {}, write.Written("2026-01-01T00:00:00Z"))
    assert (other / "letter.txt").read_text(encoding="utf-8") == "dear"


def test_a_failed_write_leaves_what_was_there(bundle, monkeypatch):
    before = read.read(str(bundle))

    def broken(*_arguments):
        raise OSError("disk full")

    monkeypatch.setattr(write, "_write", broken)
    with pytest.raises(OSError, match="disk full"):
        write.write(str(bundle), {}, write.Written("2026-01-01T00:00:00Z"))
    assert read.read(str(bundle)) == before
    assert os.listdir(bundle.parent) == ["made"]


def test_texts_read_without_python_are_kept_and_give_the_same_facts(tmp_path):
    texts = script.cut((RECORDED / "blocked" / "output.txt").read_text(encoding="utf-8"), MARK).texts
    saw = {"node-2": write.NodeSaw({}, texts, "10.200.0.10", {})}
    told = read.read(str(write.write(str(tmp_path / "b"), saw, write.Written("2026-11-21T06:33:00Z"))))
    assert told.unrecognised == []
    assert told.nodes["node-2"].texts == texts
    found = evidence.facts_of("node-2", told.nodes["node-2"])
    assert found["calico_firewall"]["tcp179"]["inbound"][0]["verdict"] == "drop"


def test_secrets_are_cut_once_more(tmp_path):
    saw = {"n": write.NodeSaw({}, {"bird.cfg": 'password "CANARY";\n'}, "", {})}
    path = write.write(str(tmp_path / "b"), saw, write.Written("", 'token: "CANARY"\n'))
    assert all("CANARY" not in one.read_text(encoding="utf-8") for one in path.rglob("*") if one.is_file())


@pytest.mark.parametrize("name", ["../../etc", "a/b", "-rf", ".", "..", "", "ä", "x" * 400, "A\nB"])
def test_a_nodes_name_cannot_lead_out(tmp_path, name):
    saw = {
        name: write.NodeSaw({"calico_node": {"nodename": name}}, {"../x": "y"}, "", {}),
        "a_b": write.NodeSaw({}, {}, "", {}),
    }
    path = write.write(str(tmp_path / "in" / "b"), saw, write.Written(""))
    assert os.listdir(tmp_path) == ["in"]
    assert os.listdir(tmp_path / "in") == ["b"]
    assert read.read(str(path)).nodes[name].facts == {"calico_node": {"nodename": name}}


def tarred(path, *members):
    with tarfile.open(path, "w:gz") as archive:
        for name, kind, content in members:
            member = tarfile.TarInfo(name)
            member.type, member.size, member.linkname = kind, len(content), "/etc/shadow"
            archive.addfile(member, io.BytesIO(content))
    return str(path)


def test_links_devices_and_ways_out_are_passed_over(tmp_path):
    path = tarred(
        tmp_path / "t.tgz",
        ("nodes/a/uname.txt", tarfile.REGTYPE, b"Linux a 6.1.0\n"),
        ("/etc/passwd", tarfile.REGTYPE, b"x"),
        ("../up.txt", tarfile.REGTYPE, b"x"),
        ("nodes/a/link", tarfile.SYMTYPE, b""),
        ("nodes/a/hard", tarfile.LNKTYPE, b""),
        ("nodes/a/null", tarfile.CHRTYPE, b""),
        ("nodes/a/fifo", tarfile.FIFOTYPE, b""),
    )
    told = read.read(path)
    assert list(told.nodes) == ["a"]
    assert list(told.nodes["a"].texts) == ["uname.txt"]
    assert len(told.refused) == 6


def test_links_in_a_directory_are_not_followed(tmp_path):
    (tmp_path / "secret").write_text("x", encoding="utf-8")
    folder = tmp_path / "b" / "nodes" / "a"
    folder.mkdir(parents=True)
    (folder / "uname.txt").symlink_to(tmp_path / "secret")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "fifo")
    told = read.read(str(tmp_path / "b"))
    assert told.nodes == {}
    assert sorted(name for name, _why in told.refused) == ["nodes/a/fifo", "nodes/a/loop", "nodes/a/uname.txt"]


def test_bombs_are_given_up_on(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LARGEST_FILE", 1 << 20)
    monkeypatch.setattr(files, "MOST_BYTES", 4 << 20)
    zeros = b"\0" * (2 << 20)
    told = files.read(tarred(tmp_path / "t.tgz", *[(f"nodes/a/{n}", tarfile.REGTYPE, zeros) for n in range(9)]))
    assert told.texts == {}
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("nodes/a/big.txt", zeros)
        archive.writestr("nodes/a/small.txt", "x")
    told = files.read(str(tmp_path / "z.zip"))
    assert list(told.texts) == ["nodes/a/small.txt"]


def test_a_header_that_claims_to_be_enormous_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LARGEST_FILE", 1 << 20)
    path = tarred(tmp_path / "t.tgz", ("pax", tarfile.XHDTYPE, b"\0" * (4 << 20)), ("a", tarfile.REGTYPE, b"x"))
    told = files.read(path)
    assert told.texts == {}
    assert "broken" in told.refused[0][1]


def test_too_many_files_are_cut_off(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MOST_FILES", 5)
    path = tarred(tmp_path / "t.tgz", *[(f"nodes/a/{n}.txt", tarfile.REGTYPE, b"x") for n in range(9)])
    assert len(files.read(path).texts) == 5


@pytest.mark.parametrize("cut", [0, 1, 100, 600, -40])
def test_a_broken_archive_is_listed(tmp_path, cut):
    path = Path(tarred(tmp_path / "t.tgz", ("nodes/a/uname.txt", tarfile.REGTYPE, b"Linux a 6.1.0\n" * 5000)))
    path.write_bytes(path.read_bytes()[:cut])
    read.read(str(path))


def test_loose_files_are_told_apart_by_content(tmp_path):
    texts = script.cut((RECORDED / "healthy" / "output.txt").read_text(encoding="utf-8"), MARK).texts
    told = read.sort({"anything": texts["raw-node.txt"], "junk.bin": "\0\1\2", "x/y.txt": "hello\n"})
    assert list(told.nodes) == ["node-1"]
    assert "junk.bin" in told.unrecognised


def test_a_node_directory_filled_by_hand_is_read(tmp_path):
    texts = script.cut((RECORDED / "blocked" / "output.txt").read_text(encoding="utf-8"), MARK).texts
    names = (
        "birdcl-protocols.txt",
        "birdcl-status.txt",
        "bird.cfg",
        "ip-addr.json",
        "ip-route.txt",
        "iptables-save.txt",
    )
    told = read.sort({f"nodes/node-2/{name}": texts[name] for name in names})
    found = evidence.facts_of("node-2", told.nodes["node-2"])
    assert found["calico_node"]["nodename"] == "node-2"
    assert found["calico_firewall"]["tcp179"]["inbound"][0]["verdict"] == "drop"
    assert found["calico_chrony"].get("synchronised") is None
    assert len(found["calico_bgp"]["daemons"]["ipv4"]["troubled"]) == 3


def test_what_the_api_told_is_written_as_objects(tmp_path):
    fact = {"schema": 1, "reached": True, "objects": {"ippools": [{"kind": "IPPool"}], "../x": [{}], "pods": []}}
    path = write.write(str(tmp_path / "b"), {}, write.Written("2026-01-01T00:00:00Z", cluster=fact))
    assert sorted(each.name for each in (path / "cluster").iterdir()) == ["cluster-info.json", "ippools.json"]
    assert json.loads((path / "cluster/cluster-info.json").read_text("utf-8")) == {"schema": 1, "reached": True}
    assert json.loads((path / "cluster/ippools.json").read_text("utf-8"))["items"] == [{"kind": "IPPool"}]


def test_what_the_api_told_is_the_same_when_the_bundle_is_read(tmp_path):
    pool = {
        "apiVersion": "crd.projectcalico.org/v1",
        "kind": "IPPool",
        "metadata": {"name": "p"},
        "spec": {"cidr": "10.0.0.0/16"},
    }
    secret = {"namespace": "kube-system", "name": "bgp", "exists": True, "keys": ["k"], "readable": False, "why": ""}
    sources = [{"source": "ippools", "status": "ok", "detail": "", "count": 1}]
    fact = {
        "schema": 1,
        "reached": True,
        "via": "kubectl",
        "version": "v1.29.3",
        "taken_at": "2026-01-01T00:00:00Z",
        "group": "crd.projectcalico.org/v1",
        "native_v3": False,
        "sources": sources,
        "secrets": [secret],
        "objects": {"ippools": [pool]},
        "workload_pods": {"node-1": 3},
        "service_endpoints": {},
    }
    bundle = read.read(str(write.write(str(tmp_path / "b"), {}, write.Written("2026-01-01T00:00:00Z", cluster=fact))))
    live = cluster.from_variables(
        {"localhost": {"ansible_facts": {"calico_cluster": fact}, "collect_cluster_result": {}}},
        [],
        datetime.now(UTC),
        900,
    )
    assert evidence.evidence(bundle)[0].cluster == live
    assert bundle.unrecognised == []


def test_objects_that_somebody_saved_are_what_the_api_told(tmp_path):
    pool = "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: p}\nspec: {cidr: 10.0.0.0/16}\n"
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster/ippool.yaml").write_text(pool, "utf-8")
    told = evidence.evidence(read.read(str(tmp_path)))[0].cluster
    assert (told.reached, [one.name for one in told.pools]) == (True, ["p"])
