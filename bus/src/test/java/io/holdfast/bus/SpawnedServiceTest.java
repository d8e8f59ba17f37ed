package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.ServiceFolder;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.wire.Message;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Programs that a bus spawns to start a service. */
@Timeout(60)
class SpawnedServiceTest {
    private static final String NAME = "s.s";

    /** The last argument of a service that answers one call and exits. */
    private static final String ONCE = "once";

    @TempDir private Path folder;

    /** A real service: it finds the bus, takes its name, and answers one call. */
    static final class Service {
        public static void main(String[] arguments) throws Exception {
            String address = System.getenv("DBUS_STARTER_ADDRESS");
            try (TestClient itself = TestClient.silent(address).authenticate(true).hello()) {
                assertThat(itself.query("RequestName", arguments[0], 0)).isEqualTo(1L);
                Message call = itself.read();
                while (call.member() == null || !call.member().equals("M")) {
                    call = itself.read(); // NameAcquired
                }
                int ignored =
                        itself.send(
                                TestClient.body(
                                        itself.writer()
                                                .methodReturn(call.serial())
                                                .destination(requireNonNull(call.sender())),
                                        "here I am"));
                if (!ONCE.equals(arguments[arguments.length - 1])) {
                    var _ = itself.untilClosed();
                }
            }
        }
    }

    private void offer(String command, String more) throws Exception {
        offer(NAME, command, more);
    }

    private void offer(String name, String command, String more) throws Exception {
        Files.writeString(
                folder.resolve(name + ".service"),
                "[D-BUS Service]\nName=%s\nExec=%s\n%s\n".formatted(name, command, more));
    }

    private TestBus bus(String type) throws Exception {
        Path file = folder.resolve("type.conf");
        Files.writeString(file, "<busconfig><type>" + type + "</type></busconfig>");
        return TestBus.ours(
                BusConfig.permissive()
                        .withServiceFolders(List.of(new ServiceFolder(folder, false)))
                        .including(file));
    }

    private static String quoted(List<String> command) {
        return command.stream()
                .map(word -> "'" + word.replace("'", "'\\''") + "'")
                .collect(Collectors.joining(" "));
    }

    @Test
    void oneThatTakesItsNameItselfGetsWhatWaitedForIt() throws Exception {
        offer(quoted(ChildJvm.command(List.of(), Service.class, NAME)), "");
        try (TestBus bus = bus("session")) {
            TestClient a = bus.connect();
            assertThat(a.query("NameHasOwner", NAME)).isEqualTo(false);
            Message answer = a.answer(a.send(a.call(NAME, "M")));

            assertThat(a.describe(answer)).isEqualTo("return(here I am)");
            assertThat(answer.sender()).isEqualTo(a.query("GetNameOwner", NAME));
            assertThat(a.query("StartServiceByName", NAME, 0)).as("runs already").isEqualTo(2L);
        }
    }

    @Test
    void oneThatForksAndOneThatExitsAtOnceLoseNoMessageThreeTimesOver() throws Exception {
        Path script = folder.resolve("forks");
        String service = quoted(ChildJvm.command(List.of(), Service.class, NAME, ONCE));
        Files.writeString(script, service + " &\n");
        offer("/bin/sh " + script, "");
        offer("s.f", "/bin/false", "");
        try (TestBus bus = bus("session")) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            String gone = "member='NameOwnerChanged',arg0='" + NAME + "',arg2=''";
            assertThat(a.tryBus(BUS, "AddMatch", gone)).isEqualTo("return");
            for (int i = 0; i < 3; i++) {
                int forks = a.send(a.call(NAME, "M"));
                int exits = b.send(b.call("s.f", "M"));
                assertThat(b.describe(b.answer(exits))).isEqualTo("Spawn.ChildExited");
                assertThat(a.describe(a.answer(forks))).isEqualTo("return(here I am)");
                assertThat(a.read().member()).as("its end").isEqualTo("NameOwnerChanged");
            }
        }
    }

    /** Returns the user that a program runs as on a bus of that type, with User= in its file. */
    private long user(String type, String user) throws Exception {
        Files.setAttribute(folder, "unix:mode", 01777);
        Path output = folder.resolve("output-" + type);
        offer(
                "/bin/sh -c 'id -u > %s.new; mv %s.new %s'".formatted(output, output, output),
                "User=" + user);
        try (TestBus bus = bus(type)) {
            TestClient a = bus.connect();
            int ignored = a.send(a.call(NAME, "M"));
            Await.until(() -> Files.exists(output));
            return Long.parseLong(Files.readString(output).strip());
        }
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void onASystemBusItRunsAsTheUserOfItsFileAndOnASessionBusAsTheBus() throws Exception {
        long daemon = Accounts.SYSTEM.user("daemon").uid();
        assertThat(daemon).isNotZero();
        assertThat(user("system", "daemon")).isEqualTo(daemon);
        assertThat(user("session", "daemon")).isZero();
    }

    @Test
    void aServiceThatAReloadFindsIsToldAndCanBeStarted() throws Exception {
        try (TestBus bus = bus("session")) {
            TestClient a = bus.connect();
            assertThat(a.tryBus(BUS, "AddMatch", "member='ActivatableServicesChanged'"))
                    .isEqualTo("return");
            assertThat(a.tryBus(BUS, "ReloadConfig")).isEqualTo("return");
            assertThat(a.heard()).as("nothing changed").isEmpty();
            assertThat(a.query("ListActivatableNames")).isEqualTo(List.of(BUS));

            offer("/bin/false", "");
            assertThat(a.tryBus(BUS, "ReloadConfig")).isEqualTo("return");
            assertThat(a.heard()).containsExactly("ActivatableServicesChanged");
            assertThat(a.query("ListActivatableNames")).isEqualTo(List.of(BUS, NAME));
            assertThat(a.describe(a.answer(a.send(a.call(NAME, "M")))))
                    .isEqualTo("Spawn.ChildExited");

            Files.delete(folder.resolve(NAME + ".service"));
            assertThat(a.tryBus(BUS, "ReloadConfig")).isEqualTo("return");
            assertThat(a.heard()).containsExactly("ActivatableServicesChanged");
            assertThat(a.describe(a.answer(a.send(a.call(NAME, "M"))))).isEqualTo("ServiceUnknown");
        }
    }
}
