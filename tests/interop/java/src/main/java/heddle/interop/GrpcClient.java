// SPDX-License-Identifier: Apache-2.0

package heddle.interop;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.grpc.CallOptions;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** Makes the calls that standard input asks for, over grpc-java; tests/interop/rig/grpc.py says how. */
final class GrpcClient {
    private record Call(String method, List<List<String>> metadata) {}

    private record Command(int id, List<String> targets, List<Call> calls, int count, double rps,
                           double timeout, boolean waits, Integer stop) {}

    private static final long NANOS = 1_000_000_000L;
    private static final Gson GSON = new Gson();
    private static final PrintStream OUTPUT =
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    private static final Set<Integer> STOPPED = ConcurrentHashMap.newKeySet();

    private GrpcClient() {}

    /** Bytes as they are, so that any method of any service can be called without generated code. */
    private static final class Raw implements MethodDescriptor.Marshaller<byte[]> {
        @Override
        public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try {
                return stream.readAllBytes();
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }
    }

    static MethodDescriptor<byte[], byte[]> method(String path) {
        return MethodDescriptor.<byte[], byte[]>newBuilder(new Raw(), new Raw())
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName(path.substring(1))
            .build();
    }

    private static byte[] send(ManagedChannel channel, Command command, Call call) {
        CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(
            (long) (command.timeout() * NANOS), TimeUnit.NANOSECONDS);
        Metadata metadata = new Metadata();
        for (List<String> pair : call.metadata()) {
            metadata.put(Metadata.Key.of(pair.get(0), Metadata.ASCII_STRING_MARSHALLER), pair.get(1));
        }
        return ClientCalls.blockingUnaryCall(
            ClientInterceptors.intercept(
                channel, MetadataUtils.newAttachHeadersInterceptor(metadata)),
            method(call.method()),
            command.waits() ? options.withWaitForReady() : options,
            new byte[0]);
    }

    private static synchronized void print(JsonObject line) {
        OUTPUT.println(GSON.toJson(line));
    }

    private static JsonObject line(Command command, String target) {
        JsonObject line = new JsonObject();
        line.addProperty("id", command.id());
        line.addProperty("target", target);
        return line;
    }

    private static void callOnce(Command command, String target, ManagedChannel channel, int which) {
        JsonObject line = line(command, target);
        line.addProperty("call", which);
        long start = System.nanoTime();
        try {
            byte[] reply = send(channel, command, command.calls().get(which));
            line.add("reply", JsonParser.parseString(new String(reply, StandardCharsets.UTF_8)));
        } catch (StatusRuntimeException error) {
            String message = error.getStatus().getDescription();
            line.addProperty("code", error.getStatus().getCode().name());
            line.addProperty("message", message == null ? "" : message);
        }
        line.addProperty("ms", (System.nanoTime() - start) / 1e6);
        line.addProperty("at", System.currentTimeMillis() / 1e3);
        print(line);
    }

    private static void run(Command command, String target) {
        ManagedChannel channel =
            Grpc.newChannelBuilder(target, InsecureChannelCredentials.create()).build();
        try {
            long start = System.nanoTime();
            for (int sent = 0; command.count() == 0 || sent < command.count(); sent++) {
                if (command.rps() > 0) {
                    long due = start + (long) (sent / command.rps() * NANOS);
                    TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
                }
                if (STOPPED.contains(command.id())) {
                    break;
                }
                callOnce(command, target, channel, sent % command.calls().size());
            }
            channel.shutdown().awaitTermination(1, TimeUnit.SECONDS);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
        JsonObject end = line(command, target);
        end.addProperty("end", true);
        print(end);
    }

    public static void main(String[] args) throws IOException {
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String text = input.readLine(); text != null; text = input.readLine()) {
            Command command = GSON.fromJson(text, Command.class);
            if (command.stop() != null) {
                STOPPED.add(command.stop());
                continue;
            }
            for (String target : command.targets()) {
                Thread worker = new Thread(() -> run(command, target));
                worker.setDaemon(true);
                worker.start();
            }
        }
    }
}
