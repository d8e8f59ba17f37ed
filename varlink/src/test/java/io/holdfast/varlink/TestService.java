package io.holdfast.varlink;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.server.Call;
import io.holdfast.varlink.server.MethodOption;
import io.holdfast.varlink.server.ServerLimits;
import io.holdfast.varlink.server.Service;
import io.holdfast.varlink.server.UpgradeHandler.Upgrade;
import io.holdfast.varlink.server.VarlinkServer;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** A server with a method of each kind, on its own abstract address. */
public final class TestService implements AutoCloseable {
    public static final Interface DEFINITION =
            Interface.parse(
                    """
                    # For tests.
                    interface io.holdfast.test

                    type Kind (one, two)

                    # Gives back what it gets.
                    method Echo(text: ?string, number: ?int, kind: ?Kind)
                        -> (text: ?string, number: ?int, kind: ?Kind)
                    method Peer() -> (uid: int, pid: int)
                    # Counts from 1 on, one reply each.
                    method Count(to: int) -> (value: int)
                    method Fail(how: string) -> ()
                    method Later(text: string) -> (text: string)
                    # Ends when the caller hangs up.
                    method Hang() -> ()
                    method Note(text: string) -> ()
                    # The text that the descriptor gives, and a descriptor that gives it again.
                    method Copy(fd: int) -> (text: string, fd: int)
                    method Speak() -> (greeting: string)
                    method Blob(size: int) -> (text: string)
                    method Broken() -> (must: int)
                    method Unserved() -> ()
                    error NotThere (name: string)
                    """);

    final BlockingQueue<String> notes = new LinkedBlockingQueue<>();
    final Semaphore hangs = new Semaphore(0);
    final Semaphore hangups = new Semaphore(0);
    final String name = "holdfast-varlink-test-" + UUID.randomUUID();
    public final VarlinkServer server;

    public TestService(ServerLimits limits, @Nullable Executor executor) {
        VarlinkServer.Builder builder =
                VarlinkServer.builder()
                        .identity("Holdfast", "Test", "1.0", "https://example.org/")
                        .limits(limits)
                        .service(service(executor != null));
        if (executor != null) {
            builder.executor(executor);
        }
        server = builder.build();
        server.listen(UnixAddress.abstractName(name));
    }

    public TestService() {
        this(ServerLimits.standard(), null);
    }

    String address() {
        return "unix:@" + name;
    }

    public VarlinkClient client() {
        return VarlinkClient.connect(address());
    }

    public UnixSocket raw() throws InterruptedException {
        return UnixSocket.connect(UnixAddress.abstractName(name), SocketType.STREAM);
    }

    /** Waits until a call of Hang has begun. */
    public void awaitHang() throws InterruptedException {
        hangs.acquire();
    }

    private Service service(boolean onExecutor) {
        Service.Builder builder =
                Service.of(DEFINITION)
                        .method("Echo", Call::parameters)
                        .method("Peer", TestService::peer)
                        .method("Count", TestService::count, MethodOption.REQUIRES_MORE)
                        .method("Fail", TestService::fail)
                        .asyncMethod("Later", TestService::later)
                        .method("Note", this::note)
                        .method("Copy", TestService::copy, MethodOption.TAKES_DESCRIPTORS)
                        .upgradeMethod("Speak", _ -> speak())
                        .method("Blob", TestService::blob)
                        .method("Broken", _ -> JsonObject.of("must", "no integer"));
        if (onExecutor) {
            builder.asyncMethod("Hang", this::hangAsync);
        } else {
            builder.method("Hang", this::hang);
        }
        return builder.build();
    }

    private static JsonObject peer(Call call) {
        int pid = call.peer().pidFd().map(PidFd::pid).orElse(call.peer().pid());
        return JsonObject.builder().put("uid", call.peer().uid()).put("pid", pid).build();
    }

    private static JsonObject count(Call call) {
        long to = call.parameters().integer("to");
        for (long i = 1; i < to; i++) {
            if (!call.send(JsonObject.of("value", i))) {
                break;
            }
        }
        return JsonObject.of("value", to);
    }

    private static JsonObject fail(Call call) {
        switch (call.parameters().string("how")) {
            case "declared" ->
                    throw new VarlinkException(
                            "io.holdfast.test.NotThere", JsonObject.of("name", "x"));
            case "denied" -> throw VarlinkException.permissionDenied();
            case "errno" -> throw new ErrnoException("open", "/x", Errno.ENOENT);
            default -> throw new IllegalStateException("a fault of the test's service");
        }
    }

    private static CompletableFuture<JsonObject> later(Call call) {
        CompletableFuture<JsonObject> reply = new CompletableFuture<>();
        Thread.ofVirtual()
                .start(() -> {
                    if (call.wantsMore()) {
                        call.send(JsonObject.of("text", "soon"));
                    }
                    String text = call.parameters().string("text");
                    if (text.isEmpty()) {
                        reply.completeExceptionally(VarlinkException.invalidParameter("text"));
                    } else {
                        reply.complete(JsonObject.of("text", text));
                    }
                });
        return reply;
    }

    private JsonObject hang(Call call) throws InterruptedException {
        call.onHangup(hangups::release);
        hangs.release();
        new Semaphore(0).acquire();
        throw new AssertionError("nobody releases it");
    }

    private CompletableFuture<JsonObject> hangAsync(Call call) {
        CompletableFuture<JsonObject> ended = new CompletableFuture<>();
        call.onHangup(() -> {
            hangups.release();
            boolean _ = ended.complete(JsonObject.EMPTY);
        });
        hangs.release();
        return ended;
    }

    private JsonObject note(Call call) {
        notes.add(call.parameters().string("text"));
        return JsonObject.EMPTY;
    }

    private static JsonObject copy(Call call) throws InterruptedException {
        int index = Math.toIntExact(call.parameters().integer("fd"));
        Optional<Fd> given = call.takeDescriptor(index);
        if (given.isEmpty()) {
            throw VarlinkException.invalidParameter("fd");
        }
        String text;
        try (Fd fd = given.get();
                UnixSocket source = UnixSocket.adopt(fd)) {
            text = readAll(source);
        }
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket here = pair[0];
                UnixSocket there = pair[1]) {
            here.sendFully(ByteBuffer.wrap(text.getBytes(UTF_8)));
            return JsonObject.builder()
                    .put("text", text)
                    .put("fd", call.attach(there.fd().duplicate()))
                    .build();
        }
    }

    private static Upgrade speak() {
        return new Upgrade(
                JsonObject.of("greeting", "hello"),
                socket -> {
                    ByteBuffer buffer = ByteBuffer.allocate(256);
                    while (socket.receive(buffer.clear()) >= 0) {
                        byte[] upper =
                                UTF_8.decode(buffer.flip())
                                        .toString()
                                        .toUpperCase(Locale.ROOT)
                                        .getBytes(UTF_8);
                        socket.sendFully(ByteBuffer.wrap(upper));
                    }
                });
    }

    private static JsonObject blob(Call call) {
        int size = Math.toIntExact(call.parameters().integer("size"));
        if (call.wantsMore()) {
            for (int i = 0; i < 1000; i++) {
                call.send(JsonObject.of("text", "x".repeat(size)));
            }
        }
        return JsonObject.of("text", "x".repeat(size));
    }

    public static JsonObject echo(String text, long number) {
        return JsonObject.builder()
                .putIfPresent("text", Optional.of(text))
                .putIfPresent("number", OptionalLong.of(number))
                .build();
    }

    /** Reads the stream to its end as text. */
    public static String readAll(UnixSocket socket) throws InterruptedException {
        StringBuilder text = new StringBuilder();
        ByteBuffer buffer = ByteBuffer.allocate(4096);
        while (socket.receive(buffer.clear()) >= 0) {
            text.append(UTF_8.decode(buffer.flip()));
        }
        return text.toString();
    }

    /**
     * Waits for a condition that the kernel or another thread makes true; the test's time-out
     * bounds the wait.
     */
    public static void until(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Override
    public void close() {
        server.close();
    }
}
