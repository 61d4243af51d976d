# SPDX-License-Identifier: Apache-2.0
"""What the tests of a cluster are written with."""
