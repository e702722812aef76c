# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pure rules of the emulated Kubernetes API: how objects change, what is valid, who may do what, what is selected.

Nothing here keeps objects or talks to anybody; the only files read are the schemas of custom resources. Every function
either answers or raises an `ApiError` with the code and the words of a real API server.
"""
