# SPDX-License-Identifier: Apache-2.0
"""A relay between clients and heddle that spoils resources."""

from .heddle import Heddle
from .process import Child, program


class Relay:
    """Clients connect to its `address` in place of heddle's."""

    def __init__(self, heddle: Heddle, work):
        self.child = Child("xds relay", [*program("python", "xds_relay"), heddle.addresses["xds"]],
                           work / "xds-relay.log")
        self.address = self.child.process.stdout.readline().strip()
        if not self.address:
            raise self.child.fail("it did not start")

    def __enter__(self) -> "Relay":
        return self

    def __exit__(self, *_) -> None:
        self.child.stop()

    def spoil(self, name: str) -> None:
        """From now on nobody takes resources of this name."""
        self.child.process.stdin.write(name + "\n")
        self.child.process.stdin.flush()
        if self.child.process.stdout.readline() != "spoiled\n":
            raise self.child.fail("it does not answer")
