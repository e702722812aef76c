# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx' settings for the documentation site; `make site` lays the pages out and runs it (scripts/site.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docutils.nodes import reference
    from sphinx.application import Sphinx

project = "netmedic.calico"
copyright = "netmedic.calico contributors"  # noqa: A001 - Sphinx' own name for it
html_title = "netmedic.calico"

extensions = ["myst_parser", "sphinx_antsibull_ext"]
# Links lead to headings by the names that GitHub gives them.
myst_heading_anchors = 4
# Indented blocks in Markdown name no language.
highlight_language = "text"

# It brings its fonts and scripts along: the site is whole without a network.
html_theme = "sphinx_rtd_theme"
html_show_sphinx = False
html_use_index = False
html_copy_source = False

# What antsibull-docs refers to in Ansible's own documentation. Its inventory of labels lies on the net, and the site is
# built without one.
ANSIBLE = "https://docs.ansible.com/ansible/latest"
LABELS = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}
# Ansible's documentation has pages of these collections, and ours refers to them.
COLLECTIONS = ("ansible.builtin", "awx.awx")


def of_ansible(_app: Sphinx, _env: Any, node: Any, words: Any) -> reference | None:
    """A link to Ansible's documentation for a label of its; None for one that nobody knows, which Sphinx tells."""
    from docutils.nodes import reference

    label = str(node.get("reftarget", ""))
    page = LABELS.get(label)
    for collection in COLLECTIONS:
        if label.startswith(prefix := f"ansible_collections.{collection}."):
            page = f"collections/{collection.replace('.', '/')}/{label.removeprefix(prefix)}.html"
    return reference("", "", words, internal=False, refuri=f"{ANSIBLE}/{page}") if page else None


def setup(app: Sphinx) -> None:
    """Sphinx' entry point."""
    app.connect("missing-reference", of_ansible)
