# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs as AWX runs them: ansible-runner with a private data directory for each, and facts that outlive a job.

With jsonfile, AWX writes the hosts' facts into a job's artifacts before it starts and takes them out afterwards; so
does `Files`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
from typing import NamedTuple

import yaml

from scripts.paths import BUILD, VENV

# See requirements-awx.txt. AWX_TOOLS names another environment with the same programs.
TOOLS = os.environ.get("AWX_TOOLS", str(BUILD / "awx"))
PYTHON = os.path.join(TOOLS, "bin", "python")
REDIS = os.environ.get("REDIS_SERVER") or shutil.which("redis-server") or ""
LIMIT = 600  # seconds
_RUN = """
import json, sys, ansible_runner
done = ansible_runner.run(**json.load(sys.stdin))
stats = [one["event_data"].get("artifact_data", {}) for one in done.events if one["event"] == "playbook_on_stats"]
print(json.dumps({"status": done.rc, "stats": stats[-1] if stats else {}, "printed": done.stdout.read()}))
"""


def why_not(*modules):
    """Why these cannot be had, or ''."""
    wanted = ", ".join(modules)
    code = f"import {wanted}"
    if os.path.exists(PYTHON) and not subprocess.run([PYTHON, "-c", code], capture_output=True, check=False).returncode:
        return ""
    return (
        f"{PYTHON} has no {wanted}: python3.11 -m venv build/awx && build/awx/bin/pip install -r requirements-awx.txt"
    )


class Job(NamedTuple):
    """A job that has run: its exit status, what set_stats published, what it printed."""

    status: int
    stats: dict
    printed: str


class Files:
    """What AWX's database does for jsonfile: facts by host, put into each job's artifacts and taken out of them."""

    kind = "jsonfile"

    def __init__(self, folder):
        self.environment = {}
        self.folder = folder / "facts"
        self.folder.mkdir()

    def before(self, artifacts):
        shutil.copytree(self.folder, artifacts / "fact_cache", dirs_exist_ok=True)

    def after(self, artifacts):
        shutil.copytree(artifacts / "fact_cache", self.folder, dirs_exist_ok=True)


class Redis:
    """A fact cache that all jobs share by themselves."""

    kind = "community.general.redis"

    def __init__(self, port, modules):
        self.environment = {
            "ANSIBLE_CACHE_PLUGIN": self.kind,
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": f"127.0.0.1:{port}:0",
            "PYTHONPATH": str(modules),
        }

    def before(self, artifacts):
        pass

    def after(self, artifacts):
        pass


@contextlib.contextmanager
def redis(folder):
    """A Redis server of our own, in memory only."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Only this module of that environment: the others are for another ansible-core.
    modules = folder / "modules"
    modules.mkdir()
    where = subprocess.run([PYTHON, "-c", "import redis; print(redis.__path__[0])"], capture_output=True, check=True)
    (modules / "redis").symlink_to(where.stdout.decode().strip())
    argv = [REDIS, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        end = time.monotonic() + 20
        while True:
            assert time.monotonic() < end, "redis-server does not listen"
            assert server.poll() is None, "redis-server does not start"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        yield Redis(port, modules)
    finally:
        server.terminate()
        server.wait()


def run(cache, folder, playbook, inventory, **variables):
    """Run one playbook of the collection as a job, which gets this inventory."""
    private = folder / f"job-{len(list(folder.glob('job-*'))) + 1}"
    artifacts = private / "artifacts" / "1"
    for each in (private / "inventory", private / "project", artifacts):
        each.mkdir(parents=True)
    (private / "inventory" / "hosts.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    cache.before(artifacts)
    environment = {"ANSIBLE_NOCOLOR": "1", **cache.environment}
    asked = {
        "private_data_dir": str(private),
        "playbook": f"netmedic.calico.{playbook}",
        "ident": "1",
        "quiet": True,
        "extravars": variables,
        "envvars": environment,
        "fact_cache_type": cache.kind,
    }
    path = f"{VENV / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        [PYTHON, "-c", _RUN],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        env={**os.environ, "PATH": path},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    cache.after(artifacts)
    return Job(**json.loads(done.stdout.splitlines()[-1]))


def sliced(inventory, count):
    """The inventories of a sliced job: AWX gives each slice every count-th host, and all variables."""
    hosts = inventory["all"]["hosts"]
    names = list(hosts)
    return [
        {"all": {**inventory["all"], "hosts": {name: hosts[name] for name in names[number::count]}}}
        for number in range(count)
    ]
