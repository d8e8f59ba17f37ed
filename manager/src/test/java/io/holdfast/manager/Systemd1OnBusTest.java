package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.testkit.CompiledSources;
import io.holdfast.dbus.typed.Proxy;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.runtime.BusNameWatcher;
import io.holdfast.manager.systemd1.Systemd1;
import io.holdfast.manager.varlink.ManagerInterface;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.json.JsonObject;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The manager's interface on a bus: on ours, and on dbus-daemon. */
@Timeout(180)
class Systemd1OnBusTest {
    private static final String SYSTEMD1 = "org.freedesktop.systemd1";
    private static final String MANAGER = SYSTEMD1 + ".Manager";
    private static final long PENDING =
            ManagerLimits.AUTHORIZATIONS.value() / 2; // half of what is free
    private static final String PATH = "/org/freedesktop/systemd1";

    private static final String NOT_YET = "the manager is not on the bus yet";

    @TempDir private Path folder;
    private Stage stage;
    private Systemd1 face;

    @BeforeEach
    void open() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        stage = Stage.in(folder);
        face = Systemd1.serve(stage.manager(), stage.runtimeDirectory());
        stage.service("a", "ExecStart=/bin/sleep 1000");
    }

    @AfterEach
    void close() throws Exception {
        face.close();
        stage.close();
    }

    private static Bus ours(Path folder) throws Exception {
        return Bus.open(
                BusAddress.parse("unix:path=" + folder.resolve("bus")), BusConfig.permissive());
    }

    private static String address(Bus bus) {
        return bus.addresses().getFirst().toString();
    }

    private static List<Object> call(
            BusConnection client, String method, String types, Object... arguments)
            throws InterruptedException {
        return client.object(SYSTEMD1, PATH).call(MANAGER, method, types, arguments);
    }

    // ---- as other clients see it

    private void seenByTools(String address) throws Exception {
        stage.start("a");
        String[] busctl = {"busctl", "--no-pager", "--address=" + address};
        assertThat(run(busctl, "tree", SYSTEMD1).output())
                .contains(
                        PATH + "/unit/a_2eservice", PATH + "/job", "/org/freedesktop/LogControl1");
        assertThat(run(busctl, "introspect", SYSTEMD1, PATH + "/unit/a_2eservice").output())
                .containsPattern("\\.ActiveState +property +s +\"active\"")
                .containsPattern("\\.MainPID +property +u +" + stage.main("a").pid());
        assertThat(run(busctl, "introspect", SYSTEMD1, PATH).output())
                .containsPattern("\\.GetUnitByPIDFD +method +h +osay")
                .containsPattern("\\.WhoIs +method +h +a\\{sv\\}");
        assertThat(run(busctl, "get-property", SYSTEMD1, PATH, MANAGER, "SystemState").output())
                .contains("\"running\"");
        Map<String, String> onBus =
                Map.of("DBUS_SESSION_BUS_ADDRESS", address, "SYSTEMCTL_FORCE_BUS", "1");
        for (String words : List.of("restart a", "stop a", "start a", "is-active a", "status a")) {
            List<String> command = new ArrayList<>(List.of("systemctl", "--user", "--no-pager"));
            command.addAll(List.of(words.split(" ", -1)));
            Tool ran = Tool.run(onBus, command.toArray(String[]::new));
            assertThat(ran.status()).as("%s: %s", words, ran.output()).isZero();
        }
    }

    private static Tool run(String[] busctl, String... words) throws Exception {
        List<String> command = new ArrayList<>(List.of(busctl));
        command.addAll(List.of(words));
        Tool ran = Tool.run(Map.of(), command.toArray(String[]::new));
        assertThat(ran.status()).as("%s: %s", List.of(words), ran.output()).isZero();
        return ran;
    }

    @Test
    @Needs(programs = {"busctl", "systemctl"})
    void toolsSpeakWithItOnOurBus() throws Exception {
        try (Bus bus = ours(folder)) {
            var _ = face.connect(address(bus));
            seenByTools(address(bus));
        }
    }

    @Test
    @Needs(programs = {"busctl", "systemctl", "dbus-daemon"})
    void toolsSpeakWithItOnDbusDaemon() throws Exception {
        try (Daemon daemon = Daemon.start(folder)) {
            var _ = face.connect(daemon.address());
            seenByTools(daemon.address());
        }
    }

    @Test
    void whatIsGeneratedFromItsXmlCallsIt() throws Exception {
        stage.start("a");
        try (Bus bus = ours(folder);
                BusConnection client = BusConnection.connect(address(bus))) {
            var _ = face.connect(address(bus));
            RemoteObject manager = client.object(SYSTEMD1, PATH);
            Path classes = Files.createDirectory(folder.resolve("classes"));
            try (CompiledSources compiled = CompiledSources.ofXml(classes, xml(manager))) {
                Class<?> type = compiled.type(MANAGER);
                Object proxy = Proxy.of(manager, type);
                assertThat(type.getMethod("systemState").invoke(proxy)).isEqualTo("running");
                assertThat(type.getMethod("getUnit", String.class).invoke(proxy, "a.service"))
                        .hasToString(PATH + "/unit/a_2eservice");
                assertThat(type.getMethod("listUnits").invoke(proxy).toString())
                        .contains("member1=a.service");
            }
            RemoteObject unit = client.object(SYSTEMD1, PATH + "/unit/a_2eservice");
            Path more = Files.createDirectory(folder.resolve("more"));
            try (CompiledSources compiled = CompiledSources.ofXml(more, xml(unit))) {
                Class<?> type = compiled.type(SYSTEMD1 + ".Unit");
                assertThat(type.getMethod("id").invoke(Proxy.of(unit, type)))
                        .isEqualTo("a.service");
            }
        }
    }

    private static String xml(RemoteObject object) throws InterruptedException {
        return (String) object.call("org.freedesktop.DBus.Introspectable", "Introspect").getFirst();
    }

    // ---- a bus that is late

    @Test
    void aBusThatIsLateIsJoinedAndSaidToBeMissingOnce() throws Exception {
        BusNameWatcher names = face.follow("unix:path=" + folder.resolve("bus"));
        BlockingQueue<Optional<String>> owners = new LinkedBlockingQueue<>();
        stage.manager()
                .loop()
                .post(() -> {
                    var _ = names.onOwner(SYSTEMD1, owners::add);
                });
        assertThat(next(owners)).isEmpty();
        var _ = stage.happenings().await(NOT_YET);
        for (int i = 0; i < 2; i++) {
            try (Bus _ = ours(folder)) {
                assertThat(next(owners)).isPresent();
            }
            assertThat(next(owners)).isEmpty();
        }
        assertThat(stage.happenings().lines().stream().filter(line -> line.contains(NOT_YET)))
                .hasSize(1);
    }

    @Test
    void anAddressThatIsOfNoUseEndsNothingButItsLink() throws Exception {
        var _ = face.follow("tcp:host=localhost,port=1");
        assertThat(stage.happenings().await(NOT_YET)).contains("tcp");
        stage.start("a");
    }

    // ---- activation and names

    @Test
    @Needs(programs = "dbus-daemon")
    void itStartsWhatTheBusActivatesAndTellsOfFailures() throws Exception {
        stage.service("bad", "Type=oneshot", "ExecStart=/bin/false");
        try (Daemon daemon = Daemon.start(folder);
                BusConnection client = BusConnection.connect(daemon.address())) {
            var _ = face.connect(daemon.address());
            assertThatThrownBy(() -> client.object("org.example.Bad", "/").call("org.x.Y", "Z"))
                    .isInstanceOfSatisfying(
                            DBusException.class,
                            e -> assertThat(e.name()).isEqualTo(SYSTEMD1 + ".JobFailed"));
            assertThatThrownBy(() -> client.object("org.example.No", "/").call("org.x.Y", "Z"))
                    .isInstanceOfSatisfying(
                            DBusException.class,
                            e -> assertThat(e.name()).isEqualTo(SYSTEMD1 + ".NoSuchUnit"));
            // A name whose unit runs, and that gets an owner later.
            try (BusConnection owner = BusConnection.connect(daemon.address())) {
                Thread asking =
                        Thread.ofVirtual()
                                .start(() -> {
                                    try {
                                        var _ =
                                                client.object("org.example.Good", "/")
                                                        .call("org.freedesktop.DBus.Peer", "Ping");
                                    } catch (InterruptedException e) {
                                        throw new AssertionError(e);
                                    }
                                });
                var _ = stage.happenings().await("a.service: INFO started");
                owner.requestName("org.example.Good");
                assertThat(asking.join(java.time.Duration.ofSeconds(60))).isTrue();
            }
        }
    }

    @Test
    void ownersOfNamesAreFollowedOverARestartOfTheBus() throws Exception {
        BlockingQueue<Optional<String>> owners = new LinkedBlockingQueue<>();
        Path socket = folder.resolve("bus");
        BusNameWatcher names;
        try (Bus bus = ours(folder);
                BusConnection owner = BusConnection.connect(address(bus))) {
            names = face.connect(address(bus));
            stage.manager()
                    .loop()
                    .post(() -> {
                        var _ = names.onOwner("org.example.Name", owners::add);
                    });
            assertThat(next(owners)).isEmpty();
            owner.requestName("org.example.Name");
            assertThat(next(owners)).contains(owner.uniqueName());
        }
        assertThat(next(owners)).isEmpty();
        try (Bus _ = ours(folder);
                BusConnection owner = BusConnection.connect("unix:path=" + socket)) {
            owner.requestName("org.example.Name");
            assertThat(next(owners)).contains(owner.uniqueName());
            assertThat(owner.owner(SYSTEMD1)).isPresent();
            assertThat(call(owner, "ListUnits", "")).hasSize(1);
        }
    }

    private static Optional<String> next(BlockingQueue<Optional<String>> owners) throws Exception {
        Optional<String> next = owners.poll(60, TimeUnit.SECONDS);
        assertThat(next).as("reported in time").isNotNull();
        return java.util.Objects.requireNonNull(next);
    }

    @Test
    void aNameThatIsAnothersIsToldOf() throws Exception {
        try (Bus bus = ours(folder);
                BusConnection other = BusConnection.connect(address(bus))) {
            other.requestName(SYSTEMD1);
            assertThatThrownBy(() -> face.connect(address(bus)))
                    .isInstanceOf(DBusException.class)
                    .hasMessageContaining("already has an owner");
        }
    }

    // ---- signals

    @Test
    void clientsAreToldOnceSubscribedAndCallersOfTheirJobs() throws Exception {
        try (Bus bus = ours(folder);
                BusConnection client = BusConnection.connect(address(bus));
                var removed = client.subscribe("type='signal',member='JobRemoved'")) {
            var _ = face.connect(address(bus));
            var _ = call(client, "StartUnit", "ss", "a.service", "replace");
            removed.take().close();
            assertThatThrownBy(() -> call(client, "Unsubscribe", ""))
                    .hasMessageContaining("NotSubscribed");
            var _ = call(client, "Subscribe", "");
            assertThatThrownBy(() -> call(client, "Subscribe", ""))
                    .hasMessageContaining("AlreadySubscribed");
            var _ = stage.stop("a");
            removed.take().close();
            var _ = call(client, "Unsubscribe", "");
            var _ = call(client, "RefUnit", "s", "a.service");
            var _ = call(client, "UnrefUnit", "s", "a.service");
            assertThatThrownBy(() -> call(client, "UnrefUnit", "s", "a.service"))
                    .hasMessageContaining("NotReferenced");
        }
    }

    @Test
    void aReloadOverVarlinkIsAnnouncedOnTheBus() throws Exception {
        Path socket = stage.runtimeDirectory().resolve(ManagerInterface.SOCKET);
        try (Bus bus = ours(folder);
                ManagerInterface _ =
                        ManagerInterface.serve(stage.manager(), stage.runtimeDirectory());
                VarlinkClient varlink = VarlinkClient.connect("unix:" + socket);
                BusConnection client = BusConnection.connect(address(bus));
                var reloading = client.subscribe("type='signal',member='Reloading'")) {
            var _ = face.connect(address(bus));
            var _ = call(client, "Subscribe", "");
            for (String method :
                    List.of("io.systemd.Manager.Reload", "io.holdfast.Manager.ReloadDaemon")) {
                var _ = varlink.call(method, JsonObject.EMPTY);
                for (boolean begins : new boolean[] {true, false}) {
                    try (Message signal = reloading.take()) {
                        assertThat(signal.values()).as(method).containsExactly(begins);
                    }
                }
            }
        }
    }

    @Test
    void aUnitIsNotKeptForACallerThatLeftBeforeItsCallWasHandled() throws Exception {
        stage.service("b", "ExecStart=/bin/sleep 1000");
        try (Bus bus = ours(folder);
                BusConnection client = BusConnection.connect(address(bus))) {
            var _ = face.connect(address(bus));
            try (BusConnection gone = BusConnection.connect(address(bus))) {
                gone.object(SYSTEMD1, PATH).callWithoutReply(MANAGER, "RefUnit", "s", "a.service");
            }
            var _ = call(client, "RefUnit", "s", "b.service"); // handled after the other call
            Await.until(() -> isListed(client, "b.service") && !isListed(client, "a.service"));
        }
    }

    private static boolean isListed(BusConnection client, String unit) {
        try {
            return call(client, "ListUnits", "").toString().contains(unit);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void listenersAreToldOfSockets() throws Exception {
        stage.unit(
                "s.socket",
                "[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream="
                        + folder.resolve("s.sock")
                        + "\n");
        stage.service("s", "ExecStart=/bin/sleep 1000");
        try (Bus bus = ours(folder);
                BusConnection client = BusConnection.connect(address(bus));
                var changes =
                        client.subscribe(
                                "type='signal',member='PropertiesChanged',"
                                        + "arg0='org.freedesktop.systemd1.Socket'")) {
            var _ = face.connect(address(bus));
            var _ = call(client, "Subscribe", "");
            var _ = call(client, "StartUnit", "ss", "s.socket", "replace");
            try (var change = changes.take()) {
                assertThat(change.values().get(1).toString()).contains("NAccepted", "Result");
            }
        }
    }

    /** The caller is held by pidfd, so its PID does not matter. */
    @Test
    @Needs(programs = "busctl")
    void noNameAndNoInvocationMeanTheUnitOfTheCaller() throws Exception {
        try (Bus bus = ours(folder);
                BusConnection client = BusConnection.connect(address(bus))) {
            var _ = face.connect(address(bus));
            assertThatThrownBy(() -> call(client, "GetUnit", "s", ""))
                    .hasMessageContaining("NoUnitForPID");
            assertThatThrownBy(() -> call(client, "GetUnitByInvocationID", "ay", new byte[16]))
                    .hasMessageContaining("NoUnitForPID");
            String ask = "busctl --address=" + address(bus) + " call " + SYSTEMD1 + " " + PATH;
            stage.service(
                    "self",
                    "Type=oneshot",
                    "ExecStart=" + ask + " " + MANAGER + " GetUnit s \"\"",
                    "ExecStart=" + ask + " " + MANAGER + " GetUnitByInvocationID ay 0");
            assertThat(stage.start("self")).isEqualTo(JobResult.DONE);
            stage.happenings().await("self_2eservice", 2);
        }
    }

    // ---- permissions

    private static void refused(BusConnection client) {
        for (Object[] words :
                new Object[][] {
                    {"StartUnit", "ss", "a.service", "replace"},
                    {"StopUnit", "ss", "a.service", "replace"},
                    {"KillUnit", "ssi", "a.service", "all", 9},
                    {"ResetFailedUnit", "s", "a.service"},
                    {"ResetFailed", ""},
                    {"Reload", ""},
                }) {
            Object[] arguments = java.util.Arrays.copyOfRange(words, 2, words.length);
            assertThatThrownBy(() -> call(client, (String) words[0], (String) words[1], arguments))
                    .as("%s", words[0])
                    .isInstanceOfSatisfying(
                            DBusException.class,
                            e -> assertThat(e.name()).isEqualTo(DBusException.ACCESS_DENIED));
        }
    }

    @Test
    @Needs(root = true)
    void whoeverIsNeitherRootNorTheOwnerMayOnlyReadWithoutAnAuthority() throws Exception {
        stage.start("a");
        try (Bus bus = ours(folder)) {
            var _ = face.connect(address(bus));
            AsUser.nobody(() -> {
                try (BusConnection client = BusConnection.connect(address(bus))) {
                    assertThat(call(client, "GetUnit", "s", "a.service")).hasSize(1);
                    refused(client);
                }
            });
        }
        assertThat(stage.state("a")).isEqualTo("active/running success");
    }

    @Test
    @Needs(root = true)
    void aUserGetsFewDumpsOfUnitsInAWhileOverAllConnections() throws Exception {
        try (Bus bus = ours(folder)) {
            var _ = face.connect(address(bus));
            AsUser.nobody(() -> {
                for (int i = 0; i < ManagerLimits.DUMPS.intValue(); i++) {
                    try (BusConnection client = BusConnection.connect(address(bus))) {
                        assertThat(call(client, "Dump", "")).hasSize(1);
                    }
                }
                try (BusConnection client = BusConnection.connect(address(bus))) {
                    assertThatThrownBy(() -> call(client, "Dump", ""))
                            .isInstanceOfSatisfying(
                                    DBusException.class,
                                    e ->
                                            assertThat(e.name())
                                                    .isEqualTo(DBusException.LIMITS_EXCEEDED));
                }
            });
            try (BusConnection owner = BusConnection.connect(address(bus))) {
                for (int i = 0; i <= ManagerLimits.DUMPS.intValue(); i++) {
                    assertThat(call(owner, "Dump", "")).hasSize(1);
                }
            }
        }
    }

    /** An authority of the test, under polkit's name. */
    private static final class Authority {
        final BlockingQueue<List<Object>> checks = new LinkedBlockingQueue<>();
        final BlockingQueue<Long> processes = new LinkedBlockingQueue<>();
        final CountDownLatch held = new CountDownLatch(1);
        volatile boolean holds;
        volatile boolean grants = true;

        BusInterface described() {
            return BusInterface.named("org.freedesktop.PolicyKit1.Authority")
                    .method("CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})", this::check)
                    .concurrent()
                    .build();
        }

        private List<?> check(MethodCall call) throws InterruptedException {
            Struct subject = call.argument(0, Struct.class);
            Map<?, ?> details = (Map<?, ?>) subject.get(1);
            if (details.get("pidfd") instanceof Variant(_, Handle handle)) {
                try (PidFd caller = PidFd.adopt(call.descriptor(handle))) {
                    processes.add(caller.id());
                }
            }
            checks.add(call.arguments());
            if (holds) {
                held.await();
            }
            return List.of(List.of(grants, false, Map.of()));
        }
    }

    @Test
    @Needs(root = true)
    void anAuthorityIsAskedWithTheCallersDescriptor() throws Exception {
        Authority authority = new Authority();
        try (Bus bus = ours(folder);
                BusConnection polkit = BusConnection.connect(address(bus));
                PidFd self = PidFd.self()) {
            var _ = face.connect(address(bus));
            try (var _ =
                    polkit.export("/org/freedesktop/PolicyKit1/Authority", authority.described())) {
                polkit.requestName("org.freedesktop.PolicyKit1");
                AsUser.nobody(() -> {
                    try (BusConnection client = BusConnection.connect(address(bus))) {
                        var _ = call(client, "StartUnit", "ss", "a.service", "replace");
                        authority.grants = false;
                        refused(client);
                    }
                });
                List<Object> question = authority.checks.take();
                assertThat(question.get(1)).isEqualTo(SYSTEMD1 + ".manage-units");
                Map<?, ?> details = (Map<?, ?>) question.get(2);
                assertThat(details.get("unit")).isEqualTo("a.service");
                assertThat(details.get("verb")).isEqualTo("start");
                assertThat(details.get("polkit.gettext_domain")).isEqualTo("systemd");
                assertThat(question.get(3)).as("no interactive authentication").isEqualTo(0L);
                assertThat(authority.processes.take()).isEqualTo(self.id());
            }
        }
    }

    /** The details are the same for D-Bus and Varlink, and each refusal says why. */
    @Test
    @Needs(root = true)
    void anAuthorityIsAskedOfCallsOverVarlinkLikewise() throws Exception {
        Authority authority = new Authority();
        Path socket = stage.runtimeDirectory().resolve(ManagerInterface.SOCKET);
        Files.setPosixFilePermissions(
                stage.runtimeDirectory(), PosixFilePermissions.fromString("rwxr-xr-x"));
        stage.service("b", "ExecStart=/bin/sleep 1000");
        try (ManagerInterface _ =
                        ManagerInterface.serve(
                                stage.manager(), stage.runtimeDirectory(), face.permission());
                Bus bus = ours(folder);
                BusConnection polkit = BusConnection.connect(address(bus));
                PidFd self = PidFd.self()) {
            JsonObject names = JsonObject.builder().putStrings("names", List.of("a", "b")).build();
            JsonObject interactive =
                    JsonObject.builder()
                            .putStrings("names", List.of("a"))
                            .put("allowInteractiveAuthentication", true)
                            .build();
            AsUser.nobody(() -> refusedOverVarlink(socket, names));
            var _ = stage.happenings().await(": " + SYSTEMD1 + ".manage-units (start a");
            var _ = stage.happenings().await("not connected to a bus with an authority");
            var _ = face.connect(address(bus));
            AsUser.nobody(() -> refusedOverVarlink(socket, names));
            var _ = stage.happenings().await("the authority does not answer: ");
            try (var _ =
                    polkit.export("/org/freedesktop/PolicyKit1/Authority", authority.described())) {
                polkit.requestName("org.freedesktop.PolicyKit1");
                AsUser.nobody(() -> {
                    try (VarlinkClient client = varlink(socket)) {
                        var _ = client.call("io.holdfast.Manager.Start", names);
                        var _ = client.call("io.holdfast.Manager.Stop", interactive);
                    }
                    authority.grants = false;
                    refusedOverVarlink(socket, names);
                });
                var _ = stage.happenings().await("the authority does not allow it");
                assertCheck(authority.checks.take(), "a.service", "start", 0);
                assertCheck(authority.checks.take(), "b.service", "start", 0);
                assertCheck(authority.checks.take(), "a.service", "stop", 1);
                assertThat(authority.processes.take()).isEqualTo(self.id());
            }
        }
    }

    private static VarlinkClient varlink(Path socket) {
        return VarlinkClient.connect("unix:" + socket);
    }

    private static void refusedOverVarlink(Path socket, JsonObject names) {
        try (VarlinkClient client = varlink(socket)) {
            assertThatThrownBy(() -> client.call("io.holdfast.Manager.Start", names))
                    .hasMessageContaining("PermissionDenied");
        }
    }

    private static void assertCheck(List<Object> question, String unit, String verb, long flags) {
        assertThat(question.get(1)).isEqualTo(SYSTEMD1 + ".manage-units");
        assertThat(question.get(2))
                .isEqualTo(
                        Map.of(
                                "unit",
                                unit,
                                "verb",
                                verb,
                                "polkit.message",
                                "Authentication is required to " + verb + " '$(unit)'.",
                                "polkit.gettext_domain",
                                "systemd"));
        assertThat(question.get(3)).isEqualTo(flags);
    }

    @Test
    @Needs(root = true)
    void soManyCallsOfOneUserMayWaitForTheAuthorityAndNoMore() throws Exception {
        Authority authority = new Authority();
        authority.holds = true;
        try (Bus bus = ours(folder);
                BusConnection polkit = BusConnection.connect(address(bus));
                BusConnection root = BusConnection.connect(address(bus))) {
            var _ = face.connect(address(bus));
            try (var _ =
                    polkit.export("/org/freedesktop/PolicyKit1/Authority", authority.described())) {
                polkit.requestName("org.freedesktop.PolicyKit1");
                AsUser.nobody(() -> {
                    try (BusConnection client = BusConnection.connect(address(bus))) {
                        List<Thread> waiting = new ArrayList<>();
                        for (int i = 0; i < PENDING; i++) {
                            waiting.add(Thread.ofVirtual().start(() -> resetAll(client)));
                            var _ = authority.checks.take();
                        }
                        assertThatThrownBy(() -> call(client, "ResetFailed", ""))
                                .isInstanceOfSatisfying(
                                        DBusException.class,
                                        e ->
                                                assertThat(e.name())
                                                        .isEqualTo(DBusException.LIMITS_EXCEEDED))
                                .hasMessageContaining("io.holdfast.manager.authorizations");
                        assertThat(call(root, "ResetFailed", "")).as("others").isEmpty();
                        authority.held.countDown();
                        for (Thread thread : waiting) {
                            assertThat(thread.join(java.time.Duration.ofSeconds(60))).isTrue();
                        }
                        assertThat(call(client, "ResetFailed", "")).isEmpty();
                    }
                });
            }
        }
    }

    private static void resetAll(BusConnection client) {
        try {
            var _ = call(client, "ResetFailed", "");
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    @Needs(root = true)
    void callsOfOthersGoOnWhileTheAuthorityThinks() throws Exception {
        Authority authority = new Authority();
        authority.holds = true;
        try (Bus bus = ours(folder);
                BusConnection polkit = BusConnection.connect(address(bus));
                BusConnection root = BusConnection.connect(address(bus))) {
            var _ = face.connect(address(bus));
            try (var _ =
                    polkit.export("/org/freedesktop/PolicyKit1/Authority", authority.described())) {
                polkit.requestName("org.freedesktop.PolicyKit1");
                AsUser.nobody(() -> {
                    try (BusConnection client = BusConnection.connect(address(bus))) {
                        Thread waiting =
                                Thread.ofVirtual()
                                        .start(() -> {
                                            try {
                                                var _ =
                                                        call(
                                                                client,
                                                                "StartUnit",
                                                                "ss",
                                                                "a.service",
                                                                "replace");
                                            } catch (InterruptedException e) {
                                                throw new AssertionError(e);
                                            }
                                        });
                        var _ = authority.checks.take();
                        assertThat(call(client, "ListUnits", "").getFirst())
                                .as("the same client, meanwhile")
                                .isEqualTo(List.of());
                        assertThat(call(root, "ListJobs", "").getFirst()).isEqualTo(List.of());
                        authority.held.countDown();
                        assertThat(waiting.join(java.time.Duration.ofSeconds(60))).isTrue();
                    }
                });
            }
        }
        var _ = stage.happenings().await("a.service: INFO started");
    }

    /** A dbus-daemon that leaves activation to the manager. */
    private record Daemon(Child child, String address) implements AutoCloseable {
        static Daemon start(Path folder) throws Exception {
            Path services = Files.createDirectories(folder.resolve("services"));
            for (String name : List.of("Bad=bad", "No=nosuch", "Good=a")) {
                String[] words = name.split("=", -1);
                Files.writeString(
                        services.resolve("org.example." + words[0] + ".service"),
                        "[D-BUS Service]\nName=org.example."
                                + words[0]
                                + "\nExec=/bin/false\nSystemdService="
                                + words[1]
                                + ".service\n");
            }
            Path config =
                    Files.writeString(
                            folder.resolve("daemon.conf"),
                            "<!DOCTYPE busconfig PUBLIC"
                                    + " \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\""
                                    + " \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
                                    + "<busconfig><type>session</type><listen>unix:path="
                                    + folder.resolve("daemon")
                                    + "</listen><auth>EXTERNAL</auth><servicedir>"
                                    + services
                                    + "</servicedir><policy context=\"default\">"
                                    + "<allow send_destination=\"*\" eavesdrop=\"true\"/>"
                                    + "<allow eavesdrop=\"true\"/><allow own=\"*\"/>"
                                    + "</policy></busconfig>\n");
            Child child =
                    Spawn.of("dbus-daemon", "--nofork", "--nopidfile", "--print-address=1")
                            .arguments(List.of("--systemd-activation", "--config-file=" + config))
                            .stdout(Stdio.pipe())
                            .stderr(Stdio.devNull())
                            .start();
            String address =
                    new BufferedReader(
                                    new InputStreamReader(child.stdout(), StandardCharsets.UTF_8))
                            .readLine();
            return new Daemon(child, java.util.Objects.requireNonNull(address));
        }

        @Override
        public void close() {
            try (child) {
                boolean ignored = child.signal(Signal.TERM);
                var _ = child.onExit().join();
            }
        }
    }
}
