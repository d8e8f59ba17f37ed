package io.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.testkit.Await;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.address.BusAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests the candidates that a shell receives. */
@Timeout(180)
class CompletionTest {
    @TempDir private Path folder;

    private static List<String> offered(String... words) {
        List<String> line = new ArrayList<>(List.of("complete", "--"));
        line.addAll(List.of(words));
        Invocation complete = Invocation.of(line.toArray(String[]::new));
        assertThat(complete.err()).isEmpty();
        assertThat(complete.code()).isZero();
        return complete.out().lines().toList();
    }

    /** Retries, because on a busy machine a daemon may take longer than a shell waits. */
    private static void awaitOffer(List<String> expected, String... line) {
        Await.until(() -> offered(line).equals(expected));
    }

    private static List<String> words(String... line) {
        return offered(line).stream().map(each -> each.split("\t", 2)[0]).toList();
    }

    @Test
    void commandsAreOfferedWithWhatTheyDo() {
        assertThat(words("")).containsExactlyElementsOf(Commands.names());
        assertThat(offered("sta"))
                .containsExactly(
                        "status\tList all units, or show the status of some units.",
                        "start\tStart units, and wait until their jobs are done.");
        assertThat(words("help", "rel")).containsExactly("reload");
        assertThat(words("--deb")).containsExactly("--debug");
        assertThat(words("no-such-command", "")).isEmpty();
    }

    @Test
    void optionsAreThoseOfTheCommand() {
        assertThat(words("status", "--w")).containsExactly("--warnings");
        assertThat(words("--debug", "watch", "--j")).containsExactly("--json");
        assertThat(words("run", "--", "ls", "--")).containsExactly(" files");
    }

    @Test
    void theValueOfAnOptionIsOfferedInBothForms() {
        assertThat(words("kill", "--whom", "")).containsExactly("main", "all");
        assertThat(words("kill", "--whom=m")).containsExactly("--whom=main");
        assertThat(words("bus", "--config", "")).containsExactly(" files");
        assertThat(words("status", "--runtime-dir", "")).containsExactly(" folders");
        assertThat(words("who", "--bus", "s")).containsExactly("system", "session");
    }

    @Test
    void signalsAreOfferedByName() {
        assertThat(words("signal", "1", "T"))
                .containsExactly("TRAP", "TERM", "TSTP", "TTIN", "TTOU");
        assertThat(words("kill", "-s", "KI")).containsExactly("KILL");
    }

    @Test
    void namesOnABusAreOfferedOnceTheBusIsNamed() throws Exception {
        String address = "unix:path=" + folder.resolve("bus");
        try (Bus _ = Bus.open(BusAddress.parse(address), BusConfig.permissive());
                BusConnection client = BusConnection.connect(address)) {
            var _ = client.requestName("org.example.Clock");
            awaitOffer(
                    List.of("org.example.Clock", "org.freedesktop.DBus"),
                    "who",
                    "--bus",
                    address,
                    "org.");
            awaitOffer(
                    List.of(client.uniqueName()),
                    "check",
                    "--bus",
                    address,
                    "--bus-name",
                    client.uniqueName());
        }
        assertThat(words("who", "--bus", address, "org.")).isEmpty();
    }

    @Test
    void actionsAreThoseOfTheRunningAuthority() throws Exception {
        Path actions = Files.createDirectory(folder.resolve("actions"));
        Files.writeString(
                actions.resolve("a.policy"),
                """
                <policyconfig><action id="org.example.reboot"><description>Reboot</description>
                <message>Reboot?</message><defaults><allow_any>no</allow_any></defaults></action>
                </policyconfig>
                """);
        Path rules = Files.createDirectory(folder.resolve("rules.d"));
        Path socket = folder.resolve("authority");
        String address = "unix:" + socket;
        try (CommandProcess authority =
                CommandProcess.start(
                        "authority",
                        "--bus=none",
                        "--socket=" + socket,
                        "--actions=" + actions,
                        "--rules=" + rules)) {
            awaitOffer(
                    List.of("org.example.reboot\tReboot"),
                    "check",
                    "--authority",
                    address,
                    "org.ex");
            awaitOffer(
                    List.of("org.example.reboot\tReboot"),
                    "actions",
                    "--authority",
                    address,
                    "org.example");
            authority.signal("TERM");
            assertThat(authority.exitCode()).isZero();
        }
        assertThat(words("actions", "--authority", address, "")).isEmpty();
    }

    @Test
    void unitsAreThoseOfTheManagerAndForAStartAllThatHaveAFile() throws Exception {
        Files.setAttribute(folder, "unix:mode", 01777);
        Path units = Files.createDirectory(folder.resolve("units"));
        for (String name : List.of("hf-loaded.service", "hf-idle.service")) {
            Files.writeString(
                    units.resolve(name),
                    "[Unit]\nDescription=Sleeper\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sleep 1000\n");
        }
        String runtime = folder.resolve("run").toString();
        try (CommandProcess up =
                CommandProcess.start(
                        "up",
                        "--no-keeper",
                        "--runtime-dir",
                        runtime,
                        "--slice",
                        "hfcomplete" + ProcessHandle.current().pid() + ".slice",
                        "--units",
                        units.toString(),
                        "hf-loaded")) {
            up.await("holdfast: ready");
            List<String> loaded = List.of("hf-loaded.service\tSleeper");
            awaitOffer(loaded, "stop", "--runtime-dir", runtime, "hf-");
            awaitOffer(loaded, "stop", "--runtime-dir=" + runtime, "other", "hf-l");
            awaitOffer(loaded, "start", "--runtime-dir", runtime, "hf-");
            assertThat(words("up", "--units", units.toString(), "--runtime-dir", runtime, "hf-i"))
                    .containsExactly("hf-idle.service");
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
        assertThat(words("stop", "--runtime-dir", runtime, "")).isEmpty();
    }

    /** The manager accepts connections and never answers. */
    @Test
    void aManagerThatHangsOffersNothing() throws IOException {
        Path runtime = Files.createDirectory(folder.resolve("run"));
        try (UnixListener _ =
                UnixListener.listen(
                        UnixAddress.path(runtime.resolve("io.holdfast.Manager")),
                        SocketType.STREAM,
                        8)) {
            assertThat(words("stop", "--runtime-dir", runtime.toString(), "")).isEmpty();
        }
    }
}
