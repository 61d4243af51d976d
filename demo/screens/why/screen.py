# SPDX-License-Identifier: Apache-2.0
"""Where does this request go, and why?

'heddle why' answers from what heddle serves at this moment. Here each answer is compared with what
becomes of the request.
"""

import json

from stage import Stage

NODE = "sidecar/default/demo"
REQUESTS = [("/cart/7", {"version": "two"}), ("/cart/7", {}), ("/", {})]  # the first: in full


def show(stage: Stage) -> None:
    def why(path: str, headers: dict, *options: str) -> str:
        words = [word for pair in headers.items() for word in ("-H", ": ".join(pair))]
        words = [NODE, "GET", f"http://shop.default:8000{path}", *words]
        return stage.heddle.command("why", *words, *options, "--admin",
                                    stage.heddle.addresses["admin"]).stdout

    path, headers = REQUESTS[0]
    print(f"\n  $ heddle why {NODE} GET http://shop.default:8000{path} -H 'version: two'")
    stage.quote(why(path, headers))
    with stage.table("request", "heddle says", "happened") as table:
        for path, headers in REQUESTS:
            answer = json.loads(why(path, headers, "-o", "json"))
            backends = [b["backend"] for b in answer["decision"]["backends"]]
            table.check("".join([f"GET {path}", *[f", {n}: {v}" for n, v in headers.items()]]),
                        expected=", ".join(backends).removeprefix("default/").removesuffix(":8000"),
                        observed=stage.request(path, **headers).outcome)
