# SPDX-License-Identifier: Apache-2.0
"""How the demo looks: titles, paragraphs, quotes and tables, and whether all was as expected."""

import contextlib
import textwrap
import time
from typing import Iterator, Optional

COLUMNS = 98
QUOTED_MAX = 40  # lines


class Table:
    """Rows of text whose columns are as wide as they must be."""

    def __init__(self, page: "Page", headings: tuple):
        self.page = page
        self.rows = [headings]

    def add(self, *cells) -> None:
        self.rows.append(cells)

    def check(self, *cells, expected, observed, good: Optional[bool] = None) -> None:
        """A row that ends with what was expected and what happened. Equal they need not be where
        `good` says whether that is well: chance and clocks allow more than one answer."""
        verdict = self.page.expect(expected == observed if good is None else good)
        self.add(*cells, expected, observed, verdict)

    def print(self) -> None:
        rows = [[str(cell) for cell in row] for row in self.rows]
        widths = [max(len(row[i]) for row in rows if i < len(row))
                  for i in range(max(map(len, rows)))]
        print()
        for row in rows:
            print("  " + "  ".join(map(str.ljust, row, widths)).rstrip(), flush=True)


class Page:
    def __init__(self):
        self.unexpected = 0

    def expect(self, good: bool) -> str:
        """What to print behind what was observed."""
        self.unexpected += not good
        return "ok" if good else "NOT AS EXPECTED"

    @staticmethod
    def end(unexpected: int, began: float) -> None:
        """began: time.monotonic() then"""
        verdict = f"{unexpected} not as expected" if unexpected else "all as expected"
        print(f"\n{verdict}, in {time.monotonic() - began:.1f} s", flush=True)

    @staticmethod
    def title(text: str) -> None:
        print(f"\n{text}", flush=True)

    @staticmethod
    def say(text: str) -> None:
        """Paragraphs, which blank lines divide."""
        for paragraph in text.strip().split("\n\n"):
            print("\n" + textwrap.fill(" ".join(paragraph.split()), COLUMNS, initial_indent="  ",
                                       subsequent_indent="  "), flush=True)

    @staticmethod
    def quote(text: str) -> None:
        """What somebody else has written, line by line."""
        lines = text.splitlines()
        for line in lines[:QUOTED_MAX] + ["…"] * (len(lines) > QUOTED_MAX):
            print(textwrap.fill(line.rstrip(), COLUMNS, initial_indent="  | ",
                                subsequent_indent="  |   ") or "  |")

    @contextlib.contextmanager
    def table(self, *headings: str) -> Iterator[Table]:
        """Printed when it is complete, or when something went wrong on the way."""
        table = Table(self, headings)
        try:
            yield table
        finally:
            table.print()
