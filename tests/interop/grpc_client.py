#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Calls an echod over gRPC's C core and says in JSON what came back.

The sibling of grpcclient (tests/interop/go/grpcclient, which documents the output): the same
options, the same lines. Besides, --script makes the calls that standard input lists.
"""

import argparse
import collections
import json
import os
import sys
import threading
import time

import grpc

stopped = threading.Event()
output_lock = threading.Lock()


def print_line(line: dict) -> None:
    with output_lock:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def run(target: str, options: argparse.Namespace) -> None:
    backends = collections.defaultdict(collections.Counter)
    failures = collections.Counter()
    summary = {"target": target, "sent": 0, "ok": 0, "first_ms": 0.0, "reply": None}
    metadata = [tuple(pair.split("=", 1)) for pair in options.metadata]
    last = {}
    channel = grpc.insecure_channel(target)
    start = time.monotonic()
    while not stopped.is_set() if options.watch else summary["sent"] < options.count:
        if options.rps:
            due = start + summary["sent"] / options.rps
            time.sleep(max(0.0, due - time.monotonic()))
        method = options.method[summary["sent"] % len(options.method)]
        reply = failure = None
        try:
            reply = channel.unary_unary(method)(b"", timeout=options.timeout, metadata=metadata)
        except grpc.RpcError as error:
            failure = (error.code().name, error.details())
        now = time.time()
        summary["sent"] += 1
        if summary["sent"] == 1:
            summary["first_ms"] = round((time.monotonic() - start) * 1000, 3)

        line = {"target": target, "method": method, "at": round(now, 6)}
        if failure:
            failures[failure] += 1
            line["code"], line["message"] = failure
        else:
            answer = json.loads(reply)
            line["backend"] = answer["backend"]
            summary["ok"] += 1
            summary["reply"] = summary["reply"] or answer
            backends[method][line["backend"]] += 1
        outcome = failure or line["backend"]
        if options.watch and last.get(method) != outcome:
            print_line(line)
        last[method] = outcome
    channel.close()
    errors = [{"code": c, "message": m, "count": n} for (c, m), n in failures.items()]
    print_line({**summary, "backends": backends, "errors": errors})


def run_script() -> None:
    """A line {"target", "method", "metadata": [[key, value]]} is one call, and is answered by a
    line {"outcome": backend or status code, "message"}. A channel lasts while its target does."""
    channel, dialled = None, ""
    for line in sys.stdin:
        call = json.loads(line)
        if call["target"] != dialled:
            if channel:
                channel.close()
            channel, dialled = grpc.insecure_channel(call["target"]), call["target"]
        metadata = [tuple(pair) for pair in call["metadata"]]
        try:
            reply = channel.unary_unary(call["method"])(b"", timeout=5, metadata=metadata)
            print_line({"outcome": json.loads(reply)["backend"], "message": ""})
        except grpc.RpcError as error:
            print_line({"outcome": error.code().name, "message": error.details()})


def main() -> None:
    if sys.argv[1:] == ["--script"]:
        run_script()
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", nargs="+", help="xds:///HOST:PORT or ADDR:PORT")
    parser.add_argument("--method", action="append", help="/PKG.SERVICE/METHOD; several take turns")
    parser.add_argument("--metadata", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--count", type=int, default=1, help="calls for each target")
    parser.add_argument("--rps", type=float, default=0, help="calls a second; 0: no pause")
    parser.add_argument("--timeout", type=float, default=5, help="seconds that a call may take")
    parser.add_argument("--watch", action="store_true", help="until standard input ends")
    options = parser.parse_args()
    options.method = options.method or ["/echo.Echo/Echo"]

    workers = [threading.Thread(target=run, args=(target, options)) for target in options.target]
    for worker in workers:
        worker.start()
    if options.watch:
        while os.read(0, 4096):
            pass
        stopped.set()
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main()
