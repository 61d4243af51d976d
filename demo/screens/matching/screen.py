# SPDX-License-Identifier: Apache-2.0
"""Path, method, headers and query decide, the most specific match first.

The order in the file does not count: an exact path comes first, then expressions, then prefixes,
the longest first; of equal paths a match with a method, then the one with more headers, then with
more query parameters.
"""

from stage import Stage

REQUESTS = [  # request, headers, backend, why
    ("GET /", {}, "stable", "nothing else matches"),
    ("GET /cart", {}, "cart", "a prefix"),
    ("GET /cart/x?debug=1", {}, "cart", "the longer path counts, not the query"),
    ("GET /cartoon", {}, "stable", "prefixes match whole elements"),
    ("GET /cart/42", {}, "search", "an expression comes before a prefix"),
    ("GET /cart/42/x", {}, "cart", "it must match the whole path"),
    ("GET /cart/pay", {"version": "two"}, "pay", "exact, whatever the headers"),
    ("GET /cart/x", {"version": "two"}, "canary", "path and header"),
    ("GET /cart/x", {"version": "three"}, "cart", "another value"),
    ("GET /x?debug=1", {}, "debug", "a query parameter"),
    ("GET /x", {"debug": "1"}, "debug", "or a header"),
    ("DELETE /x", {"debug": "1"}, "admin", "a method comes before headers"),
    ("DELETE /cart", {}, "cart", "but after a longer path"),
]


def show(stage: Stage) -> None:
    with stage.table("request", "because", "expected", "observed") as table:
        for request, headers, backend, why in REQUESTS:
            method, path = request.split()
            what = "".join([request, *[f", {name}: {value}" for name, value in headers.items()]])
            table.check(what, why, expected=backend,
                        observed=stage.request(path, method, **headers).outcome)
