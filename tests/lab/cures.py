# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One role that repairs, run by itself on a lab, and what it printed."""

from __future__ import annotations

import json
import os
import re
import subprocess

from scripts.paths import ROOT, VENV

RECORDS = "/var/lib/netmedic-calico"
ENVIRONMENT = {"ANSIBLE_CONFIG": str(ROOT / "scripts" / "lab.cfg")}


def account(lab, name="netmedic-remediate"):
    """The kubeconfig of an account of the lab; "" is the administrator's."""
    return str(lab.state.path("kubeconfig" + (f"-{name}" if name else "")))


def run(lab, tmp_path, *arguments, role, task=None, hosts="all", rc=0, **variables):
    """Run a playbook of a role only, or of one task, as the account that may repair; what was printed."""
    play = {"hosts": hosts, "gather_facts": False, "vars": variables}
    play.update({"tasks": [task]} if task else {"roles": [f"netmedic.calico.{role}"]})
    path = tmp_path / "play.json"
    path.write_text(json.dumps([play]))
    # The lab's inventory names the account that only reads.
    told = json.dumps({"collect_kubeconfig": account(lab), **variables})
    argv = [str(VENV / "bin" / "ansible-playbook"), "-i", lab.inventory, str(path), "--diff", "-e", told, *arguments]
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, env={**os.environ, **ENVIRONMENT}, cwd=ROOT
    )
    assert done.returncode == rc, done.stdout + done.stderr
    return done.stdout + done.stderr


def diffs(text):
    """The lines that differences show."""
    return [line for line in text.splitlines() if re.match(r"[+-] ?\S", line)]


def changed(text):
    """How many tasks changed something, by the recap."""
    return sum(int(number) for number in re.findall(r"changed=(\d+)", text))


def lasting(rules):
    """The texts of rules without their counters and comments, but with ufw's own lines, which begin with ###."""
    return re.sub(r"(?m)\[\d+:\d+\]|packets \d+ bytes \d+|^# .*$", "", rules)
