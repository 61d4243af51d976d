// SPDX-License-Identifier: Apache-2.0

// Makes the calls that standard input asks for, over grpc-js; tests/interop/rig/grpc.py says how.
"use strict";

const readline = require("node:readline");
const { setTimeout: sleep } = require("node:timers/promises");

const grpc = require("@grpc/grpc-js");
const xds = require("@grpc/grpc-js-xds");

const stopped = new Set();
const raw = (bytes) => bytes;
// The first channel stays, as an application's do: grpc-js-xds 1.14 ends its stream with the last
// one, and if another is made before the end is confirmed, takes it for the end of the new stream.
let kept = null;

function print(line) {
    process.stdout.write(JSON.stringify(line) + "\n");
}

/** {reply} or {code, message} */
function send(channel, { timeout, waits }, call) {
    const metadata = new grpc.Metadata({ waitForReady: waits });
    for (const [name, value] of call.metadata) {
        metadata.add(name, value);
    }
    const options = { deadline: Date.now() + timeout * 1000 };
    return new Promise((resolve) => {
        const answer = (error, reply) => resolve(error
            ? { code: grpc.status[error.code], message: error.details }
            : { reply: JSON.parse(reply) });
        channel.makeUnaryRequest(call.method, raw, raw, Buffer.alloc(0), metadata, options, answer);
    });
}

async function run(command, target) {
    const { id, calls, count, rps } = command;
    const channel = new grpc.Client(target, grpc.credentials.createInsecure());
    kept ??= channel;
    const start = performance.now();
    for (let sent = 0; count === 0 || sent < count; sent++) {
        if (rps > 0) {
            await sleep(Math.max(0, start + (sent / rps) * 1000 - performance.now()));
        }
        if (stopped.has(id)) {
            break;
        }
        const call = sent % calls.length;
        const before = performance.now();
        const outcome = await send(channel, command, calls[call]);
        const ms = performance.now() - before;
        print({ id, target, call, at: Date.now() / 1000, ms, ...outcome });
    }
    if (channel !== kept) {
        channel.close();
    }
    print({ id, target, end: true });
}

xds.register();
readline.createInterface({ input: process.stdin }).on("line", (text) => {
    const command = JSON.parse(text);
    if (command.stop !== undefined) {
        stopped.add(command.stop);
        return;
    }
    for (const target of command.targets) {
        run(command, target);
    }
}).on("close", () => process.exit(0));
