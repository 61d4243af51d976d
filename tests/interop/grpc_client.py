#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the calls that standard input asks for, over gRPC's C core; rig/grpc.py says how."""

import json
import os
import sys
import threading
import time

import grpc

stopped = set()  # the ids of commands
output_lock = threading.Lock()


def print_line(**line) -> None:
    with output_lock:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def send(channel: grpc.Channel, command: dict, call: dict) -> dict:
    metadata = [tuple(pair) for pair in call["metadata"]]
    try:
        reply, ended = channel.unary_unary(call["method"]).with_call(
            b"", timeout=command["timeout"], metadata=metadata, wait_for_ready=command["waits"])
        cookies = [value for name, value in ended.initial_metadata() if name == "set-cookie"]
        return {"reply": json.loads(reply), "cookies": cookies}
    except grpc.RpcError as error:
        return {"code": error.code().name, "message": error.details()}


def run(command: dict, target: str) -> None:
    number, calls, count = command["id"], command["calls"], command["count"]
    channel = grpc.insecure_channel(target)
    start = time.monotonic()
    sent = 0
    while count == 0 or sent < count:
        if command["rps"]:
            time.sleep(max(0.0, start + sent / command["rps"] - time.monotonic()))
        if number in stopped:
            break
        which = sent % len(calls)
        before = time.monotonic()
        outcome = send(channel, command, calls[which])
        print_line(id=number, target=target, call=which, at=time.time(),
                   ms=(time.monotonic() - before) * 1000, **outcome)
        sent += 1
    channel.close()
    print_line(id=number, target=target, end=True)


def main() -> None:
    for line in sys.stdin:
        command = json.loads(line)
        if "stop" in command:
            stopped.add(command["stop"])
            continue
        for target in command["targets"]:
            threading.Thread(target=run, args=(command, target), daemon=True).start()
    sys.stdout.flush()
    os._exit(0)  # whatever the threads do


if __name__ == "__main__":
    main()
