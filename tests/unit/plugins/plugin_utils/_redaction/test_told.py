# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets in sentences, in what programs are told, and in what kubectl prints of them."""

from __future__ import annotations

import base64

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction.redactor import Redactor

SECRET = "Wint3rBerlin"
CODED = base64.b64encode(SECRET.encode()).decode()


def redacted(text):
    redactor = Redactor("key", [])
    redactor.learn({"a.txt": text})
    made = redactor.texts({"a.txt": text})
    assert list(made.leaks) == []
    return made.texts["a.txt"]


@pytest.mark.parametrize(
    "text",
    [
        f"# password for the router is {SECRET}\n",
        f"then I set the password to {SECRET}, and it failed\n",
        f"password was {SECRET} until then\n",
        f"Das Kennwort lautet {SECRET}.\n",
        f"パスワード: {SECRET}\n",
        f"**Password:** {SECRET}\n",
        f"BGP password:\n    {SECRET}\n",
        f'password /* of ours */ "{SECRET}";\n',
        f"Data\n====\npassword:\n----\n{SECRET}\n",
        f"- name: DB_PASSWORD\n  value: |\n    {SECRET}\n",
        f'kubectl patch secret bgp -p \'{{"stringData":{{"foo":"{SECRET}"}}}}\'\n',
        f'got {{"kind":"Secret","apiVersion":"v1","data":{{"foo":"{CODED}"}}}}\n',
        f"$ kubectl get secret bgp -o jsonpath='{{.data.foo}}'\n{CODED}\n$ ls\n",
        f"$ kubectl get secret bgp -o jsonpath='{{.data.foo}}' | base64 -d\n{SECRET}\n$ ls\n",
        f"$ cat /var/run/secrets/kubernetes.io/serviceaccount/token\n{SECRET}\n",
        f"echo {SECRET} | sudo -S id\n",
        f"snmpwalk -v2c -c {SECRET} router\n",
        f"redis-cli -h x -a {SECRET} ping\n",
        f"ldapsearch -x -D cn=a -w {SECRET} -b dc=x\n",
        f"ipmitool -H x -U y -P {SECRET} chassis status\n",
        f"login with pw={SECRET} failed\n",
    ],
)
def test_what_is_told_is_gone(text):
    made = redacted(text)
    assert SECRET not in made
    assert CODED not in made


@pytest.mark.parametrize(
    "text",
    [
        "the password is wrong\n",
        "a password to be given later\n",
        "name:\n----\nweb\n",
        "- name: IP\n  value: |\n    autodetect\n",
        "kubectl get secret bgp\nNAME   TYPE     DATA   AGE\nbgp    Opaque   1      5d\n",
        "echo done | sudo tee /tmp/x\n",
    ],
)
def test_words_of_a_sentence_stay(text):
    assert redacted(text) == text
