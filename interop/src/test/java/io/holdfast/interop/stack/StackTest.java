package io.holdfast.interop.stack;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.varlink.VarlinkAddress;
import io.holdfast.varlink.client.ClientOptions;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * {@code holdfast up} as root, with nothing but its own units. One stack serves all tests that
 * leave it as it was.
 */
@ParameterizedClass(name = "{0} accounts")
@EnumSource
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {
            "unshare",
            "nsenter",
            "openssl",
            "systemctl",
            "busctl",
            "gdbus",
            "pkaction",
            "pkcheck",
            "varlinkctl"
        })
class StackTest {
    private static final List<String> SERVICES = List.of("dbus.service", "polkit.service");

    /** A call waits for a daemon that is started again, on any machine. */
    private static final Duration PATIENCE = Duration.ofSeconds(100);

    private static final String POLKIT = "org.freedesktop.PolicyKit1";
    private static final String SYSTEMD = "org.freedesktop.systemd1";

    private static @Nullable StackStage started;
    private static @Nullable RunningProgram running;

    @Parameter StackStage.Accounts accounts = StackStage.Accounts.WITH;
    private final StackStage stage = Objects.requireNonNull(started);
    private final RunningProgram up = Objects.requireNonNull(running);

    @BeforeParameterizedClassInvocation
    static void start(StackStage.Accounts accounts) throws Exception {
        StackStage stage = StackStage.open(accounts);
        started = stage;
        running = stage.ready();
    }

    @AfterParameterizedClassInvocation
    static void end() {
        close(started);
    }

    private static void close(@Nullable StackStage stage) {
        if (stage != null) {
            stage.close();
            assertThat(stage.hasCgroup()).isFalse();
        }
    }

    /** Runs a test in a stack of its own. */
    private void withOwn(Own test) throws Exception {
        StackStage own = StackStage.open(accounts);
        try {
            test.run(own, own.ready());
        } finally {
            close(own);
        }
    }

    private interface Own {
        void run(StackStage stage, RunningProgram up) throws Exception;
    }

    private static long realUid(PidFd process) {
        return process.info().credentials().orElseThrow().realUid();
    }

    private String socketAddress(String name) {
        return "unix:path=" + stage.file(StackStage.RUNTIME + "/" + name);
    }

    private BusConnection connect() throws Exception {
        return BusConnection.connect(
                BusAddress.parseList(socketAddress("bus")),
                ConnectionOptions.standard().withConnectTimeout(PATIENCE));
    }

    private static void awaitOwner(BusConnection bus, String name) throws Exception {
        String rule = "type='signal',member='NameOwnerChanged',arg0='" + name + "'";
        try (Subscription changes = bus.subscribe(rule)) {
            Optional<String> owner = bus.owner(name);
            while (owner.isEmpty()) {
                changes.take().close();
                owner = bus.owner(name);
            }
        }
    }

    private long actions() {
        VarlinkAddress address =
                VarlinkAddress.parse(
                        "unix:" + stage.file(StackStage.RUNTIME + "/io.holdfast.Authority"));
        ClientOptions patient = ClientOptions.standard().withCallTimeout(PATIENCE);
        try (VarlinkClient client = VarlinkClient.connect(address, patient)) {
            return client.call("io.holdfast.Authority.ListActions", JsonObject.EMPTY)
                    .array("actions")
                    .size();
        }
    }

    @Test
    void eachPartIsAProcessAUserAndACgroupOfItsOwn() throws Exception {
        try (PidFd bus = stage.mainProcess("dbus.service");
                PidFd authority = stage.mainProcess("polkit.service")) {
            assertThat(bus).isNotEqualTo(authority);
            assertThat(bus.cgroupPath()).isNotEqualTo(authority.cgroupPath());
            long ofBus = realUid(bus);
            long ofAuthority = realUid(authority);
            assertThat(List.of(ofBus, ofAuthority, 0L)).doesNotHaveDuplicates();
            switch (accounts) {
                case WITH ->
                        assertThat(stage.output("id", "-u", "messagebus", "polkitd").lines())
                                .containsExactly(Long.toString(ofBus), Long.toString(ofAuthority));
                case WITHOUT ->
                        assertThat(List.of(ofBus, ofAuthority))
                                .allMatch(uid -> uid >= 61_184 && uid <= 65_519);
            }
            assertThat(realUid(up.process())).isZero();
        }
    }

    @Test
    void theToolsOfOthersSeeIt() throws Exception {
        assertThat(stage.userctl("list-units", "--plain", "--no-legend", "--no-pager").lines())
                .anyMatch(line -> line.matches("dbus\\.service +loaded active running .*"))
                .anyMatch(line -> line.matches("polkit\\.service +loaded active running .*"))
                .anyMatch(line -> line.matches("holdfast\\.target +loaded active active .*"))
                .anyMatch(line ->
                        line.matches("polkit-agent-helper\\.socket +loaded active listening .*"));
        assertThat(stage.output("busctl", "list", "--no-pager", "--no-legend").lines())
                .anyMatch(
                        line -> line.matches(POLKIT.replace(".", "\\.") + " .*polkit\\.service.*"))
                .anyMatch(line -> line.startsWith(SYSTEMD + " "));
        assertThat(
                        stage.output(
                                "gdbus",
                                "call",
                                "--system",
                                "--dest=" + POLKIT,
                                "--object-path=/org/freedesktop/PolicyKit1/Authority",
                                "--method=org.freedesktop.DBus.Properties.Get",
                                POLKIT + ".Authority",
                                "BackendFeatures"))
                .isEqualTo("(<uint32 1>,)");
        assertThat(stage.output("pkaction").lines()).hasSizeGreaterThan(10);
        String shell = "exec pkcheck --action-id org.freedesktop.hostname1.set-hostname -p $$";
        assertThat(stage.run("sh", "-c", shell)).hasToString("exited with status 0");
        assertThat(stage.run(StackStage.asUser("sh", "-c", shell).toArray(String[]::new)))
                .as("a challenge")
                .hasToString("exited with status 2");
        assertThat(stage.output("varlinkctl", "info", StackStage.AUTHORITY))
                .contains("io.holdfast.Authority");
    }

    @Test
    void aKilledBusIsRestartedBehindTheSameSocketAndAllComeBackToIt() throws Exception {
        Object socket = Files.getAttribute(stage.file(StackStage.RUNTIME + "/bus"), "unix:ino");
        try (PidFd bus = stage.mainProcess("dbus.service");
                PidFd authority = stage.mainProcess("polkit.service")) {
            assertThat(bus.signal(Signal.KILL)).isTrue();
            try (BusConnection meanwhile = connect()) {
                awaitOwner(meanwhile, SYSTEMD);
                awaitOwner(meanwhile, POLKIT);
                try (PidFd again = stage.mainProcess("dbus.service")) {
                    assertThat(again).isNotEqualTo(bus);
                }
                assertThat(authority.isAlive()).as("an authority bears a bus that goes").isTrue();
            }
        }
        assertThat(Files.getAttribute(stage.file(StackStage.RUNTIME + "/bus"), "unix:ino"))
                .isEqualTo(socket);
        assertThat(stage.output("pkaction").lines()).hasSizeGreaterThan(10);
    }

    @Test
    void aKilledAuthorityIsRestartedBehindTheSameSocket() throws Exception {
        long before = actions();
        try (PidFd authority = stage.mainProcess("polkit.service");
                BusConnection bus = connect()) {
            assertThat(authority.signal(Signal.KILL)).isTrue();
            assertThat(actions()).as("checked meanwhile").isEqualTo(before);
            awaitOwner(bus, POLKIT);
            try (PidFd again = stage.mainProcess("polkit.service")) {
                assertThat(again).isNotEqualTo(authority);
            }
        }
    }

    @Test
    void aSecondOneInItsFolderIsRefusedAndTakesNothingFromIt() throws Exception {
        withOwn((stage, _) -> {
            List<String> before = lastingFilesOf(stage);
            assertThat(before).anyMatch(file -> file.endsWith("/polkit-agent-helper@.service"));
            try (RunningProgram second = stage.up()) {
                assertThat(second.end()).isEqualTo(new Exit.Exited(1));
                assertThat(second.written()).contains("a manager is already running at");
            }
            assertThat(lastingFilesOf(stage)).containsExactlyInAnyOrderElementsOf(before);
        });
    }

    @Test
    void nothingIsLeftOfIt() throws Exception {
        withOwn(StackTest::assertLeavesNothing);
    }

    private static void assertLeavesNothing(StackStage stage, RunningProgram up) throws Exception {
        List<PidFd> held = new ArrayList<>();
        try {
            for (String service : SERVICES) {
                held.add(stage.mainProcess(service));
            }
            StackStage.stop(up);
            assertThat(held).noneMatch(PidFd::isAlive);
        } finally {
            held.forEach(PidFd::close);
        }
        assertThat(stage.hasCgroup()).isFalse();
        assertThat(filesOf(stage))
                .as("all but the lock, which only its holder may remove")
                .isSubsetOf(StackStage.RUNTIME + "/lock");
        assertThat(stage.file("/run/holdfast/dynamic-uid")).doesNotExist();
        assertThat(stage.file(StackStage.RUNTIME + "/inaccessible")).doesNotExist();
    }

    /** Returns all files except one that the manager writes now. */
    private static List<String> lastingFilesOf(StackStage stage) throws IOException {
        return filesOf(stage).stream().filter(file -> !file.endsWith("/.new")).toList();
    }

    /** Returns all files and folders of the stack except empty folders. */
    private static List<String> filesOf(StackStage stage) throws IOException {
        Path root = stage.file("/");
        Path top = stage.file(StackStage.RUNTIME);
        if (!Files.exists(top)) {
            return List.of();
        }
        while (true) {
            try (Stream<Path> files = Files.walk(top)) {
                return files.filter(file -> !Files.isDirectory(file))
                        .map(file -> "/" + root.relativize(file))
                        .toList();
            } catch (UncheckedIOException e) {
                if (!(e.getCause() instanceof NoSuchFileException)) { // removed meanwhile
                    throw e;
                }
            }
        }
    }
}
