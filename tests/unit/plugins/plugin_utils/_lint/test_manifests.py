# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._lint import manifests
from ansible_collections.netmedic.calico.plugins.plugin_utils._lint.manifests import read, read_paths

POOL = "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata:\n  name: one\nspec:\n  cidr: 10.0.0.0/8\n"


def test_lines_are_those_of_the_file_in_every_document():
    loaded = read(f"# a comment\n---\n{POOL}---\n\n{POOL.replace('one', 'two')}", "a.yaml")
    assert [one.about for one in loaded.documents] == ["IPPool/one", "IPPool/two"]
    assert [one.line for one in loaded.documents] == [3, 11]
    assert [one.line_of("spec", "cidr") for one in loaded.documents] == [8, 16]
    assert loaded.documents[0].line_of("spec", "ipipMode", "x") == 7
    assert loaded.documents[0].line_of("status") == 3


def test_lists_are_opened():
    text = '{"apiVersion": "v1", "kind": "List", "items": [\n{"kind": "IPPool", "apiVersion": "p/v3"},\n[]]}'
    (one,) = read(text, "a.json").documents
    assert (one.kind, one.line) == ("IPPool", 2)


def test_a_part_that_cannot_be_read_does_not_cost_the_others():
    loaded = read(f"{POOL}---\na: [1\nb: }}\n---\n{POOL}", "a.yaml")
    assert len(loaded.documents) == 2
    (one,) = loaded.findings
    assert (one.rule, one.line) == ("document_unreadable", 9)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kind: {{ .Values.kind }}\n", "template"),
        ("{{- if .Values.on }}\nkind: A\n{{- end }}\n", "template"),
        ("a: 1\na: 2\n", 'the field "a" stands twice'),
        ("? [a]\n: 1\n", "a key that is no text"),
        ("a: " + "[" * 300 + "]" * 300, "nested deeper"),
        ("a: *b\n", "undefined alias"),
        ("a: \t@b\n", "cannot"),
    ],
)
def test_what_cannot_be_read_is_told(text, says):
    (one,) = read(text, "a.yaml").findings
    assert says in one.summary
    assert one.line >= 1


def test_aliases_do_not_make_much_of_little():
    text = "a0: &a0 [1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
    )
    (one,) = read(text, "a.yaml").findings
    assert "more values than are read" in one.summary


def test_merge_keys_and_words_are_read_as_kubectl_does():
    text = f"{POOL}  natOutgoing: yes\n  ipipMode: Off\n  disabled: no\n"
    assert read(text, "a.yaml").documents[0].spec == {
        "cidr": "10.0.0.0/8",
        "natOutgoing": True,
        "ipipMode": False,
        "disabled": False,
    }
    merged = "kind: A\napiVersion: v1\nmetadata: &m {name: x}\nspec:\n  <<: *m\n  other: 1\n"
    assert read(merged, "a.yaml").documents[0].spec == {"name": "x", "other": 1}


@pytest.mark.parametrize("text", ["", "---\n", "--- \n...\n", "# nothing\n", "plain words\n", "a: 1\n", "[1, 2]\n"])
def test_what_is_no_object_is_passed_over(text):
    assert read(text, "a.yaml") == manifests.Loaded((), (), ("a.yaml",))


def test_windows_line_ends_and_marks_do_no_harm():
    (one,) = read("\ufeff" + POOL.replace("\n", "\r\n"), "a.yaml").documents
    assert (one.about, one.line_of("spec", "cidr")) == ("IPPool/one", 6)


def test_files_folders_and_globs_each_once(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for name in ("a.yaml", "deep/er/b.yml", ".git/c.yaml", "deep/notes.txt"):
        (tmp_path / name).write_text(POOL, encoding="utf-8")
    loaded = read_paths([str(tmp_path), str(tmp_path / "a.yaml"), str(tmp_path / "**" / "*.y*ml")])
    assert [file.removeprefix(f"{tmp_path}/") for file in loaded.files] == ["a.yaml", "deep/er/b.yml", ".git/c.yaml"][
        :2
    ]
    assert not loaded.findings
    (nothing,) = read_paths([str(tmp_path / "*.json")]).findings
    assert "no file matches" in nothing.summary
    (missing,) = read_paths([str(tmp_path / "z.yaml")]).findings
    assert "no such file" in missing.summary


def test_planned_objects_have_no_lines():
    one = manifests.planned({"kind": "IPPool", "metadata": {"name": "x"}, "spec": {}}, "preflight_objects[0]")
    assert (one.about, one.file, one.line_of("spec")) == ("IPPool/x", "preflight_objects[0]", 0)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (os.mkfifo, "a pipe, a socket or a device"),
        (lambda path: path.symlink_to("gone.yaml"), "a link to a file that is not there"),
        (lambda path: path.symlink_to(path.name), "a link to a file that is not there"),
    ],
    ids=["pipe", "lost link", "link to itself"],
)
@pytest.mark.parametrize("given", [".", "odd.yaml", "*.yaml"], ids=["folder", "name", "glob"])
def test_what_is_no_file_is_told_and_not_waited_for(tmp_path, make, says, given):
    """A pipeline whose rendered manifests are missing must not be green for the others."""
    (tmp_path / "sound.yaml").write_text("kind: Node\napiVersion: v1\nmetadata: {name: a}\n")
    make(tmp_path / "odd.yaml")
    told = read_paths([str(tmp_path / given)]).findings
    assert [says in one.summary for one in told] == [True]
    assert str(tmp_path / "odd.yaml") == told[0].file
