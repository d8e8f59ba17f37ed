package io.holdfast.authority.polkit1;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.Caller;
import io.holdfast.authority.client.Authority;
import io.holdfast.core.Fd;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.testkit.CompiledSources;
import io.holdfast.dbus.typed.Proxy;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tests the authority as programs on a bus see it. A subclass chooses the bus. */
abstract class AuthorityOnBus extends AuthorityBusSetUp {
    private static final int ABANDONED = 50;

    /** {@link FlatMemoryTest} makes many more, several at a time. */
    private static final int CHECKS = Boolean.getBoolean("holdfast.long") ? 100_000 : 1_000;

    /** Malformed subjects; a call has no descriptors except those in the variants. */
    private List<Struct> malformed(int reaped) {
        return List.of(
                subject("unix-something"),
                subject(""),
                subject("unix-process"),
                subject("unix-process", "pid", "i", process),
                subject("unix-process", "pid", "t", (long) process),
                subject("unix-process", "pid", "s", "1"),
                subject("unix-process", "pid", "u", 0),
                subject("unix-process", "pid", "u", -1),
                subject("unix-process", "pid", "u", Integer.MIN_VALUE),
                subject("unix-process", "pid", "u", reaped),
                subject("unix-process", "pid", "u", process),
                subject("unix-process", "pid", "u", process, "uid", "i", (int) USER),
                timed(process, "start-time", "u", 0),
                timed(process, "start-time", "s", "1"),
                timed(process, "start-time", "t", 0L, "uid", "s", "0"),
                timed(process, "start-time", "t", 0L, "uid", "t", 0L),
                subject("unix-process", "pid", "u", process, "start-time", "t", 1L),
                subject("unix-session"),
                subject("unix-session", "session-id", "u", 1),
                subject("unix-session", "session-id", "s", ""),
                subject("unix-session", "session-id", "s", "../sessions/7"),
                subject("unix-session", "session-id", "s", "nobody's"),
                subject("system-bus-name"),
                subject("system-bus-name", "name", "o", "/"),
                subject("system-bus-name", "name", "s", ""),
                subject("system-bus-name", "name", "s", Authority.BUS_NAME),
                subject("system-bus-name", "name", "s", ":1.999999"),
                subject("system-bus-name", "name", "s", ":"),
                subject("system-bus-name", "name", "s", ": \n"));
    }

    private static Struct timed(int pid, Object... details) {
        List<Object> all = new ArrayList<>(List.of("pid", "u", pid));
        all.addAll(List.of(details));
        return subject("unix-process", all.toArray());
    }

    private int reaped() {
        int child = parent.child("short", "exit=0");
        var _ = parent.reap(child);
        return child;
    }

    @Test
    void whatIsGeneratedFromItsXmlCallsIt(@TempDir Path folder) throws Exception {
        String xml =
                (String)
                        authority
                                .call("org.freedesktop.DBus.Introspectable", "Introspect")
                                .getFirst();
        try (CompiledSources compiled = CompiledSources.ofXml(folder, xml)) {
            Class<?> type = compiled.type("org.freedesktop.policykit1.Authority");
            Object proxy = Proxy.of(authority, type);
            assertThat(type.getMethod("enumerateActions", String.class).invoke(proxy, ""))
                    .asString()
                    .contains("member1=a.yes");
            assertThat(type.getMethod("backendVersion").invoke(proxy)).isInstanceOf(String.class);
        }
    }

    @Test
    void malformedSubjectsAreRefusedByEveryMethod() throws Exception {
        for (Struct each : malformed(reaped())) {
            assertFailed(() -> check(each, "a.yes", 0));
            assertFailed(() -> call("RegisterAuthenticationAgent", SUBJECT + "ss", each, "", "/a"));
            assertFailed(() -> call("UnregisterAuthenticationAgent", SUBJECT + "s", each, "/a"));
            assertFailed(() -> call("EnumerateTemporaryAuthorizations", SUBJECT, each));
            assertFailed(() -> call("RevokeTemporaryAuthorizations", SUBJECT, each));
        }
        assertThat(check(subject(), "a.yes", 0).get(0)).isEqualTo(true);
    }

    @Test
    void aDescriptorThatIsNoProcessIsRefused() throws Exception {
        int number = parent.child("short");
        try (PidFd gone = PidFd.open(number);
                Fd file = Fcntl.open("/dev/null", Fcntl.O_RDWR);
                PidFd held = PidFd.open(process);
                PidFd thread = PidFd.openThread(process)) {
            assertThat(check(pidfd(held.fd()), "a.yes", 0).get(0)).isEqualTo(true);
            assertThat(parent.kill(number, Signal.KILL)).isTrue();
            var _ = gone.await();
            assertThat(check(pidfd(gone.fd()), "a.yes", 0).get(0)).as("a zombie").isEqualTo(true);
            var _ = parent.reap(number);
            OpenDescriptors before = OpenDescriptors.now();
            for (int i = 0; i < 1_000; i++) {
                assertFailed(() -> check(pidfd(gone.fd()), "a.yes", 0));
                assertFailed(() -> check(pidfd(file), "a.yes", 0));
                assertFailed(() -> check(pidfd(thread.fd()), "a.yes", 0));
                assertFailed(
                        () -> check(subject("unix-process", "pidfd", "h", held.fd()), "a.yes", 0));
                assertFailed(() ->
                        check(
                                subject("unix-process", "pidfd", "h", held.fd(), "uid", "i", -1),
                                "a.yes",
                                0));
            }
            before.awaitSameNumber();
        }
    }

    @Test
    void aSubjectLikeSnapdsHasTheUserThatItsCallerStates() throws Exception {
        long ticks;
        try (PidFd held = PidFd.open(process)) {
            ticks = held.proc().startTicks();
        }
        Struct likeSnapd = timed(process, "start-time", "t", ticks, "uid", "u", (int) USER);
        assertThat(check(likeSnapd, "a.yes", 0).get(0)).isEqualTo(true);
        assertThat(check(likeSnapd, "a.no", 0).get(0)).isEqualTo(false);
        Struct roots = timed(process, "start-time", "t", ticks, "uid", "u", 0);
        assertThat(check(roots, "a.no", 0).get(0)).as("stated by root").isEqualTo(true);
        int own = parent.child("own", "uid=" + KNOWN);
        try (BusConnection user = connectAs(KNOWN)) {
            RemoteObject asUser = user.object(Authority.BUS_NAME, Authority.OBJECT_PATH);
            Struct mine = timed(own, "start-time", "t", 0L, "uid", "u", KNOWN);
            assertThat(check(asUser, mine, "a.yes", 0).get(0)).isEqualTo(true);
            Struct claimed = timed(own, "start-time", "t", 0L, "uid", "u", 0);
            assertNotAuthorized(() -> check(asUser, claimed, "a.yes", 0));
        }
    }

    @Test
    void aMissingUserIsTheOneThatTheProcessRunsAs() throws Exception {
        Struct[] unstated = {
            timed(process, "start-time", "t", 0L),
            timed(process, "start-time", "t", 0L, "uid", "i", -1),
            timed(process, "start-time", "t", 0L, "uid", "u", -1)
        };
        folders.rules(
                "10.rules",
                "polkit.addRule(function(action, subject) { return subject.user == \"20001\" ? \"yes\" :"
                        + " \"no\"; });");
        engine.reload();
        for (Struct each : unstated) {
            assertThat(check(each, "a.no", 0).get(0)).isEqualTo(true);
        }
        int own = parent.child("own", "uid=" + KNOWN);
        try (BusConnection user = connectAs(KNOWN)) {
            RemoteObject asUser = user.object(Authority.BUS_NAME, Authority.OBJECT_PATH);
            Struct mine = timed(own, "start-time", "t", 0L);
            assertThat(check(asUser, mine, "a.yes", 0).get(0)).isEqualTo(false);
            assertNotAuthorized(() -> check(asUser, unstated[0], "a.yes", 0));
        }
    }

    @Test
    void aMissingUserIsNotLookedUpWhereTheProcessMayHaveChangedIt() throws Exception {
        folders.rules("10.rules", "polkit.addRule(function() { return \"yes\"; });");
        engine.reload();
        int half = parent.child("half", "uid=" + KNOWN, "euid=0");
        int roots = parent.child("root's");
        for (int each : new int[] {half, roots}) {
            assertFailed(() -> check(timed(each, "start-time", "t", 0L), "a.yes", 0));
        }
    }

    @Test
    void usersBeyondTwoToThe31AreUsers() throws Exception {
        Struct high = numbered(process, Integer.MIN_VALUE);
        assertThat(check(high, "a.no", 0).get(0)).as("not root").isEqualTo(false);
    }

    @Test
    void unknownFlagsDoNotMatter() throws Exception {
        Struct roots = numbered(parent.child("root's"), 0);
        for (int unknown : new int[] {4, 8, 0x8000_0000, 0xFFFF_FFFC}) {
            assertThat(check(subject(), "a.yes", unknown).get(0)).isEqualTo(true);
            assertThat(check(subject(), "a.no", unknown).get(0)).isEqualTo(false);
            assertThat(check(subject(), "a.keep", unknown).get(1)).as("challenge").isEqualTo(true);
            assertThat(check(roots, "a.no", unknown).get(0)).isEqualTo(true);
            assertThat(check(roots, "a.no", unknown | 2).get(0)).isEqualTo(false);
        }
    }

    @Test
    void aSessionCanBeAskedAbout() throws Exception {
        Struct session = subject("unix-session", "session-id", "s", "7");
        assertThat(check(session, "a.yes", 0).get(0)).isEqualTo(true);
        assertThat(check(session, "a.no", 0).get(0)).isEqualTo(false);
    }

    @Test
    void aUserAsksAboutAndSpeaksForHimselfAlone() throws Exception {
        int own = parent.child("own", "uid=" + KNOWN);
        Struct mine = numbered(own, KNOWN);
        int roots = parent.child("root's");
        int others = parent.child("others", "uid=" + OTHER_KNOWN);
        try (BusConnection user = connectAs(KNOWN);
                BusConnection another = connectAs(OTHER_KNOWN)) {
            RemoteObject asUser = user.object(Authority.BUS_NAME, Authority.OBJECT_PATH);
            RemoteObject asAnother = another.object(Authority.BUS_NAME, Authority.OBJECT_PATH);
            assertThat(check(asUser, mine, "a.yes", 0).get(0)).isEqualTo(true);
            assertThat(
                            check(
                                            asUser,
                                            subject(
                                                    "system-bus-name",
                                                    "name",
                                                    "s",
                                                    user.uniqueName()),
                                            "a.yes",
                                            0)
                                    .get(0))
                    .isEqualTo(true);
            for (Struct each :
                    List.of(
                            numbered(roots, 0),
                            numbered(others, OTHER_KNOWN),
                            numbered(roots, KNOWN),
                            numbered(others, KNOWN),
                            subject("system-bus-name", "name", "s", another.uniqueName()),
                            subject("system-bus-name", "name", "s", client.uniqueName()))) {
                assertNotAuthorized(() -> check(asUser, each, "a.yes", 0));
                assertFailed(() -> register(asUser, each));
            }
            assertNotAuthorized(() -> check(asAnother, mine, "a.yes", 0));
            assertNotAuthorized(() ->
                    check(asAnother, subject("unix-session", "session-id", "s", "7"), "a.yes", 0));
            assertNotAuthorized(() ->
                    asUser.call(
                            Authority.BUS_INTERFACE,
                            "CheckAuthorization",
                            SUBJECT + "sa{ss}us",
                            mine,
                            "a.yes",
                            Map.of("key", "value"),
                            0,
                            ""));
            Struct session = subject("unix-session", "session-id", "s", "7");
            for (RemoteObject each : List.of(asUser, asAnother)) {
                assertFailed(() -> register(each, session));
                for (String method :
                        new String[] {
                            "EnumerateTemporaryAuthorizations", "RevokeTemporaryAuthorizations"
                        }) {
                    assertFailed(
                            () -> each.call(Authority.BUS_INTERFACE, method, SUBJECT, session));
                }
                assertFailed(() ->
                        each.call(
                                Authority.BUS_INTERFACE,
                                "AuthenticationAgentResponse2",
                                "us" + SUBJECT,
                                KNOWN,
                                "cookie",
                                subject("unix-user", "uid", "u", KNOWN)));
            }
            assertFailed(() -> register(asAnother, mine));
            register(asUser, mine);
            Struct claimed = numbered(own, OTHER_KNOWN);
            for (Struct each : List.of(mine, claimed)) { // claimed: see CVE-2018-1116
                assertFailed(() ->
                        asAnother.call(
                                Authority.BUS_INTERFACE,
                                "UnregisterAuthenticationAgent",
                                SUBJECT + "s",
                                each,
                                AGENT_PATH));
            }
            asUser.call(
                    Authority.BUS_INTERFACE,
                    "UnregisterAuthenticationAgent",
                    SUBJECT + "s",
                    mine,
                    AGENT_PATH);
        }
    }

    @Test
    void aNameThatHasGoneIsNobody() throws Exception {
        BusConnection other = BusConnection.connect(bus.address());
        Struct name = subject("system-bus-name", "name", "s", other.uniqueName());
        assertThat(check(name, "a.no", 0).get(0)).as("root").isEqualTo(true);
        other.close();
        Await.until(() -> {
            try {
                return !(check(name, "a.no", 0).get(0) instanceof Boolean);
            } catch (DBusException e) {
                return e.name().endsWith(".Failed");
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
    }

    @Test
    void invalidPathsOfAgentsAreRefused() {
        for (String path : new String[] {"", "x", "/a/", "//", "/a b", "/\u00e9"}) {
            assertFailed(() ->
                    call("RegisterAuthenticationAgent", SUBJECT + "ss", subject(), "C", path));
        }
    }

    @Test
    void anAgentOnTheBusHasTheUserAuthenticate() throws Exception {
        BlockingQueue<List<Object>> begun = new LinkedBlockingQueue<>();
        CountDownLatch end = new CountDownLatch(1);
        try (BusConnection other = BusConnection.connect(bus.address())) {
            other.export(AGENT_PATH, agent(begun, end));
            RemoteObject seen = other.object(Authority.BUS_NAME, Authority.OBJECT_PATH);
            seen.call(
                    Authority.BUS_INTERFACE,
                    "RegisterAuthenticationAgent",
                    SUBJECT + "ss",
                    subject(),
                    "C",
                    AGENT_PATH);
            List<Struct> answers = new ArrayList<>();
            Thread asking =
                    Thread.ofVirtual()
                            .start(() -> {
                                try {
                                    answers.add(check(subject(), "a.keep", 1));
                                } catch (Exception e) {
                                    throw new IllegalStateException(e);
                                }
                            });
            List<Object> request = begun.take();
            assertThat(request.get(0)).isEqualTo("a.keep");
            assertThat(request.get(1)).isEqualTo("may $(who) do it?");
            Struct identity = subject("unix-user", "uid", "u", (int) USER);
            assertFailed(() ->
                    call(
                            "AuthenticationAgentResponse2",
                            "us" + SUBJECT,
                            (int) USER + 1,
                            request.get(4),
                            identity));
            call(
                    "AuthenticationAgentResponse2",
                    "us" + SUBJECT,
                    (int) USER,
                    request.get(4),
                    identity);
            end.countDown();
            asking.join();
            assertThat(answers.getFirst().get(0)).isEqualTo(true);
        }
        assertThat(check(subject(), "a.keep", 0).get(0)).as("kept").isEqualTo(true);
    }

    /** The helper uses AuthenticationAgentResponse3, as that of polkit 127. */
    @Test
    void theHelperNamesTheAgentThatItHasSpokenWith() throws Exception {
        BlockingQueue<List<Object>> begun = new LinkedBlockingQueue<>();
        CountDownLatch end = new CountDownLatch(1);
        try (BusConnection other = BusConnection.connect(bus.address());
                PidFd agentProcess = PidFd.self();
                PidFd stranger = PidFd.open(process)) {
            other.export(AGENT_PATH, agent(begun, end));
            other.object(Authority.BUS_NAME, Authority.OBJECT_PATH)
                    .call(
                            Authority.BUS_INTERFACE,
                            "RegisterAuthenticationAgent",
                            SUBJECT + "ss",
                            subject(),
                            "C",
                            AGENT_PATH);
            List<Struct> answers = new ArrayList<>();
            Thread asking =
                    Thread.ofVirtual()
                            .start(() -> {
                                try {
                                    answers.add(check(subject(), "a.keep", 1));
                                } catch (Exception e) {
                                    throw new IllegalStateException(e);
                                }
                            });
            Object cookie = begun.take().get(4);
            assertFailed(() -> respond(cookie, pidfd(stranger.fd())));
            assertFailed(() -> respond(cookie, subject("unix-session", "session-id", "s", "7")));
            respond(cookie, pidfd(agentProcess.fd()));
            end.countDown();
            asking.join();
            assertThat(answers.getFirst().get(0)).isEqualTo(true);
        }
    }

    @Test
    void anAgentThatDiesInADialogGivesNothing() throws Exception {
        BlockingQueue<List<Object>> begun = new LinkedBlockingQueue<>();
        BusConnection other = BusConnection.connect(bus.address());
        other.export(AGENT_PATH, agent(begun, new CountDownLatch(1)));
        other.object(Authority.BUS_NAME, Authority.OBJECT_PATH)
                .call(
                        Authority.BUS_INTERFACE,
                        "RegisterAuthenticationAgent",
                        SUBJECT + "ss",
                        subject(),
                        "C",
                        AGENT_PATH);
        Thread ending =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                var _ = begun.take();
                                other.close();
                            } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                            }
                        });
        Struct answer = check(subject(), "a.keep", 1);
        ending.join();
        assertThat(answer.get(0)).isEqualTo(false);
        assertThat(answer.get(1)).isEqualTo(false);
        Await.until(() -> engine.connections().isEmpty());
    }

    /** See CVE-2021-3560 and CVE-2021-4115. */
    @Test
    void callersThatGoInTheMiddleLeaveNothingBehind() throws Exception {
        assertThat(check(subject(), "a.yes", 0).get(0)).isEqualTo(true);
        try (PidFd held = PidFd.open(process)) {
            OpenDescriptors before = OpenDescriptors.now();
            for (int i = 0; i < ABANDONED; i++) {
                BusConnection other = BusConnection.connect(bus.address());
                other.object(Authority.BUS_NAME, Authority.OBJECT_PATH)
                        .callWithoutReply(
                                Authority.BUS_INTERFACE,
                                "CheckAuthorization",
                                SUBJECT + "sa{ss}us",
                                pidfd(held.fd()),
                                "a.keep",
                                Map.of(),
                                1,
                                "id");
                other.close();
            }
            assertThat(check(subject(), "a.yes", 0).get(0)).isEqualTo(true);
            Await.until(() -> engine.connections().isEmpty());
            before.awaitSameNumber();
        }
    }

    /** See polkit, pull request 659: an agent's process is reaped before its name is lost. */
    @Test
    void agentsWhoseSubjectIsReapedBeforeTheyLeaveAreForgotten() throws Exception {
        OpenDescriptors before = OpenDescriptors.now();
        for (int i = 0; i < 20; i++) {
            try (Child subject = Spawn.of("sleep", "1000").start();
                    BusConnection agent = BusConnection.connect(bus.address())) {
                register(
                        agent.object(Authority.BUS_NAME, Authority.OBJECT_PATH),
                        numbered(subject.pidFd().pid(), 0));
                boolean _ = subject.signal(Signal.KILL);
                var _ = subject.await();
            }
        }
        Await.until(() -> engine.connections().isEmpty());
        before.awaitSameNumber();
        try (Dialog dialog = new Dialog();
                PidFd agent = PidFd.self()) {
            respond(dialog.cookie(), pidfd(agent.fd()));
            assertThat(dialog.end().get(0)).isEqualTo(true);
        }
    }

    @Test
    void aChangeOfFilesIsTold() throws Exception {
        try (Subscription changes =
                client.subscribe("type='signal',interface='" + Authority.BUS_INTERFACE + "'")) {
            folders.action("a.new", "yes");
            try (var signal = changes.take()) {
                assertThat(signal.values()).hasSize(1);
                assertThat(signal.values().getFirst()).isEqualTo(0);
            }
        }
        assertThat(check(subject(), "a.new", 0).get(0)).isEqualTo(true);
    }

    @Test
    void aChangeOfSessionsIsToldAsSuch() throws Exception {
        try (Subscription changes =
                client.subscribe("type='signal',interface='" + Authority.BUS_INTERFACE + "'")) {
            folders.display(USER, "7", "seat0", "online");
            try (var signal = changes.take()) {
                assertThat(signal.values()).hasSize(1);
                assertThat(signal.values().getFirst()).isEqualTo(1);
            }
        }
    }

    @Test
    void manyChecksCostNoDescriptor() throws Exception {
        assertThat(check(subject(), "a.yes", 0).get(0)).isEqualTo(true);
        OpenDescriptors before = OpenDescriptors.now();
        for (int i = 0; i < CHECKS; i++) {
            assertThat(check(subject(), i % 2 == 0 ? "a.yes" : "a.no", 0).get(0))
                    .isEqualTo(i % 2 == 0);
        }
        before.awaitSameNumber();
    }

    static Stream<Gen> seeds() {
        return Gen.cases(3);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void whateverComesDisturbsNobody(Gen gen) throws Exception {
        assertThat(check(subject(), "a.yes", 0).get(0)).as("and we are known").isEqualTo(true);
        OpenDescriptors before = OpenDescriptors.now();
        List<Struct> subjects = new ArrayList<>(malformed(reaped()));
        try (PidFd held = PidFd.open(process);
                BusConnection hostile = BusConnection.connect(bus.address())) {
            RemoteObject object = hostile.object(Authority.BUS_NAME, Authority.OBJECT_PATH);
            for (int i = 0; i < 300; i++) {
                subjects.add(any(gen, held));
                try {
                    call(gen, object, subjects);
                } catch (DBusException e) {
                    assertThat(e.name()).isNotEqualTo(DBusException.TIMEOUT);
                }
                subjects.removeLast();
            }
        }
        assertThat(check(subject(), "a.yes", 0).get(0)).isEqualTo(true);
        Await.until(() -> engine.connections().isEmpty());
        assertThat(engine.temporaryAuthorizations(Caller.SELF)).isEmpty();
        before.awaitSameNumber();
    }

    private Struct any(Gen gen, PidFd held) {
        List<Object> details = new ArrayList<>();
        for (int i = gen.between(0, 4); i > 0; i--) {
            details.add(gen.oneOf("pid", "uid", "start-time", "pidfd", "session-id", "name", ""));
            Object value =
                    gen.oneOf(
                            List.of(
                                    process,
                                    0,
                                    -1,
                                    gen.anyLong(),
                                    "7",
                                    client.uniqueName(),
                                    gen.string("abc/:.0\u00e9", 20),
                                    true,
                                    held.fd()));
            details.add(
                    switch (value) {
                        case Integer _ -> gen.oneOf("u", "i");
                        case Long _ -> gen.oneOf("t", "x");
                        case Boolean _ -> "b";
                        case Fd _ -> "h";
                        default -> "s";
                    });
            details.add(value);
        }
        String kind =
                gen.oneOf("unix-process", "unix-session", "system-bus-name", gen.string("ux-", 9));
        return subject(kind, details.toArray());
    }

    private void call(Gen gen, RemoteObject object, List<Struct> subjects) throws Exception {
        Struct subject = gen.chance(0.7) ? subjects.getLast() : gen.oneOf(subjects);
        String text = gen.oneOf("a.yes", "a.keep", "/a", "", gen.string("a./\u0001\u00e9", 12));
        switch (gen.between(0, 7)) {
            case 0 ->
                    object.call(
                            Authority.BUS_INTERFACE,
                            "CheckAuthorization",
                            SUBJECT + "sa{ss}us",
                            subject,
                            text,
                            gen.chance(0.5) ? Map.of() : Map.of(text, text),
                            gen.oneOf(2L, 0xFFFF_FFFEL),
                            text);
            case 1 ->
                    object.call(
                            Authority.BUS_INTERFACE,
                            "RegisterAuthenticationAgentWithOptions",
                            SUBJECT + "ssa{sv}",
                            subject,
                            text,
                            text,
                            Map.of("fallback", Variant.of(text)));
            case 2 ->
                    object.call(
                            Authority.BUS_INTERFACE,
                            "UnregisterAuthenticationAgent",
                            SUBJECT + "s",
                            subject,
                            text);
            case 3 ->
                    object.call(
                            Authority.BUS_INTERFACE,
                            "AuthenticationAgentResponse3",
                            "s" + SUBJECT + SUBJECT,
                            text,
                            gen.oneOf(subjects),
                            subject);
            case 4 ->
                    object.call(
                            Authority.BUS_INTERFACE,
                            "AuthenticationAgentResponse2",
                            "us" + SUBJECT,
                            gen.oneOf(0L, 1L, 0xFFFF_FFFFL),
                            text,
                            subject);
            case 5 ->
                    object.call(
                            Authority.BUS_INTERFACE,
                            "EnumerateTemporaryAuthorizations",
                            SUBJECT,
                            subject);
            case 6 -> object.call(Authority.BUS_INTERFACE, "CancelCheckAuthorization", "s", text);
            default -> object.call(Authority.BUS_INTERFACE, "EnumerateActions", "s", text);
        }
    }
}
