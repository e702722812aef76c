#!/usr/bin/python
# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin lint_manifests."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lint_manifests
short_description: Find mistakes in manifests of Calico before they reach a cluster
version_added: 1.1.0
author: netmedic.calico contributors (@netmedic)
description:
  - Reads Kubernetes manifests on the controller, holds what concerns Calico against the rules of
    C(docs/prevention.md), prints what is wrong with file, line and fix, and writes it for other programs.
  - All paths are one whole, so that an object that another one needs, or contradicts, is seen. Nothing is connected
    to.
  - The annotation C(lint.netmedic.calico/accept) of an object lists rules that are accepted for it, parted by commas.
options:
  paths:
    description:
      - Files, folders or globs (C(**) goes through folders). Of a folder all files below it that end in C(.yaml),
        C(.yml) or C(.json), but hidden ones.
      - YAML or JSON, several documents and Lists, also what C(helm template) and C(kustomize build) print.
        Templates are not read.
    type: list
    elements: path
    required: true
  provider:
    description:
      - On what the nodes run, where the objects do not tell. It decides what a pool without encapsulation means.
        V(none) is a network of your own that carries pods' addresses.
    type: str
    choices: ["", aws, azure, gcp, openstack, ibm, alibaba, digitalocean, hetzner, oci, none]
    default: ""
  service_cidrs:
    description: Ranges of Services, which no pool may overlap.
    type: list
    elements: str
    default: []
  node_cidrs:
    description: Networks of the nodes, which no pool may overlap.
    type: list
    elements: str
    default: []
  ignore:
    description: Rules that are left out for all objects.
    type: list
    elements: str
    default: []
  directory:
    description: The directory on the controller in which the files of O(formats) are written. Empty writes none.
    type: path
    default: ""
  formats:
    description:
      - The forms in which they are written, as C(lint.json), C(lint.txt), C(lint.sarif.json) and
        C(lint.junit.xml).
    type: list
    elements: str
    choices: [json, text, sarif, junit]
    default: [json]
  fail_on:
    description:
      - The least severity of a finding for which RV(failure) is not empty. With V(never) no finding is one; that no
        object was found is told all the same.
    type: str
    choices: [info, minor, major, critical, never]
    default: major
  width:
    description: The greatest width of a printed line.
    type: int
    default: 100
attributes:
  check_mode:
    description: Can run in check mode and tell what it would do, without writing.
    support: full
  diff_mode:
    description: The difference of two runs is not shown.
    support: none
seealso:
  - module: netmedic.calico.analyze_bundles
"""

EXAMPLES = r"""
- name: Check the manifests of this repository
  netmedic.calico.lint_manifests:
    paths:
      - clusters/production
      - "apps/**/calico*.yaml"
    provider: azure
    directory: out
    formats: [sarif, junit]
"""

RETURN = r"""
files:
  description: The files that were read.
  type: list
  elements: str
  returned: success
objects:
  description: How many objects are in them.
  type: int
  returned: success
findings:
  description:
    - What is wrong, the worst first. C(rule) is the rule's id, C(fault) the fault of the catalogue that it leads to
      or empty, C(file), C(line), C(object) and C(field) the place, C(summary), C(why) and C(fix) sentences.
  type: list
  elements: dict
  returned: success
failure:
  description: One sentence, empty where nothing is as bad as O(fail_on).
  type: str
  returned: success
"""
