# SPDX-License-Identifier: Apache-2.0
"""Random routes, and random requests that come close to them.

Vocabularies are small so that rules overlap; a request begins with what some match asks for and is
then spoiled a little, in the ways in which clients, proxies and specifications disagree.
"""

import random
from typing import Callable, List

from . import objects
from .spec import Request

SEGMENTS = ["a", "a", "b", "ab", "v1", "A", "a.b", "%41"]
METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE"]
AGES = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"]
PATH_REGEXES = {  # with paths that match, or nearly
    "/a(/.*)?": ["/a", "/a/", "/a/b", "/ab"], "/[ab]+": ["/a", "/ab", "/aab", "/abc"],
    "/v[0-9]": ["/v1", "/v12", "/v"], "/(a|ab)/.*": ["/ab/", "/a/x", "/a"],
    "/.*b": ["/b", "/a/b", "/bb/"], "(?i)/a": ["/A", "/a", "/a/"], "/a\\.b": ["/a.b", "/axb"],
    "/a|/b/.*": ["/a", "/ax", "/b/", "/b"], "/a%2Fb": ["/a%2Fb", "/a%2fb", "/a/b"],
    "/.": ["/\xe9", "/x", "/xy"], "^/a{2}$": ["/aa", "/a", "/aaa"],
    "/\\w+/?": ["/a", "/a/", "/a-"], "/[^/]+/b": ["/a/b", "//b", "/a//b"],
    "a": ["/a"], "/a.*": ["/a", "/a?p=1"],
}
HEADERS = ["x-one", "X-Two", "x-three"]
VALUES = ["1", "2", "one", "1,2", "One"]
VALUE_REGEXES = {"1|2": ["1", "2", "12"], "[a-c]+": ["abc", "abd"], "^1$": ["1", "11"],
                 "(?i)one": ["ONE", "One"], "1,2": ["1,2"], ".*": ["", "x"], "1.?2": ["1,2", "12"],
                 "\\d+": ["123", "1a"], "x?": ["", "x", "xx"],
                 "x.": ["xy", "x\xe9", "x\xc3\xa9"]}
PARAMETERS = ["p", "q", "P"]
PARAMETER_VALUES = ["1", "2", "a+b", "a%20b", "a b", "1=1"]
QUERIES = ["", "p", "p=", "=1", "&&p=1&", "p=1&p=2", "p=2&p=1", "P=1", "%70=1", "p=%31", "p=a+b",
           "p=a%20b", "p=a%2Bb", "p=1;q=2", "p==1", "q=1?p=1", "p=1&q=1", "q=2&p=1&P=2", "p&p=1",
           "p=1%00", "p=1%26q=1", "p=%zz", "p=\xe9"]
SERVICES = ["shop.Cart", "shop.Cart2", "shop.CartX", "shopXCart", "Cart", "shop.cart"]
NAMES = ["Add", "AddAll", "add", "Get"]
SERVICE_REGEXES = {"shop\\.(Cart|Stock)": ["shop.Cart", "shop.Stock"], "shop.Cart": ["shopXCart"],
                   "[A-Z].*": ["Cart", "shop.Cart"], "shop[.].+": ["shop.Cart2", "shop."],
                   "Cart|shop": ["Cart", "shop"]}
NAME_REGEXES = {"Add.*": ["Add", "AddAll", "add"], "(?i)add": ["ADD"], "Get|Add": ["Get", "GetAdd"]}
CALL_VALUES = ["1", "2", "one", "1,2"]  # as metadata


class Chance:
    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def one_in(self, n: int) -> bool:
        return self.random.randrange(n) == 0

    def any(self, items):
        return self.random.choice(list(items))

    def some(self, items, most: int) -> list:
        return [self.any(items) for _ in range(self.random.randint(0, most))]

    # --- routes -----------------------------------------------------------------------------

    def path(self) -> str:
        return "/" + "/".join(self.some(SEGMENTS, 3))

    def path_match(self) -> dict:
        kind = self.any(["Exact", "PathPrefix", "PathPrefix", "RegularExpression"])
        if kind == "RegularExpression":
            return {"type": kind, "value": self.any(PATH_REGEXES)}
        path = self.path()
        return {"type": kind, "value": path + ("/" if path != "/" and self.one_in(4) else "")}

    def value_match(self, name: str, values: list) -> dict:
        if self.one_in(3):
            return {"type": "RegularExpression", "name": name, "value": self.any(VALUE_REGEXES)}
        return {"type": "Exact", "name": name, "value": self.any(values)}

    def header_matches(self, values: list) -> list:
        names = self.random.sample(HEADERS, self.random.randint(1, 2))
        return [self.value_match(name, values) for name in names]

    def http_match(self) -> dict:
        match = {}
        if not self.one_in(4):
            match["path"] = self.path_match()
        if self.one_in(4):
            match["method"] = self.any(METHODS)
        if self.one_in(3):
            match["headers"] = self.header_matches(VALUES)
        if self.one_in(3):
            names = self.random.sample(PARAMETERS, self.random.randint(1, 2))
            match["queryParams"] = [self.value_match(n, PARAMETER_VALUES) for n in names]
        return match

    def method_match(self) -> dict:
        exact = not self.one_in(3)
        services, names = (SERVICES, NAMES) if exact else (SERVICE_REGEXES, NAME_REGEXES)
        parts = self.any([("service",), ("method",), ("service", "method")])
        values = {"service": self.any(services), "method": self.any(names)}
        return {"type": "Exact" if exact else "RegularExpression", **{p: values[p] for p in parts}}

    def grpc_match(self) -> dict:
        match = {}
        if not self.one_in(5):
            match["method"] = self.method_match()
        if self.one_in(3):
            match["headers"] = self.header_matches(CALL_VALUES)
        return match

    def call_path_match(self) -> dict:
        """Of an HTTPRoute that gRPC calls take."""
        match = self.grpc_match()
        path = self.any([{"type": "PathPrefix", "value": f"/{self.any(SERVICES)}"},
                         {"type": "Exact", "value": f"/{self.any(SERVICES)}/{self.any(NAMES)}"},
                         {"type": "RegularExpression", "value": "/shop[.].*/Add"}])
        match.pop("method", None)
        if not self.one_in(5):
            match["path"] = path
        if self.one_in(3):
            match["method"] = self.any(["GET", "POST"])
        if self.one_in(5):
            match["queryParams"] = [self.value_match("p", PARAMETER_VALUES)]
        return match

    def routes(self, declare: Callable, a_match: Callable, parent: str, namespace: str,
               a_backend: Callable) -> List[dict]:
        """declare: objects.http_route or grpc_route; a_backend: a backendRef for each rule."""
        routes = []
        for number in range(self.random.randint(1, 4)):
            rules = [objects.rule(a_backend(),
                                  matches=[a_match() for _ in range(self.random.randint(0, 3))])
                     for _ in range(self.random.randint(1, 8))]
            for rule in rules:
                if not rule.get("matches") and not self.one_in(3):
                    rule["matches"] = [a_match()]  # few rules that take everything
            route = declare(f"{parent}-{self.any('abc')}{number}", parent, *rules,
                            namespace=namespace)
            route["metadata"]["creationTimestamp"] = self.any(AGES)
            routes.append(route)
        return routes

    # --- requests ---------------------------------------------------------------------------

    def match_of(self, routes: List[dict]) -> dict:
        rule = self.any(self.any(routes)["spec"]["rules"])
        return self.any(rule.get("matches") or [{}])

    def wanted(self, match: dict, regexes: dict) -> str:
        regex = match.get("type") == "RegularExpression"
        return self.any(regexes.get(match["value"], ["/"])) if regex else match["value"]

    def spoiled_path(self, path: str) -> str:
        slashes = [i for i, c in enumerate(path) if c == "/" and i > 0]
        at = self.any(slashes) if slashes else len(path)
        letters = [i for i, c in enumerate(path) if c.isalpha() and c.isascii()]
        letter = self.any(letters) if letters else None
        return self.any([
            path + "/", path + "//", path[:at] + "/" + path[at:], "/" + path,
            path[:at] + "%2F" + path[at + 1:], path[:at] + "%2f" + path[at + 1:],
            path + "/..", path + "/../a", path + "/.", "/b/.." + path, path + "/%2e%2e/b",
            path[:at] + "/%2e" + path[at:], path.swapcase(), path + "/" + self.any(SEGMENTS),
            path + self.any(SEGMENTS), path[:-1] or "/", path + "%zz", path + "%", path + ";v=1",
            path + "%00", path + "\xe9", path + "#top", path + " x/", path + "\x01",
            path + "/" + "a" * 3000, path + "&p=1", path + "=",
            path if letter is None else f"{path[:letter]}%{ord(path[letter]):02X}"
                                        f"{path[letter + 1:]}",
            path + "+", path + "%20", path + "\\", path + "|", path + '"<>', path + "[1]",
        ])

    def header_values(self, match: dict) -> list:
        """Of one or two headers of this name."""
        value = self.wanted(match, VALUE_REGEXES)
        return self.any([[value]] * 6 + [value.split(",", 1), [value, "2"], ["", value],
                                         [value, ""], [""], [f" {value}  "], [value.swapcase()],
                                         ["1, 2"]])

    def request(self, routes: List[dict]) -> Request:
        """HTTP/1.1; some are such that no client would send them."""
        match = self.match_of(routes)
        path = self.wanted(match["path"], PATH_REGEXES) if "path" in match else self.path()
        path, _, query = path.partition("?")
        request = Request(match.get("method") or self.any(METHODS[:3]), path, query or None)
        for _ in range(self.any([0, 0, 1, 1, 1, 2])):
            request.path = self.spoiled_path(request.path)
        pairs = [f"{m['name']}={self.wanted(m, VALUE_REGEXES)}"
                 for m in match.get("queryParams", [])]
        self.random.shuffle(pairs)
        request.query = "&".join(pairs).replace(" ", "%20") or request.query
        if self.one_in(3):
            more = self.any(QUERIES)
            request.query = self.any([more, f"{request.query or ''}&{more}",
                                      f"{more}&{request.query or ''}"])
        for m in match.get("headers", []):
            name = self.any([m["name"], m["name"].upper(), m["name"].lower()])
            request.headers += [(name, value) for value in self.header_values(m)]
        if self.one_in(5):
            request.headers.append((self.any(HEADERS), self.any(VALUES)))
        if self.one_in(10):
            request.method = self.any(METHODS)
        return request

    def call(self, routes: List[dict]) -> Request:
        """A gRPC call: what comes through is the path and metadata."""
        match = self.match_of(routes)
        method = match.get("method", {})
        method = method if isinstance(method, dict) else {}
        regex = method.get("type") == "RegularExpression"

        def part(name: str, regexes: dict, others: list) -> str:
            value = method.get(name)
            return self.any(others if value is None else regexes[value] if regex else [value])
        service = part("service", SERVICE_REGEXES, SERVICES)
        path = f"/{service}/{part('method', NAME_REGEXES, NAMES)}"
        if self.one_in(3):
            path = self.any([path + "/", path + "x", "/x" + path, path.swapcase(),
                             path.replace(".", "X"), path + "/Add", path.replace("/Add", "//Add"),
                             "/shop" + path])
        request = Request("POST", path)
        for m in match.get("headers", []):
            values = [v.strip() for v in self.header_values(m) if v.isascii()]
            request.headers += [(m["name"].lower(), value) for value in values]
        if self.one_in(5):
            request.headers.append((self.any(HEADERS).lower(), self.any(CALL_VALUES)))
        return request


def rule_name_filter(name: str) -> dict:
    """Tells in the answer which rule was taken."""
    return {"type": "ResponseHeaderModifier",
            "responseHeaderModifier": {"set": [{"name": "x-rule", "value": name}]}}


def name_rules(routes: List[dict]) -> None:
    for route in routes:
        meta = route["metadata"]
        for number, rule in enumerate(route["spec"]["rules"]):
            name = f"{route['kind']}/{meta['namespace']}/{meta['name']}/{number}"
            rule["filters"] = [rule_name_filter(name)]


