package io.holdfast.authority.polkit1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.authority.AuthorityEngine;
import io.holdfast.authority.PolicyFolders;
import io.holdfast.authority.client.Authority;
import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.Fd;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.testkit.TestBus;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An authority on a bus, with the calls that tests need. A subclass chooses the bus. */
@Timeout(180)
@Needs(root = true)
abstract class AuthorityBusSetUp {
    static final long USER = 20001;
    static final String SUBJECT = "(sa{sv})";
    static final String AGENT_PATH = "/agent";

    /** Users daemon and bin: dbus-daemon accepts only users in the user database. */
    static final int KNOWN = 1;

    static final int OTHER_KNOWN = 2;
    static final Path TEMPORARY = Path.of(System.getProperty("java.io.tmpdir"));

    @TempDir Path folder;
    TestBus bus;
    BusConnection server;
    BusConnection client;
    RemoteObject authority;
    AuthorityEngine engine;
    PolicyKit1 face;
    PolicyFolders folders;
    ForeignParent parent;
    int process;

    abstract TestBus start(Path where) throws Exception;

    /** Makes a Holdfast bus in this JVM. */
    static TestBus holdfastBus(Path where) {
        return new Embedded(
                Bus.open(
                        BusAddress.parse("unix:path=" + where.resolve("bus")),
                        BusConfig.permissive()));
    }

    private record Embedded(Bus bus) implements TestBus {
        @Override
        public String address() {
            return bus.addresses().getFirst().toString();
        }

        @Override
        public Kind kind() {
            return Kind.HOLDFAST;
        }

        @Override
        public void close() {
            bus.close();
        }
    }

    @BeforeEach
    void open() throws Exception {
        letOthersIn();
        folders = new PolicyFolders(folder).action("a.yes", "yes").action("a.no", "no");
        folders.action("a.keep", "auth_self_keep").display(USER, "7", "seat0", "active");
        bus = start(folder);
        server = BusConnection.connect(bus.address());
        client = BusConnection.connect(bus.address());
        engine = AuthorityEngine.open(folders.options());
        face = PolicyKit1.serve(engine, server, false);
        authority = client.object(Authority.BUS_NAME, Authority.OBJECT_PATH);
        parent = ForeignParent.start();
        process = parent.child("subject", "uid=" + USER);
    }

    @AfterEach
    void close() {
        parent.close();
        face.close();
        engine.close();
        client.close();
        server.close();
        bus.close();
    }

    static Struct subject(String kind, Object... details) {
        Map<String, Variant> map = new LinkedHashMap<>();
        for (int i = 0; i < details.length; i += 3) {
            String type = (String) details[i + 1];
            Object value = details[i + 2];
            if (type.equals("u") && value instanceof Integer number) {
                value = Integer.toUnsignedLong(number);
            }
            map.put((String) details[i], Variant.of(type, value));
        }
        return Struct.of(kind, map);
    }

    static Struct numbered(int pid, int uid) {
        return subject("unix-process", "pid", "u", pid, "start-time", "t", 0L, "uid", "i", uid);
    }

    Struct subject() {
        return numbered(process, (int) USER);
    }

    Struct check(Struct subject, String action, int flags) throws Exception {
        return check(authority, subject, action, flags);
    }

    static Struct check(RemoteObject authority, Struct subject, String action, int flags)
            throws Exception {
        return (Struct)
                authority
                        .call(
                                Authority.BUS_INTERFACE,
                                "CheckAuthorization",
                                SUBJECT + "sa{ss}us",
                                subject,
                                action,
                                Map.of(),
                                Integer.toUnsignedLong(flags),
                                "")
                        .getFirst();
    }

    static void assertFailed(ThrowingCallable call) {
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(call)
                .satisfies(e ->
                        assertThat(e.name()).isEqualTo("org.freedesktop.PolicyKit1.Error.Failed"));
    }

    List<Object> call(String method, String signature, Object... arguments) throws Exception {
        return authority.call(Authority.BUS_INTERFACE, method, signature, arguments);
    }

    static Struct pidfd(Fd fd) {
        return subject("unix-process", "pidfd", "h", fd, "uid", "i", (int) USER);
    }

    /** Connects as a user who is not root. The bus takes the user of the connecting thread. */
    BusConnection connectAs(long uid) throws Exception {
        AtomicReference<BusConnection> made = new AtomicReference<>();
        AsUser.of(uid, () -> made.set(BusConnection.connect(bus.address())));
        return made.get();
    }

    /** Makes the folder accessible to other users. */
    private void letOthersIn() throws IOException {
        for (Path each = folder; each != null && !each.equals(TEMPORARY); each = each.getParent()) {
            Files.setPosixFilePermissions(each, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
    }

    static void assertNotAuthorized(ThrowingCallable call) {
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(call)
                .satisfies(e ->
                        assertThat(e.name())
                                .isEqualTo("org.freedesktop.PolicyKit1.Error.NotAuthorized"));
    }

    static void register(RemoteObject authority, Struct scope) throws Exception {
        var _ =
                authority.call(
                        Authority.BUS_INTERFACE,
                        "RegisterAuthenticationAgent",
                        SUBJECT + "ss",
                        scope,
                        "C",
                        AGENT_PATH);
    }

    /** Makes an agent that ends a dialog when the test counts down. */
    static BusInterface agent(BlockingQueue<List<Object>> begun, CountDownLatch end) {
        return BusInterface.named(PolicyKit1.AGENT_INTERFACE)
                .concurrent()
                .method(
                        "BeginAuthentication",
                        "sssa{ss}sa(sa{sv})",
                        "",
                        call -> {
                            begun.add(call.arguments());
                            end.await();
                            return List.of();
                        })
                .method("CancelAuthentication", "s", "", _ -> List.of())
                .build();
    }

    void respond(Object cookie, Struct agent) throws Exception {
        var _ =
                call(
                        "AuthenticationAgentResponse3",
                        "s" + SUBJECT + SUBJECT,
                        cookie,
                        user(),
                        agent);
    }

    /** A dialog of {@link #USER} for {@code a.keep}, by an agent of this JVM that waits. */
    final class Dialog implements AutoCloseable {
        private final BlockingQueue<List<Object>> begun = new LinkedBlockingQueue<>();
        private final CountDownLatch end = new CountDownLatch(1);
        private final BusConnection agent;
        private final CompletableFuture<Struct> answer = new CompletableFuture<>();
        private final Object cookie;

        Dialog() throws Exception {
            agent = BusConnection.connect(bus.address());
            agent.export(AGENT_PATH, agent(begun, end));
            register(agent.object(Authority.BUS_NAME, Authority.OBJECT_PATH), subject());
            Thread.ofVirtual()
                    .start(() -> {
                        try {
                            answer.complete(check(subject(), "a.keep", 1));
                        } catch (Exception e) {
                            answer.completeExceptionally(e);
                        }
                    });
            cookie = begun.take().get(4);
        }

        Object cookie() {
            return cookie;
        }

        /** Ends the dialog in the agent, and returns the authority's answer. */
        Struct end() {
            end.countDown();
            return answer.join();
        }

        @Override
        public void close() {
            end.countDown();
            agent.close();
        }
    }

    static Struct user() {
        return subject("unix-user", "uid", "u", (int) USER);
    }
}
