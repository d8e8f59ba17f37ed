package io.holdfast.cli.bus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.DBusException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests a bus with a configuration file. */
@Timeout(120)
class BusConfigFileTest {
    private static final String NAME = "a.b";

    @TempDir private Path folder;
    private Path file;

    @BeforeEach
    void place() {
        file = folder.resolve("bus.conf");
    }

    /** Replaces the file atomically, because the bus may read it at any time. */
    private void write(String... elements) throws Exception {
        Path fresh = folder.resolve("fresh");
        Files.writeString(
                fresh, "<busconfig>\n" + String.join("\n", elements) + "\n</busconfig>\n");
        Path _ = Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
    }

    /** Writes a policy that lets all users own the name, or none. */
    private void write(boolean own, String more) throws Exception {
        write(
                "<policy context='default'>",
                "<allow user='*'/><allow send_destination='*'/><allow receive_sender='*'/>",
                "<%s own='%s'/>".formatted(own ? "allow" : "deny", NAME),
                "</policy>",
                more);
    }

    private static boolean mayOwn(BusConnection client) {
        try {
            var _ = client.requestName(NAME);
            return client.releaseName(NAME);
        } catch (DBusException e) {
            assertThat(e.name()).isEqualTo(DBusException.ACCESS_DENIED);
            return false;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void itsPolicyIsReadAgainOnAHangupAndStaysWhereTheFileIsBroken() throws Exception {
        String address = "unix:path=" + folder.resolve("bus");
        write(true, "");
        try (CommandProcess bus =
                CommandProcess.start(
                        "bus",
                        "--config",
                        file.toString(),
                        "--address",
                        address,
                        "--print-address")) {
            bus.await(address);
            try (BusConnection client = BusConnection.connect(address)) {
                assertThat(mayOwn(client)).isTrue();

                write(false, "");
                bus.signal("HUP");
                Await.until(() -> !mayOwn(client));

                write(true, "<limit name='no_such_limit'>1</limit>");
                bus.signal("HUP");
                assertThat(bus.await("configuration not reloaded: "))
                        .contains(file + ":6", "<limit>: no such limit: \"no_such_limit\"");
                assertThat(mayOwn(client)).isFalse();

                write(true, "");
                bus.signal("HUP");
                Await.until(() -> mayOwn(client));
            }
            bus.signal("TERM");
            assertThat(bus.exitCode()).isZero();
        }
    }

    @Test
    void aBrokenFileStartsNoBus() throws Exception {
        write("<policy context='nowhere'/>");
        Invocation bus =
                Invocation.of(
                        "bus", "--config", file.toString(), "--address", "unix:tmpdir=" + folder);
        assertThat(bus.code()).isEqualTo(ExitCode.FAILURE);
        assertThat(bus.err()).startsWith("holdfast: " + file + ":2").hasLineCount(1);
    }

    @Test
    void itListensAtEachOfItsAddressesAndNotWhereItsFileSays() throws Exception {
        Path elsewhere = folder.resolve("elsewhere");
        String one = "unix:path=" + folder.resolve("one");
        String two = "unix:path=" + folder.resolve("two");
        write(true, "<listen>unix:path=" + elsewhere + "</listen>");
        try (CommandProcess bus =
                CommandProcess.start(
                        "bus",
                        "--config",
                        file.toString(),
                        "--address",
                        one,
                        "--address",
                        two,
                        "--print-address")) {
            String first = bus.await(one);
            String second = bus.await(two);
            assertThat(first).startsWith(one + ",guid=");
            assertThat(second).startsWith(two + ",guid=");
            try (BusConnection a = BusConnection.connect(first);
                    BusConnection b = BusConnection.connect(second)) {
                assertThat(a.owner(b.uniqueName())).as("one bus").hasValue(b.uniqueName());
            }
            assertThat(elsewhere).doesNotExist();
        }
    }

    @Test
    @Needs(root = true)
    void whatAFileAsksOfItsProcessAndIsNotDoneIsSaidOnce() throws Exception {
        String address = "unix:path=" + folder.resolve("bus");
        Path pidFile = folder.resolve("pid");
        write(true, "<user>root</user><fork/><keep_umask/>");
        try (CommandProcess bus =
                CommandProcess.start(
                        "bus",
                        "--config",
                        file.toString(),
                        "--address",
                        address,
                        "--print-address")) {
            bus.await(address);
            bus.await("<fork/>");

            write(
                    true,
                    "<user>daemon</user><fork/><keep_umask/><syslog/><pidfile>"
                            + pidFile
                            + "</pidfile><servicehelper>/no/such/helper</servicehelper>");
            bus.signal("HUP");
            bus.await("<servicehelper>"); // the last warning

            String ignored = "ignored: ";
            assertThat(
                            bus.lines().stream()
                                    .filter(line -> line.contains(ignored))
                                    .map(line -> line.substring(line.indexOf(ignored))))
                    .isEqualTo(
                            List.of(
                                    ignored + "<fork/>: the bus stays in the foreground",
                                    ignored
                                            + "<user>daemon</user>: the bus keeps running as user"
                                            + " 0",
                                    ignored
                                            + "<pidfile>"
                                            + pidFile
                                            + "</pidfile>: the bus writes no PID file",
                                    ignored + "<syslog/>: the bus logs to standard error only",
                                    ignored
                                            + "<servicehelper>/no/such/helper</servicehelper>: the"
                                            + " bus starts services itself"));
            assertThat(pidFile).doesNotExist();
        }
    }
}
