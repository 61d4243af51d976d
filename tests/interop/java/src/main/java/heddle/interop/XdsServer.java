// SPDX-License-Identifier: Apache-2.0

package heddle.interop;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.grpc.CallOptions;
import io.grpc.Grpc;
import io.grpc.HandlerRegistry;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.xds.XdsServerBuilder;
import io.grpc.xds.XdsServerCredentials;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * An xDS-enabled gRPC server in Java. The sibling of xdsserver (tests/interop/go/xdsserver, which
 * documents it): the same arguments, the same lines. grpc-java asks for 0.0.0.0 whatever it is to
 * listen on, so that an ADDR is of no account.
 */
final class XdsServer {
    private static final long CALL_SECONDS = 5;
    private static final Gson GSON = new Gson();
    private static final PrintStream OUTPUT =
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);

    private XdsServer() {}

    private static synchronized void print(JsonObject line) {
        OUTPUT.println(GSON.toJson(line));
    }

    private static JsonObject text(String name, String value) {
        JsonObject object = new JsonObject();
        object.addProperty(name, value);
        return object;
    }

    /** Answers every method with what it got. */
    private record Echo(String name) implements ServerCallHandler<byte[], byte[]> {
        private JsonObject metadata(Metadata headers) {
            JsonObject object = new JsonObject();
            for (String name : headers.keys()) {
                if (!name.endsWith(Metadata.BINARY_HEADER_SUFFIX)) {
                    JsonArray values = new JsonArray();
                    headers.getAll(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER))
                        .forEach(values::add);
                    object.add(name, values);
                }
            }
            return object;
        }

        @Override
        public ServerCall.Listener<byte[]> startCall(ServerCall<byte[], byte[]> call, Metadata headers) {
            call.request(2);
            return new ServerCall.Listener<>() {
                @Override
                public void onHalfClose() {
                    JsonObject answer = text("backend", name);
                    answer.addProperty("method", "/" + call.getMethodDescriptor().getFullMethodName());
                    answer.add("metadata", metadata(headers));
                    call.sendHeaders(new Metadata());
                    call.sendMessage(GSON.toJson(answer).getBytes(StandardCharsets.UTF_8));
                    call.close(Status.OK, new Metadata());
                }
            };
        }
    }

    private static final class AnyMethod extends HandlerRegistry {
        private final Echo echo;

        AnyMethod(String name) {
            echo = new Echo(name);
        }

        @Override
        public ServerMethodDefinition<?, ?> lookupMethod(String method, String authority) {
            MethodDescriptor<byte[], byte[]> descriptor = GrpcClient.method("/" + method);
            return ServerMethodDefinition.create(descriptor, echo);
        }
    }

    /** Tells of every change of its mode. */
    private record Modes(String address) implements XdsServerBuilder.XdsServingStatusListener {
        private void tell(boolean serving, String message) {
            JsonObject line = text("address", address);
            line.addProperty("serving", serving);
            line.addProperty("message", message);
            print(line);
        }

        @Override
        public void onServing() {
            tell(true, "");
        }

        @Override
        public void onNotServing(Throwable why) {
            tell(false, String.valueOf(why));
        }
    }

    /** Blocks until it serves, so each has a thread. */
    private static void serve(String name, String address) {
        int port = Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
        try {
            // what is given stays when the control plane says nothing of TLS
            XdsServerBuilder
                .forPort(port, XdsServerCredentials.create(InsecureServerCredentials.create()))
                .xdsServingStatusListener(new Modes(address))
                .fallbackHandlerRegistry(new AnyMethod(name))
                .build()
                .start();
        } catch (IOException error) {
            System.err.println("XdsServer: " + error);
            System.exit(1);
        }
    }

    private static JsonObject call(ManagedChannel channel, String target) {
        JsonObject line = text("target", target);
        try {
            byte[] reply = ClientCalls.blockingUnaryCall(
                channel, GrpcClient.method("/echo.Echo/Echo"),
                CallOptions.DEFAULT.withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS), new byte[0]);
            line.add("reply", JsonParser.parseString(new String(reply, StandardCharsets.UTF_8)));
        } catch (StatusRuntimeException error) {
            line.addProperty("code", error.getStatus().getCode().name());
            line.addProperty("message", String.valueOf(error.getStatus().getDescription()));
        }
        return line;
    }

    public static void main(String[] args) throws IOException {
        for (String backend : args) {
            String[] parts = backend.split("=", 2);
            Thread server = new Thread(() -> serve(parts[0], parts[1]));
            server.setDaemon(true);
            server.start();
        }
        List<ManagedChannel> kept = new ArrayList<>();
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String target = input.readLine(); target != null; target = input.readLine()) {
            kept.add(Grpc.newChannelBuilder(target, InsecureChannelCredentials.create()).build());
            print(call(kept.get(kept.size() - 1), target));
        }
        System.exit(0);
    }
}
