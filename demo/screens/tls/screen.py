# SPDX-License-Identifier: Apache-2.0
"""The server name of a TLS connection chooses the backend.

Nothing is decrypted on the way: the backends have the certificates, and each client here checks the
one that it is shown. Only the name that a client asks for at first (SNI) is looked at. The exact
name comes before a wildcard; what no route names is refused.
"""

from rig.process import until
from rig.tls import TlsBackends

from stage import PODS, SHOP, TLS, Stage

ADDRESS = f"{SHOP}:{TLS}"
SECONDS = 5
CLIENTS = [  # server name, backend, why
    ("www.example.com", "stable", "*.example.com"),
    ("x.a.example.com", "stable", "*.example.com, of any depth"),
    ("pay.example.com", "pay", "the exact name comes first"),
    ("PAY.example.com", "pay", "capital letters make no difference"),
    ("mail.example.org", "pay", "another name of the route"),
    ("example.com", "refused", "a wildcard stands for something"),
    ("www.example.net", "refused", "no route has it"),
    (None, "refused", "no server name"),
]


def show(stage: Stage) -> None:
    at = {pod: f"{stage.pods[pod]}:{PODS[TLS]}" for pod in ("stable", "pay")}
    with TlsBackends(stage.mesh.work / "pki", at) as backends, \
            stage.table("server name", "why", "expected", "observed") as table:
        name, backend, _ = CLIENTS[0]
        until(lambda: backends.outcome(ADDRESS, name) == backend, SECONDS, "the routes are served")
        for name, backend, why in CLIENTS:
            table.check(name or "(none)", why, expected=backend,
                        observed=backends.outcome(ADDRESS, name))
