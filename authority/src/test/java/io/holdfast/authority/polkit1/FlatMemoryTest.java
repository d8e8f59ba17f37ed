package io.holdfast.authority.polkit1;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.PolicyFolders;
import io.holdfast.authority.client.Authority;
import io.holdfast.authority.polkit1.AuthorityProgram.Holding;
import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests that an authority holds no more than before after any amount of work: checks of every kind,
 * agents and callers that come and go, dialogs, temporary authorizations, and processes that end.
 */
@Timeout(900)
@Needs(root = true, programs = "perl")
class FlatMemoryTest {
    private static final boolean LONG = Boolean.getBoolean("holdfast.long");
    private static final int EARLY = LONG ? 100_000 : 3_000;

    /** Threads of bounded pools, which are started by need and end when they are idle. */
    private static final int POOLED = 4;

    private static final int LATE = LONG ? 1_000_000 : 7_000;

    /** Allowed growth: less than 9 bytes for each check, where the smallest object takes 16. */
    private static final long MOST_BYTES = LONG ? 256 << 10 : 32 << 10;

    /** Other threads close what has gone, a little later. */
    private static final long LONGEST_NANOS = 30_000_000_000L;

    private static final int WORKERS = 8;
    private static final int VISIT =
            LONG ? 200 : 25; // checks of a worker from one visitor to the next
    private static final long USER = 20001;
    private static final String SUBJECT = "(sa{sv})";

    @TempDir private Path folder;
    private Bus bus;
    private Child authority;
    private BufferedReader answers;
    private BusConnection client;
    private PidFd held;
    private final AtomicInteger unique = new AtomicInteger();

    private final ForeignParent parent = ForeignParent.start();

    @BeforeEach
    void open() throws Exception {
        PolicyFolders folders =
                new PolicyFolders(folder).action("a.yes", "yes").action("a.no", "no");
        folders.action("a.keep", "auth_self_keep").action("a.rule", "no");
        folders.rules(
                "50.rules",
                """
                polkit.addRule(function(action, subject) {
                    if (action.id == "a.rule" && subject.user && !subject.isInGroup("none")
                            && action.lookup("unit") == "u" && subject.system_unit !== 1) {
                        return polkit.Result.YES;
                    }
                });
                """);
        BusAddress address = BusAddress.parse("unix:path=" + folder.resolve("bus"));
        bus = Bus.open(address, BusConfig.permissive());
        client = BusConnection.connect(address.toString());
        held = parent.held("asked-about", "uid=" + USER);
        authority =
                Spawn.of(
                                ChildJvm.command(
                                        List.of("-Xmx96m"),
                                        AuthorityProgram.class,
                                        address.toString(),
                                        folder.toString()))
                        .stdin(Stdio.pipe())
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.to(folder.resolve("log")))
                        .start();
        answers = new BufferedReader(new InputStreamReader(authority.stdout(), UTF_8));
        assertThat(answers.readLine()).isEqualTo("ready");
    }

    @AfterEach
    void close() throws Exception {
        boolean ignored = authority.signal(Signal.KILL);
        var _ = authority.await();
        authority.close();
        held.close();
        client.close();
        parent.close();
        bus.close();
    }

    @Test
    void manyChecksOfEveryKindLeaveNothingBehind() throws Exception {
        work(EARLY);
        Holding early = holding(Integer.MAX_VALUE);
        work(LATE - EARLY);
        Holding late = holding(early.descriptors());
        assertThat(late.heap() - early.heap())
                .as("%s, and before %s", late, early)
                .isLessThan(MOST_BYTES);
        assertThat(late.descriptors()).isLessThanOrEqualTo(early.descriptors());
        assertThat(late.threads()).isLessThanOrEqualTo(early.threads() + POOLED);
    }

    /** Waits until all connections have gone and at most so many descriptors are open. */
    private Holding holding(int descriptors) throws IOException {
        long deadline = System.nanoTime() + LONGEST_NANOS;
        Holding now = ask();
        while (!now.isIdle(descriptors) && System.nanoTime() < deadline) {
            now = ask();
        }
        assertThat(now.isIdle(descriptors)).as("%s", now).isTrue();
        return now;
    }

    private Holding ask() throws IOException {
        authority.stdin().write('\n');
        authority.stdin().flush();
        return Holding.parse(answers.readLine());
    }

    private void work(int checks) throws Exception {
        try (ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Object>> all =
                    IntStream.range(0, WORKERS)
                            .mapToObj(_ ->
                                    workers.submit(() -> {
                                        for (int i = 1; i <= checks / WORKERS; i++) {
                                            ask(i);
                                            if (i % VISIT == 0) {
                                                visit();
                                            }
                                        }
                                        return null;
                                    }))
                            .toList();
            for (Future<Object> each : all) {
                var _ = each.get();
            }
        }
    }

    // ---- checks

    private void ask(int i) throws Exception {
        switch (i % 5) {
            case 0 -> assertThat(check(client, number(held.pid()), "a.yes", 0)).isTrue();
            case 1 -> assertThat(check(client, descriptor(held), "a.rule", 0)).isTrue();
            case 2 -> assertThat(check(client, name(client), "a.no", 0)).as("root").isTrue();
            case 3 -> assertThat(check(client, descriptor(held), "a.keep", 0)).isFalse();
            default -> assertThat(check(client, number(held.pid()), "a.rule", 1)).isTrue();
        }
    }

    private static Struct number(int pid) {
        return AuthorityBusSetUp.numbered(pid, (int) USER);
    }

    private static Struct descriptor(PidFd process) {
        return Struct.of(
                "unix-process",
                Map.of("pidfd", Variant.of("h", process.fd()), "uid", Variant.of("i", (int) USER)));
    }

    private static Struct name(BusConnection connection) {
        return Struct.of("system-bus-name", Map.of("name", Variant.of(connection.uniqueName())));
    }

    private static RemoteObject authority(BusConnection caller) {
        return caller.object(Authority.BUS_NAME, Authority.OBJECT_PATH);
    }

    private static boolean check(BusConnection caller, Struct subject, String action, int flags)
            throws InterruptedException {
        Map<String, String> details = action.equals("a.rule") ? Map.of("unit", "u") : Map.of();
        Struct answer =
                (Struct)
                        authority(caller)
                                .call(
                                        Authority.BUS_INTERFACE,
                                        "CheckAuthorization",
                                        SUBJECT + "sa{ss}us",
                                        subject,
                                        action,
                                        details,
                                        flags,
                                        "")
                                .getFirst();
        return (Boolean) answer.get(0);
    }

    // ---- visitors

    /** Makes a process and an agent for it, authenticates its user, and ends all of them. */
    private void visit() throws Exception {
        int number;
        PidFd process;
        synchronized (parent) {
            number = parent.child("visitor", "uid=" + USER);
            process = PidFd.open(number);
        }
        String path = "/agent" + unique.incrementAndGet();
        try (process;
                BusConnection visitor =
                        BusConnection.connect(bus.addresses().getFirst().toString())) {
            visitor.export(path, agent(visitor));
            var _ =
                    authority(visitor)
                            .call(
                                    Authority.BUS_INTERFACE,
                                    "RegisterAuthenticationAgent",
                                    SUBJECT + "ss",
                                    descriptor(process),
                                    "C",
                                    path);
            assertThat(check(visitor, descriptor(process), "a.keep", 1)).isTrue();
            assertThat(check(visitor, descriptor(process), "a.keep", 0)).as("kept").isTrue();
            assertThat(
                            authority(visitor)
                                    .call(Authority.BUS_INTERFACE, "EnumerateActions", "s", ""))
                    .isNotEmpty();
        }
        synchronized (parent) {
            assertThat(parent.kill(number, Signal.KILL)).isTrue();
            var _ = parent.reap(number);
        }
    }

    private BusInterface agent(BusConnection connection) {
        return BusInterface.named(PolicyKit1.AGENT_INTERFACE)
                .concurrent()
                .method(
                        "BeginAuthentication",
                        "sssa{ss}sa(sa{sv})",
                        "",
                        call ->
                                authority(connection)
                                        .call(
                                                Authority.BUS_INTERFACE,
                                                "AuthenticationAgentResponse2",
                                                "us" + SUBJECT,
                                                USER,
                                                call.string(4),
                                                Struct.of(
                                                        "unix-user",
                                                        Map.of("uid", Variant.of("u", USER)))))
                .method("CancelAuthentication", "s", "", _ -> List.of())
                .build();
    }
}
