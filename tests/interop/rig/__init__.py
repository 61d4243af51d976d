# SPDX-License-Identifier: Apache-2.0
"""A mesh on this machine, started and driven from Python: for the interop tests and the demo."""
