# SPDX-License-Identifier: Apache-2.0
"""What the lints share: which files there are, and C text without comments and strings."""

import os
import pathlib
import re
import subprocess
import sys

TOKEN = re.compile(
    r"""(?P<block>/\*.*?\*/)|(?P<line>//[^\n]*)|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')""",
    re.S,
)


def blank(text):
    """The same number of lines and columns, with nothing on them."""
    return re.sub(r"[^\n]", " ", text)


def strip(text):
    """C without comments and without what stands in strings; // comments are kept."""

    def replace(match):
        if match.lastgroup == "text":
            return match.group()[0] + blank(match.group()[1:-1]) + match.group()[-1]
        return match.group() if match.lastgroup == "line" else blank(match.group())

    return TOKEN.sub(replace, text)


def strip_directives(text):
    """Without preprocessor lines, continued ones included."""
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: blank(m.group()), text, flags=re.M)


def files(root):
    """Every file that is or could be committed, as paths relative to root, sorted."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
    )
    if listed.returncode == 0 and (root / ".git").exists():
        names = [n for n in listed.stdout.split("\0") if n and (root / n).is_file()]
    else:
        names = [
            os.path.relpath(os.path.join(folder, name), root)
            for folder, _, found in os.walk(root)
            for name in found
        ]
    return sorted(set(names))


def c_files(root, *folders):
    """The .c and .h files below one of the folders."""
    return [n for n in files(root) if n.endswith((".c", ".h")) and n.split("/")[0] in folders]


class Report:
    """Collects what is wrong; prints it as file:line: text."""

    def __init__(self, name):
        self.name = name
        self.problems = 0

    def add(self, path, line, text):
        self.problems += 1
        print(f"{path}:{line}: {text}")

    def finish(self, checked):
        if self.problems:
            print(f"{self.name}: {self.problems} problems", file=sys.stderr)
            sys.exit(1)
        print(f"{self.name}: {checked} files are fine")


def root_argument():
    """The tree to check: the first argument that is no option, else this repository."""
    arguments = [a for a in sys.argv[1:] if not a.startswith("-")]
    default = pathlib.Path(__file__).resolve().parent.parent
    return pathlib.Path(arguments[0]).resolve() if arguments else default
