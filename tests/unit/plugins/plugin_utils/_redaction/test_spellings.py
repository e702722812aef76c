# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, addresses and secrets in the many ways in which they are written: each is gone, and nothing is refused."""

from __future__ import annotations

import base64
import html
import json

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction import scan, schemes
from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction.redactor import Redactor

SECRET = "Zq7x!Abc<123>-Canary"


def coded(text):
    return base64.b64encode(text.encode()).decode()


KNOWN = {
    "nodes/berlin-db-7/calico-node.log": (
        "Nov 21 10:00:00 berlin-db-7 kubelet[12]: 10.20.30.40 fd12:3456:789a::15 52:54:00:12:34:56\n"
    ),
    "cluster/nodes.txt": (
        "NAME                       STATUS   ROLES    AGE   VERSION   INTERNAL-IP\n"
        "berlin-db-7.corp.acme.de   Ready    <none>   10d   v1.28.1   10.20.30.40\n"
        "berlin-db-8.corp.acme.de   Ready    <none>   10d   v1.28.1   10.20.30.41\n"
    ),
    "cluster/secret.yaml": (f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: x\ndata:\n  canary: {coded(SECRET)}\n"),
}
NAMES = (
    ("hook berlinDb7 started", "berlinDb7"),
    ("metric BerlinDb7Up 1", "BerlinDb7"),
    ("disk berlindb7-root full", "berlindb7"),
    ("host berlin_db_7 is", "berlin_db_7"),
    ("HOST BERLIN-DB-7 IS", "BERLIN-DB-7"),
    ("BERLIN_DB_7_SERVICE_HOST=1", "BERLIN_DB_7"),
    ("ping berlin-db-7.lan ok", "berlin-db-7"),
    ("moved the pod to berlin-db-12 yesterday", "berlin-db-12"),
    ("then berlin-web-3 failed", "berlin-web-3"),
    ("started berlin-web-3.service", "berlin-web-3"),
    (f"x {coded('berlin-db-7')} y", coded("berlin-db-7")),
    (f"x {coded('node=berlin-db-7;ok')} y", coded("node=berlin-db-7;ok")),
    ("GET https://grafana/d/berlin-db-7?var-node=berlin-db-7&x=1", "berlin-db-7"),
    ("GET /q?n=berlin%2Ddb%2D7", "berlin%2Ddb%2D7"),
    ("wrote /var/log/berlin-db-7.log.gz", "berlin-db-7"),
    ("from root@berlin-db-7 ok", "berlin-db-7"),
    ("mail berlin-db-7@corp.acme.de", "acme"),
    ("realm CORP.ACME.DE", "ACME.DE"),
    ("interface vpn-berlin-db-7a", "berlin-db-7"),
)
ADDRESSES = (
    ("addr 169090600 in decimal", "169090600"),
    ("addr 0x0a141e28", "0a141e28"),
    ("eth0\t001E140A\t281E140A\t0003", "281E140A"),
    ("src 281e140a", "281e140a"),
    ("raw 0a:14:1e:28", "0a:14:1e:28"),
    ("\t0x0000:  4500 003c 1c46 4000 4006 0000 0a14 1e28", "0a14 1e28"),
    ("00000000  45 00 00 3c 0a 14 1e 28  |E..<...(|", "0a 14 1e 28"),
    ("0x0a.0x14.0x1e.0x28", "0x0a.0x14"),
    ("012.024.036.050", "012.024.036.050"),
    ("010.020.030.040", "010.020.030.040"),
    ("10.20.30.40:179->10.20.30.41:443", "10.20.30.4"),
    ("veth_10.20.30.40_0", "10.20.30.40"),
    ("if10_20_30_40eth", "10_20_30_40"),
    ("host10.20.30.40x", "10.20.30.40"),
    ("10 . 20 . 30 . 40", "10 . 20 . 30 . 40"),
    ("10[.]20[.]30[.]40", "10[.]20[.]30[.]40"),
    (r"^10\.20\.30\.40$", r"10\.20\.30\.40"),
    ("q=10%2E20%2E30%2E40", "10%2E20"),
    ("(10, 20, 30, 40)", "10, 20, 30, 40"),
    (coded("ip=10.20.30.40"), coded("ip=10.20.30.40")),
    ("10.20.30.40.bgp > 10.20.30.41.bgp: Flags [S]", "10.20.30.4"),
    ("::ffff:0a14:1e28", "0a14:1e28"),
    ("addr fd12:3456:789a:0000:0000:0000:0000:0015", "fd12:3456"),
    ("addr FD12:3456:789A::15", "FD12:3456"),
    ("addr fd12:3456:789a::15%eth0", "fd12:3456"),
    ("addr fd12:3456:789a::10.20.30.40", "fd12:3456"),
    ("fd12-3456-789a--15.ipv6-literal.net", "fd12-3456"),
    ("fd123456789a00000000000000000015 02 40 00 80 eth0", "fd123456789a"),
    ("5.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.a.9.8.7.6.5.4.3.2.1.d.f.ip6.arpa", "a.9.8.7.6.5.4.3.2.1.d.f"),
    ("q=fd12%3A3456%3A789a%3A%3A15", "fd12%3A3456"),
    ("arp 5254.0012.3456 vlan", "5254.0012.3456"),
    ("arp 5254.00ab.cdef vlan", "5254.00ab.cdef"),
    ("hwaddr 525400123456", "525400123456"),
    ("hwaddr 0x525400123456", "525400123456"),
    ("525400-123456", "525400-123456"),
    ("lladdr 52:54:0:12:34:56", "52:54:0:12"),
    ("3: enx525400123456: <UP>", "525400123456"),
    ("duid 00:01:00:01:2a:bb:cc:dd:52:54:00:12:34:56", "52:54:00:12:34:56"),
    ("designated_root 8000.52:54:0:12:34:56", "52:54:0:12:34:56"),
)
SECRETS = (
    ("user,password,host\nadmin,Gx7-Canary-pw,h1\nroot,Gx8-Canary-pw,h2", "-Canary-pw"),
    ('name;token;x\n"a";"tkA9Can;ary";"1"', "tkA9"),
    ("user\ttoken\nbob\tTkB9Canary", "TkB9Canary"),
    ("USER    PASSWORD       HOST\nadmin   Gx9Canarypw    h1", "Gx9Canarypw"),
    ("| user | password |\n|------|----------|\n| bob | PxCanary77 |", "PxCanary77"),
    ("https://maps.acme.de/x?key=AkCanary98abc&b=1", "AkCanary98abc"),
    (json.dumps({"a": json.dumps({"b": json.dumps({"password": "JjCanary1"})})}), "JjCanary1"),
    (r'x="{\\\"token\\\":\\\"JjCanary3\\\"}"', "JjCanary3"),
    ("password: |\n  YbCanary44\n  second9Line\nnext: 1", "second9Line"),
    ("config:\n  token: >-\n    YfCanary44\nnext: 1", "YfCanary44"),
    (f"blob {coded('prefix ' + SECRET + ' x')}", coded("prefix " + SECRET + " x")),
    (f"blob {coded(coded(SECRET))}", coded(coded(SECRET))),
    (f"<x>{html.escape(SECRET)}</x>", html.escape(SECRET)),
    ("mysql -u root -pMyCanary77 db", "MyCanary77"),
    ("kubectl create secret generic a --from-literal=foo=KlCanary77", "KlCanary77"),
    ("<password>XmCanary77</password>", "XmCanary77"),
    ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICanaryCanary0123456789ab bob@x", "AAAAICanary"),
    ("password 'SqCanary77' was rejected", "SqCanary77"),
    ("https://hooks.slack.com/services/T0CANARY1/B0CANARY2/abcdEFGHCanary1234567890", "T0CANARY1"),
    ("github_pat_11ABCDEFG0CanaryCanaryCa_nary", "CanaryCanary"),
    ("sk-proj-CanaryCanaryCanary1234", "CanaryCanary"),
    ("hvs.CAESICanaryCanaryCanary123", "CAESICanary"),
)


@pytest.mark.parametrize(("text", "canary"), [*NAMES, *ADDRESSES, *SECRETS])
def test_it_is_gone_and_nothing_is_refused(text, canary):
    made = Redactor("key").texts({**KNOWN, "paste/x.txt": f"{text}\n"})
    assert made.leaks == []
    assert canary not in made.texts["paste/x.txt"]


# These are rewritten by their form alone, whatever address they are.
BY_FORM = ("ACME.DE", "0x0a.0x14", "012.024.036.050", "fd12-3456", "a.9.8.7.6.5.4.3.2.1.d.f", "5254.00ab.cdef")


@pytest.mark.parametrize(("text", "canary"), [one for one in (*NAMES, *ADDRESSES) if one[1] not in BY_FORM])
def test_the_look_for_leaks_finds_it(text, canary, monkeypatch):
    made = []

    def as_it_was(_texts, originals):
        made.extend(kind for kind in scan._kinds(text, originals, 0))
        return []

    monkeypatch.setattr(scan, "leaks", as_it_was)
    Redactor("key").texts({**KNOWN, "paste/x.txt": f"{text}\n"})
    assert made, canary


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21 10:00:00.123 [INFO][88] felix/int_dataplane.go 1836: Finished applying updates. msecToApply=1.2",
        "Node_10 berlin database 7 of 8, db-7, db7",
        "counter 169090650 at 1763719200, id 1234.5678.9012",
        "user, password, host: say which of these, and why, is wrong",
        "NAME      SECRETS   AGE\ndefault   1         10d",
        "chi 8000 (1, 2, 3, 4) 1 . 2 . 3 . 4",
        "50%ab and 100%",
        "bird: Mesh protocol restarted 12 times",
    ],
)
def test_what_is_none_of_it_stays(text):
    made = Redactor("key").texts({**KNOWN, "paste/x.txt": f"{text}\n"})
    assert made.texts["paste/x.txt"] == f"{text}\n"
    assert made.leaks == []


def test_what_is_rewritten_is_the_same_address_in_its_form():
    text = "10.20.30.40 169090600 0a141e28 281E140A 010.020.030.040 10[.]20[.]30[.]40 10_20_30_40 010.020.030.040"
    words = Redactor("key").texts({**KNOWN, "x.txt": text}).texts["x.txt"].split()
    parts = [int(part) for part in words[0].split(".")]
    raw = bytes(parts)
    assert words[1] == str(int.from_bytes(raw, "big"))
    assert words[2] == raw.hex()
    assert words[3] == raw[::-1].hex().upper()
    assert [int(part) for part in words[4].split(".")] == parts
    assert words[5] == words[0].replace(".", "[.]")
    assert words[6] == words[0].replace(".", "_")


def test_a_number_of_json_is_rewritten_if_it_is_an_address():
    made = Redactor("key").texts(
        {**KNOWN, "cluster/x.json": '{"ip": 169090600, "count": 169090650, "on": true, "n": -123456789012}'}
    )
    assert made.leaks == []
    found = json.loads(made.texts["cluster/x.json"])
    assert found["ip"] not in (169090600, True)
    assert (found["count"], found["on"]) == (169090650, True)


def test_a_name_is_the_same_one_in_every_form():
    made = Redactor("key").texts({**KNOWN, "x.txt": "berlin-db-7 berlinDb7 BERLIN_DB_7 berlin_db_7\n"}).texts["x.txt"]
    plain, camel, capitals, joined = made.split()
    assert joined == plain.replace("-", "_")
    assert capitals == joined.upper()
    assert camel == joined.replace("_", "")


def test_names_of_everybodys_words_make_no_scheme():
    known = schemes.Schemes(["node-1", "worker-2", "master"])
    assert not known
    assert not known.is_like("node-7")
    assert known.find("Node_10_0_0_1") is None


def test_a_scheme_knows_its_own():
    known = schemes.Schemes(["berlin-db-7", "gke-acme-pool-1-abc12"])
    assert known.is_like("berlin-db-123")
    assert known.is_like("gke-acme-pool-22-abc3")
    assert not known.is_like("berlin")
    assert not known.is_like("paris-db-7")
    assert known.find("theBerlinDb7Up") == (3, 12, "berlin-db-7")
    assert known.find("berlin-db-71") is None
