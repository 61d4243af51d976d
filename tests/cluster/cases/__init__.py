# SPDX-License-Identifier: Apache-2.0
"""The tests, a module for each part of what heddle does in a cluster."""
