# SPDX-License-Identifier: Apache-2.0
"""Connections are divided, whatever is said on them.

A TCPRoute is for databases, mail and all else that is not HTTP. Nothing is read of a connection, so
the server may speak first. Each connection is drawn once: a new route is for new connections, and
those that are open stay where they are.
"""

import collections
import socket
import time

from rig.process import until
from rig.traffic import greeter, split_bounds

from stage import SHOP, TCP, Stage

ADDRESS = f"{SHOP}:{TCP}"
CONNECTIONS = 400
WEIGHTS = {"stable": 3, "canary": 1}
AT_ONCE_MS = 1000
SECONDS = 5


def show(stage: Stage) -> None:
    routes = (stage.mesh.config / "routes.yaml").read_text()
    until(lambda: greeter(ADDRESS) in WEIGHTS, SECONDS, "connections are routed")
    counts = collections.Counter(greeter(ADDRESS) for _ in range(CONNECTIONS))
    with stage.table(f"{CONNECTIONS} connections", "weight", "expected", "observed") as table:
        for backend in {**WEIGHTS, **counts}:
            share = WEIGHTS.get(backend, 0) / sum(WEIGHTS.values())
            table.check(backend, WEIGHTS.get(backend, 0), expected=round(CONNECTIONS * share),
                        observed=counts[backend],
                        good=counts[backend] in split_bounds(CONNECTIONS, share))

    began = time.monotonic()
    with socket.create_connection((SHOP, TCP), timeout=SECONDS) as connection, \
            connection.makefile() as lines, stage.table("", "expected", "observed") as table:
        greeting = lines.readline().strip()
        after = (time.monotonic() - began) * 1000
        table.check("a client that says nothing", expected="a greeting, at once",
                    observed=f"'{greeting}', {after:.0f} ms",
                    good=greeting.startswith("hello from ") and after < AT_ONCE_MS)
        stage.apply(routes.replace("stable", "cart").replace("canary", "cart"))
        until(lambda: greeter(ADDRESS) == "cart", SECONDS, "new connections go to 'cart'")
        counts = collections.Counter(greeter(ADDRESS) for _ in range(CONNECTIONS))
        table.check(f"{CONNECTIONS} more, both backends being 'cart'",
                    expected=f"cart: {CONNECTIONS}",
                    observed=", ".join(f"{name}: {n}" for name, n in counts.items()))
        connection.sendall(b"still there?\n")
        table.check("the one from before, still open: an echo",
                    expected="still there?", observed=lines.readline().strip() or "(closed)")
