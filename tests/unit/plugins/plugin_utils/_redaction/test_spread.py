# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that stand on other lines than their names, byte by byte, or in a Secret that was quoted; and names and
addresses whose letters are others than they look."""

from __future__ import annotations

import base64
import time

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction import letters
from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction.redactor import Redactor

SECRET = "Wint3rBerlin!x"
CODED = base64.b64encode(SECRET.encode()).decode()
LISTED = f"[{' '.join(map(str, SECRET.encode()))}]"
WORDS = SECRET.encode().hex(" ", 2)
BYTES = SECRET.encode().hex(" ")
NAME = "zeppelin-db-07"


def redacted(text):
    made = Redactor("key", []).texts({"a.txt": text})
    assert list(made.leaks) == []
    return made.texts["a.txt"]


@pytest.mark.parametrize(
    "text",
    [
        f"> apiVersion: v1\n> kind: Secret\n> metadata:\n>   name: bgp\n> data:\n>   foo: {CODED}\n",
        f"> > kind: Secret\n> > data:\n> >   foo: {CODED}\n",
        f" kind: Secret\n apiVersion: v1\n data:\n-  foo: {CODED}\n+  foo: x\n",
        f"@@ -1,5 +1,5 @@\n apiVersion: v1\n data:\n+  foo: {CODED}\n kind: Secret\n",
        f"$ kubectl get secrets -o yaml\nitems:\n- apiVersion: v1\n  data:\n    foo: {CODED}\n  kind: Secret\n",
        f'last-applied-configuration: |\n  {{"apiVersion":"v1","data":{{"foo":"{CODED}"}},"kind":"Secret"}}\n',
        f"$ etcdctl get /registry/secrets/ns/bgp\n/registry/secrets/ns/bgp\nk8s\n\nv1Secret\nx{SECRET}\n",
        f"password: \\\n  {SECRET}\n",
        f"BGP_PASSWORD=\\\n{SECRET}\n",
        f"calicoctl x --password \\\n    {SECRET}\n",
        f'password: "{SECRET[:7]}\\\n  {SECRET[7:]}"\n',
        f"<tr><td>password</td><td>{SECRET}</td></tr>\n",
        f"<tr><th><b>Password</b></th>\n<td>{SECRET}</td></tr>\n",
        f"<dl><dt>Token</dt><dd>{SECRET}</dd></dl>\n",
        f'variable "bgp_password" {{\n  default = "{SECRET}"\n}}\n',
        f'bgp_password = {{ value = "{SECRET}" }}\n',
        f'password {{\n  value = "{SECRET}"\n}}\n',
        f"password = '''\n{SECRET}\n'''\n",
        f'password = """\n{SECRET}"""\n',
        f"Password:{LISTED} and {SECRET}\n",
        f"Password:[]uint8{{{', '.join(map(hex, SECRET.encode()))}}}\n",
        f"password: {SECRET}\n{WORDS}\n",
        f"password: {SECRET}\n00000000: {WORDS}  {SECRET}\n",
        f"password: {SECRET}\n00000000  {BYTES}  |{SECRET}|\n",
        f"password: {SECRET}\n{LISTED}\n",
    ],
)
def test_a_secret_is_gone_wherever_its_name_stands(text):
    made = redacted(text)
    for told in (SECRET, SECRET[7:], CODED, LISTED, WORDS, BYTES, "0x57, 0x69"):
        assert told not in made


def test_the_end_of_a_key_is_gone():
    key = "\n".join(f"{'Ab3' * 20}{number:04}" for number in range(6))
    made = redacted(f"some words before\n{key}\nqZ3vP9==\n-----END RSA PRIVATE KEY-----\nafter\n")
    assert "Ab3" not in made
    assert "qZ3" not in made
    assert made.startswith("some words before\n")
    assert made.endswith("\nafter\n")


@pytest.mark.parametrize(
    "text",
    [
        "key: value \\\n  other\n",
        "<td>pods</td><td>12</td>\n",
        "limits { value = 12 }\n",
        "sizes: [10 20 30 40 50]\n",
        " kind: ConfigMap\n data:\n   foo: bar\n",
        "00000000  4500 0054 1c46 4000 4001 0000\n",
        "2026-11-21 10:00:00 10 20 30 40\n",
    ],
)
def test_what_is_no_secret_stays(text):
    assert redacted(text) == text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("10&#46;77&#x2e;3&period;41", "10.77.3.41"),
        ("10\\u002e77.3.41 \\u003cnil\\u003e", "10.77.3.41 \\u003cnil\\u003e"),
        ("zep\u200bpe\u00adlin&#45;db", "zeppelin-db"),
        ("\uff11\uff10.77.3\uff0e\u0664\u0661", "10.77.3.41"),
        ("a &lt; b &amp; c &#60; d Größe 名前", "a &lt; b &amp; c &#60; d Größe 名前"),
    ],
)
def test_letters_are_what_they_look_to_be(written, read):
    assert letters.plain(written) == read


def test_names_and_addresses_in_other_letters_are_replaced():
    text = (
        f"$ ssh {NAME}\n10.77.3.41\nzep\u200bpelin-db-07 zeppelin&#45;db&#45;07\n"
        "10&#46;77&#46;3&#46;41 \uff11\uff10.77.3.41 10.77.3.x 10.77.3.* 10.77.x.x 10.77.3.[41-43] v10.77.3.x\n"
        f"[10 77 3 41]\n[{' '.join(map(str, NAME.encode()))}]\n"
    )
    made = redacted(text)
    assert "zeppelin" not in made
    assert "10.77" not in made.replace("v10.77.3.x", "")
    assert "10 77" not in made
    assert str(ord("z")) not in made.rpartition("[")[2]


def test_of_versions_nothing_is_taken_for_an_address():
    text = "10.1.2.3 is there; 3.26.x and 1.27.3.x and 1.27.3. are versions\n"
    assert redacted(text).partition(" ")[2] == text.partition(" ")[2]


DUMPED = f"host is {NAME}.acme.corp ok".encode()


@pytest.mark.parametrize("width", [1, 2])
def test_names_in_dumps_are_hidden_where_they_go_on_in_the_next_row(width):
    rows = [DUMPED[at : at + 16] for at in range(0, len(DUMPED), 16)]
    dump = "".join(f"{at:08x}: {row.hex(' ', width)}  {row.decode()}\n" for at, row in enumerate(rows))
    made = redacted(f"$ ssh {NAME}\n{NAME}.acme.corp\n{dump}")
    assert NAME.encode().hex(" ", width)[:11] not in made
    assert "zeppelin" not in made
    assert "acme" not in made
    assert "host is *" in made
    assert made.count("\n") == len(rows) + 2


@pytest.mark.parametrize(
    "text",
    [
        "password " * 20_000 + "{" * 20_000,
        "-----END X KEY-----\n" * 5_000 + "QUJD\n" * 20_000,
        " kind: Secret\n data:\n   a: b\n" * 8_000,
        "> " * 60_000 + "kind: Secret",
        "$ etcdctl get /registry/secrets/a/b\n" * 8_000,
        "password: [" + "1 " * 100_000,
        "1 1 1 1 1 " * 40_000,
        "00 11 22 33\n" * 30_000,
        "kubectl get node " + "a-1 " * 50_000,
        "ssh " + "-o x " * 50_000,
        "O=x,CN=" * 40_000,
        "&#46;" * 60_000,
    ],
    ids=range(12),
)
def test_no_text_takes_long(text):
    started = time.process_time()
    Redactor("key", []).texts({"a.txt": text})
    assert time.process_time() - started < 8
