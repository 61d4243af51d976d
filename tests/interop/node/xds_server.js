// SPDX-License-Identifier: Apache-2.0

// An xDS-enabled gRPC server in JavaScript. The sibling of xdsserver (tests/interop/go/xdsserver,
// which documents it): the same arguments, the same lines, but for those of serving and not serving,
// of which applications are not told.
"use strict";

const readline = require("node:readline");
const grpc = require("@grpc/grpc-js");
const xds = require("@grpc/grpc-js-xds");

const CALL_MS = 5000;
const ECHO = "/echo.Echo/Echo";
const bytes = (value) => value;
const kept = [];

function print(line) {
    process.stdout.write(JSON.stringify(line) + "\n");
}

function serve(name, address) {
    const server = new xds.XdsServer();
    server.register(ECHO, (call, done) => {
        const answer = { backend: name, method: ECHO, metadata: call.metadata.getMap() };
        done(null, Buffer.from(JSON.stringify(answer)));
    }, bytes, bytes, "unary");
    server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error) => {
        if (error) {
            console.error(`xds_server: ${error.message}`);
            process.exit(1);
        }
    });
}

function call(target) {
    const channel = new grpc.Client(target, grpc.credentials.createInsecure());
    kept.push(channel);
    const deadline = Date.now() + CALL_MS;
    channel.makeUnaryRequest(ECHO, bytes, bytes, Buffer.alloc(0), { deadline }, (error, reply) => {
        print(error ? { target, code: grpc.status[error.code], message: error.details }
            : { target, reply: JSON.parse(reply.toString()) });
    });
}

xds.register();
for (const backend of process.argv.slice(2)) {
    serve(...backend.split(/=(.*)/, 2));
}
const input = readline.createInterface({ input: process.stdin });
input.on("line", call);
input.on("close", () => process.exit(0));
