# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation site: `make site` writes it to build/site/html. A warning is an error. It is one of the checks.

antsibull-docs describes plugins and roles, the Markdown pages are taken as they are on GitHub (scripts/site_pages.py),
Sphinx makes HTML of both. Only the first run needs a network, for the packages in docs/requirements.txt.
"""

from __future__ import annotations

import os
import shutil

from scripts import site_pages
from scripts.console import alone_with, headline, run, say, show_tail
from scripts.environment import collection_tree
from scripts.paths import BUILD, LOGS, NAME, NAMESPACE, ROOT, VENV, printable, venv_program

HOME = BUILD / "site"
SOURCE, HTML, DOCTREES = HOME / "source", HOME / "html", HOME / "doctrees"
REQUIREMENTS = ROOT / "docs" / "requirements.txt"
PACKAGES = HOME / "packages"
CONFIG = ROOT / "docs" / "conf.py"


def main() -> int:
    """Build the site of the pages and the plugins as they are. The exit status."""
    with alone_with(HOME / "lock", "building the site"):
        return _build()


def prepare() -> str:
    """Install what Sphinx needs for our pages, if it is not there yet. Why that cannot be done ('' if it is there)."""
    stamp, wanted = PACKAGES / ".made-from", REQUIREMENTS.read_text(encoding="utf-8")
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return ""
    headline("Installing what the site needs into build/site")
    shutil.rmtree(PACKAGES, ignore_errors=True)
    log = LOGS / "site-setup.log"
    pip = [venv_program("python"), "-m", "pip", "install", "--disable-pip-version-check", "--no-deps"]
    done = run([*pip, "--target", str(PACKAGES), "-r", str(REQUIREMENTS)], log=log, cwd=ROOT)
    if done.status:
        show_tail(done, log)
        return f"pip could not install the packages of {printable(REQUIREMENTS)}; is a package index within reach?"
    stamp.write_text(wanted, encoding="utf-8")
    return ""


def _build() -> int:
    headline("Laying out the pages, and describing plugins and roles")
    shutil.rmtree(SOURCE, ignore_errors=True)
    shutil.rmtree(HTML, ignore_errors=True)
    count = site_pages.lay_out(SOURCE)
    shutil.copy(CONFIG, SOURCE / "conf.py")
    reference = SOURCE / site_pages.REFERENCE
    reference.mkdir()
    how = ["--use-current", "--squash-hierarchy", "--fail-on-error", "--no-add-antsibull-docs-version"]
    if not _done("antsibull-docs", ["collection", *how, "--dest-dir", str(reference), f"{NAMESPACE}.{NAME}"]):
        return 1
    headline("Making HTML with Sphinx")
    strict = ["-q", "-W", "--keep-going", "-b", "html", "-d", str(DOCTREES)]
    if not _done("python", ["-m", "sphinx", *strict, str(SOURCE), str(HTML)]):
        return 1
    say(f"    {count} pages, and plugins and roles: {printable(HTML / 'index.html')}")
    return 0


def _done(program: str, arguments: list[str]) -> bool:
    """Whether a program of the virtual environment ended well; if not, the end of what it said is shown."""
    log = LOGS / f"site-{'sphinx' if program == 'python' else program}.log"
    environ = {
        "PATH": f"{VENV / 'bin'}:{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": str(PACKAGES),
        "ANSIBLE_COLLECTIONS_PATH": str(collection_tree()),
    }
    done = run([venv_program(program), *arguments], log=log, cwd=ROOT, env=environ)
    if done.status:
        show_tail(done, log)
    return done.status == 0
