package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.connection.RefusalLog;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The log lines of a bus about refused clients and messages. */
@Timeout(60)
class RefusalLogTest {

    @TempDir private Path folder;
    private final BusLog log = new BusLog();

    @AfterEach
    void leave() {
        log.close();
    }

    /** Returns the client as logged: by PID, by pidfs id where the kernel has them, and by user. */
    private static String we(TestClient client) {
        try (PidFd self = PidFd.self()) {
            String process = self.processId().pidfdId().isPresent() ? self.toString() : "process";
            return client.name() + " (" + process;
        }
    }

    @Test
    void aRefusalIsOneLineThatSaysWhoWhatWhichLimitAndHowFull() throws Exception {
        Path file = folder.resolve("limits.conf");
        Files.writeString(
                file,
                "<busconfig><limit name='max_match_rules_per_connection'>1</limit></busconfig>");
        try (TestBus bus = TestBus.ours(BusConfig.permissive().including(file))) {
            TestClient client = bus.connect();
            assertThat(client.tryBus(BUS, "AddMatch", "member='A'")).isEqualTo("return");
            assertThat(client.tryBus(BUS, "AddMatch", "member='B'")).isEqualTo("LimitsExceeded");

            assertThat(log.line())
                    .startsWith("refused method_call ")
                    .contains("member AddMatch", " of " + we(client))
                    .contains("max_match_rules_per_connection", "1 of 1 used")
                    .hasLineCount(1);
            assertThat(log.isEmpty()).isTrue();
        }
    }

    @Test
    void aFullAccountOfAUserIsSaidToBeFullByWhom() throws Exception {
        Path file = folder.resolve("limits.conf");
        Files.writeString(
                file, "<busconfig><limit name='max_match_rules_per_user'>1</limit></busconfig>");
        try (TestBus bus = TestBus.ours(BusConfig.permissive().including(file))) {
            TestClient full = bus.connect();
            TestClient client = bus.connect();
            assertThat(full.tryBus(BUS, "AddMatch", "member='A'")).isEqualTo("return");
            assertThat(client.tryBus(BUS, "AddMatch", "member='B'")).isEqualTo("LimitsExceeded");

            String us = "user " + Unistd.geteuid();
            assertThat(log.line())
                    .startsWith("refused method_call ")
                    .contains(" of " + we(client))
                    .contains("max_match_rules_per_user of " + us + ": 1 of 1 used, ")
                    .endsWith("; taken by " + us + ": 1")
                    .hasLineCount(1);
        }
    }

    private static final String MALFORMED =
            """
            socket(S, AF_UNIX, SOCK_STREAM, 0);
            connect(S, sockaddr_un($ARGV[0])) or die;
            syswrite(S, "\\0AUTH EXTERNAL\\r\\nDATA\\r\\nBEGIN\\r\\nthis is no message");
            1 while sysread(S, $b, 99);
            sleep 600;
            """;

    @Test
    @Needs(cgroup2 = true, root = true, programs = "perl")
    void theUnitOfAClientIsNamed() throws Exception {
        String name = "holdfast-log-" + ProcessHandle.current().pid() + ".slice";
        try (TestBus bus = TestBus.ours();
                Cgroup root = Cgroup.root();
                Cgroup slice = root.create(name);
                Cgroup service = slice.create("some.service")) {
            String socket = bus.address().replaceAll(".*path=|,.*", "");
            try (Child client =
                    Spawn.of("perl", "-MSocket", "-e", MALFORMED, socket).cgroup(service).start()) {
                assertThat(log.line())
                        .startsWith("disconnected a client without a name (process ")
                        .contains(Integer.toString(client.pidFd().pid()))
                        .contains(", some.service: malformed message: ")
                        .hasLineCount(1);
                assertThat(client.signal(Signal.KILL)).isTrue();
                assertThat(client.await().isSuccess()).isFalse();
            } finally {
                slice.removeAll();
            }
        }
    }

    @Test
    void eachUserHasOnlySoManyLinesAndHowManyWereLeftOutIsLogged() throws Exception {
        int burst = 10 * RefusalLog.LINES_AT_ONCE;
        Pattern leftOut = Pattern.compile("(.+) more refusals were not logged");
        try (TestBus bus = TestBus.ours(withoutRules())) {
            TestClient client = bus.connect();
            for (int i = 0; i < burst; i++) {
                int ignored = client.send(client.toBus(BUS, "AddMatch", "member='A'"));
            }
            var _ = client.messages();
            int sent = burst;
            int written = 0;
            int unwritten = 0;
            while (written + unwritten < sent) { // until the first line of a later second
                assertThat(client.tryBus(BUS, "AddMatch", "member='A'"))
                        .isEqualTo("LimitsExceeded");
                sent++;
                for (String line = log.lineNow(); line != null; line = log.lineNow()) {
                    Matcher said = leftOut.matcher(line);
                    unwritten +=
                            said.matches()
                                    ? Integer.parseInt(said.group(1).replaceAll("[^0-9]", ""))
                                    : 0;
                    written += line.startsWith("refused ") ? 1 : 0;
                }
            }
            assertThat(written + unwritten).isEqualTo(sent);
            assertThat(unwritten).isPositive();
        }
    }

    private BusConfig withoutRules() throws Exception {
        Path file = folder.resolve("none.conf");
        Files.writeString(
                file,
                "<busconfig><limit name='max_match_rules_per_connection'>0</limit></busconfig>");
        return BusConfig.permissive().including(file);
    }

    @Test
    void aClientThatIsPutOffIsOneLineThatSaysWhoAndWhy() throws Exception {
        try (TestBus bus = TestBus.ours()) {
            TestClient client = bus.connect();
            client.sendBytes("this is no message".getBytes(US_ASCII));

            assertThat(log.line())
                    .startsWith("disconnected " + we(client))
                    .contains("malformed message: header at byte ")
                    .hasLineCount(1);
        }
    }
}
