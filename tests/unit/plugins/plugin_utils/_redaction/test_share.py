# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written, and when nothing is; what is recorded of the real addresses."""

from __future__ import annotations

import base64
import json
import socket

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import read
from ansible_collections.netmedic.calico.plugins.plugin_utils._peering import real_addresses
from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction import scan, share
from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction.redactor import Redacted, Redactor
from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction.schemes import Schemes

SECRET = "Tr0ub4dor3x"
ADDRESS = socket.inet_aton("10.20.30.40")
ORIGINALS = scan.Originals(
    {"prod-db-07"}, {ADDRESS, bytes.fromhex("525400123456")}, {SECRET}, set(), set(), Schemes(())
)


@pytest.mark.parametrize(
    "text",
    [
        *("at 10.20.30.40:179", "Mesh_10_20_30_40", "ip-10-20-30-40", "0A141E28", "281E140A:00B3", "a\\n10.20.30.40"),
        *("52:54:00:12:34:56", "52-54-00-12-34-56", "525400123456", "on prod-db-07.", "PROD-DB-07", "etcd-prod-db-07"),
        *(f"x{SECRET}y", SECRET.encode().hex(), base64.b64encode(b"a" + SECRET.encode()).decode()),
        *(base64.b64encode(b"dial 10.20.30.40 now").decode(), "-----BEGIN PRIVATE KEY-----", "https://u:p@host/"),
        "Bearer abcdefgh12345678ijkl",
    ],
)
def test_a_leak_is_found_in_whatever_form(text):
    found = list(scan.leaks({"file": f"before {text} after"}, ORIGINALS))
    assert found
    assert all(SECRET not in scan.sentence(leak) and "10.20.30.40" not in scan.sentence(leak) for leak in found)


@pytest.mark.parametrize("text", ["10.20.30.41", "calico-node-x7k2p", "v3.28.1", "2026-11-21 10:00:00", "prod-db-0"])
def test_what_is_no_leak_is_none(text):
    assert list(scan.leaks({"file": f"before {text} after"}, ORIGINALS)) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("one\ntwo\nat 10.20.30.40\nfour\n", "line 3"),
        ('{"items": [{}, {"metadata": {"name": "db-10-20-30-40"}}]}', "the field items[1].metadata.name"),
        ('{"a": {"x": 1, "10.20.30.40": "eth0"}}', "the field a[1] (its key)"),
        ('{"a": {"of 10.20.30.40": {"b": "prod-db-07"}}}', "the field a[0] (its key)"),
        ('[["525400123456"]]', "the field [0][0]"),
        ("not {json 10.20.30.40", "line 1"),
    ],
)
def test_the_sentence_names_the_place_and_a_way_out_and_no_value(text, place):
    leak = next(scan.leaks({"cluster/x.json": text}, ORIGINALS))
    assert leak.place == place
    sentence = scan.sentence(leak)
    assert f"cluster/x.json still holds {leak.kind} in {place}. " in sentence
    assert "redact_words" in sentence
    assert "10.20.30" not in sentence
    assert "10-20-30" not in sentence


def test_a_file_whose_name_leaks_is_not_named():
    (leak,) = scan.leaks({"nodes/prod-db-07/x.txt": "prod-db-07"}, ORIGINALS)
    assert "prod-db-07" not in scan.sentence(leak)


def test_the_way_out_leads_out():
    # Longer than what is taken apart and put together again.
    hidden = base64.b64encode(b"dial 10.20.30.40 now" + b"a" * 80_000).decode()
    texts = {"bundle.json": "{}", "a/x.log": f"at 10.20.30.40\n{hidden}\n"}
    (leak,) = Redactor("key").texts(texts).leaks
    assert leak.place == "line 2"
    assert Redactor("key", [hidden]).texts(texts).leaks == []


@pytest.mark.parametrize("word", ["Acme Corp", "acme_rack", "Überwald", '"acme"', "acme.rack-7"])
def test_words_of_any_form_are_replaced(word):
    made = Redactor("key", [word]).texts({"bundle.json": "{}", "a/x.log": f"of {word} here\n"})
    assert made.leaks == []
    assert word.strip('"') not in made.texts["a/x.log"]


def given(tmp_path, name):
    folder = tmp_path / name / "nodes" / "prod-db-07"
    folder.mkdir(parents=True)
    (folder / "calico-node.log").write_text(f"2026-11-21 10:00:01.123 prod-db-07 10.20.30.40 password={SECRET}\n")
    return str(tmp_path / name)


def test_if_one_input_leaks_none_is_written(tmp_path, monkeypatch):
    paths = [given(tmp_path, "first"), given(tmp_path, "second")]
    real = Redactor.texts
    calls = []

    def leaky(self, texts, into=None):
        calls.append(1)
        made = real(self, texts, into)
        return made if len(calls) == 1 else Redacted(made.texts, [scan.Leak("a.log", "a secret")], made.sensitive)

    monkeypatch.setattr(Redactor, "texts", leaky)
    with pytest.raises(
        share.NotRedactedError, match=r"^Nothing was written: after redaction a\.log still holds a secret"
    ):
        share.share(share.sources(paths), str(tmp_path / "out"), Redactor("key"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "sentence",
    ["Calico node node-3: spec.bgp.ipv4Address is wrong", "ping from pod-on-node-3 to pod-on-node-4: timeout"],
)
def test_a_name_that_only_a_sentence_tells_is_replaced(sentence):
    made, leaks, _count = Redactor("key").data({"detail": sentence})
    assert leaks == []
    assert "node-3" not in made["detail"]


@pytest.mark.parametrize("where", ["bundles", "bundles/one", "bundles/one/shared", "bundles/../bundles"])
def test_an_original_is_never_replaced(tmp_path, monkeypatch, where):
    (tmp_path / "bundles" / "one").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(share.NotRedactedError, match="could replace the original"):
        share.keep_apart(["bundles/one"], where)


def test_beside_the_originals_folder_there_is_room(tmp_path):
    share.keep_apart([str(tmp_path / "bundles" / "one")], str(tmp_path / "shared"))


def test_check_mode_writes_nothing(tmp_path):
    made = share.share(share.sources([given(tmp_path, "b")]), str(tmp_path / "out"), Redactor("key"), check=True)
    assert made[0].changed
    assert not (tmp_path / "out").exists()


def test_who_dials_is_kept_as_a_fact():
    addresses = [f"10.{second}.{third}.{last}" for second in (0, 1, 9, 10) for third in (2, 11) for last in (9, 10)]
    text = "\n".join(f"Mesh_{address.replace('.', '_')} {address}" for address in addresses)
    redactor = Redactor("key")
    made = redactor.texts({"nodes/n-1/protocols.txt": text}).texts
    record = read.sort(made).redaction
    assert record == made[real_addresses.FILE]
    real = real_addresses.read(record)
    for one in addresses:
        for other in addresses:
            assert real.greater(redactor.name(one), redactor.name(other)) is (one > other)
    again = Redactor("next")
    twice = real_addresses.read(again.texts(made).texts[real_addresses.FILE])
    name = {one: again.name(redactor.name(one)) for one in addresses}
    assert all(twice.greater(name[one], name[other]) is (one > other) for one in addresses for other in addresses)


def test_an_address_of_every_host_is_still_known_as_one():
    redactor = Redactor("key")
    made = redactor.texts({"nodes/n-1/ip.txt": "172.17.0.1 10.0.0.9"}).texts
    real = real_addresses.read(made[real_addresses.FILE])
    assert real.is_everywhere(redactor.name("172.17.0.1"))
    assert not real.is_everywhere(redactor.name("10.0.0.9"))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", json.dumps({"schema": real_addresses.SCHEMA, "order_of_addresses": 7})]
)
def test_a_broken_record_changes_nothing(text):
    assert real_addresses.read(text).greater("10.0.0.9", "10.0.0.10")
