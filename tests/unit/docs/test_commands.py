# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command that the pages tell people to type is one that works: checked here, run in tests/lab/test_docs.py."""

from __future__ import annotations

import pytest

from scripts import doc_rules, site_pages
from scripts.doc_commands import Command, commands
from scripts.doc_elsewhere import ELSEWHERE
from scripts.paths import ROOT

COMMANDS = [one for page in site_pages.paths() for one in commands(page, (ROOT / page).read_text(encoding="utf-8"))]
PAGE = """
Type

    make one   # a remark
    make two

or `make three`, never `make` or `fragile words`:

1. first

       make four

```sh
# a remark
$ make five
```

```yaml
script:
  - ansible-playbook six.yml
  - run: 'ansible-playbook seven.yml'
```

    - hosts: all
      roles: [x]
"""


def test_commands_are_found_wherever_they_stand():
    assert [one.text.partition("#")[0].strip() for one in commands("page.md", PAGE)] == [
        *("make one", "make two", "make three", "make four", "make five"),
        *("ansible-playbook six.yml", "ansible-playbook seven.yml"),
    ]
    assert Command("page.md", 4, "make one   # a remark") in set(commands("page.md", PAGE))


def test_there_are_commands_on_the_pages():
    assert len(COMMANDS) > 120
    assert {"README.md", "docs/remediate.md", "roles/preflight/README.md"} <= {one.page for one in COMMANDS}


@pytest.mark.parametrize("text", sorted({one.text for one in COMMANDS}))
def test_each_command_is_as_its_program_wants_it(text):
    where = [one.place for one in COMMANDS if one.text == text]

    assert doc_rules.complaints(text) == [], where


def test_what_is_named_as_run_elsewhere_is_still_on_a_page():
    used = {doc_rules.elsewhere(words) for one in COMMANDS for words in doc_rules.simple_commands(one.text)}

    assert set(ELSEWHERE) - used == set()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ansible-playbook netmedic.calico.diagnoze -i hosts.yml", "no playbook netmedic.calico.diagnoze"),
        ("ansible-playbook netmedic.calico.diagnose -i host.yml", "inventory host.yml"),
        ("ansible-playbook netmedic.calico.diagnose -i hosts.yml --becom", "no option --becom"),
        ("ansible-playbook netmedic.calico.diagnose -i hosts.yml --nosuch", "no option --nosuch"),
        ("ansible-playbook netmedic.calico.diagnose -i hosts.yml -e report_dri=x", "the variable report_dri"),
        ("ansible-playbook netmedic.calico.diagnose -i hosts.yml -e lint_paths=x", "the variable lint_paths"),
        ("ansible-playbook netmedic.calico.diagnose -i hosts.yml -e report_formats=jsn", "jsn"),
        ('ansible-playbook netmedic.calico.lint -e \'{"lint_paths": ["nowhere"]}\'', "nowhere"),
        ("ansible-playbook netmedic.calico.diagnose -e 'report_dir=x", "No closing quotation"),
        ("ansible all -i hosts.yml -m netmedic.calico.node_fact", "no module netmedic.calico.node_fact"),
        ("ansible-doc -t filter netmedic.calico.clasify", "no filter netmedic.calico.clasify"),
        ("make diagnos", "no target diagnos"),
        ("make diagnose FALT=x", "no variable FALT"),
        ("make diagnose FAULT=x", "no fault x"),
        (".venv/bin/python -m scripts.chek", "no module scripts.chek"),
        (".venv/bin/python -m scripts.check rufff", "no file rufff"),
        (".venv/bin/python -m matrix --lst", "no option --lst"),
        ("kubectl delete node x", "doc_elsewhere"),
        ("kubectl apply -f roles/nowhere.yml", "roles/nowhere.yml"),
        ("frobnicate", "frobnicate"),
        ("make help && frobnicate", "frobnicate"),
    ],
)
def test_a_slip_is_told(text, sentence):
    assert sentence in " ".join(doc_rules.complaints(text))
