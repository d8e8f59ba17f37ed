package io.holdfast.interop.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.run.Run;
import io.holdfast.core.run.RunResult;
import io.holdfast.core.testkit.Needs;
import io.holdfast.interop.Checkout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The tests of dbus-daemon itself, from Debian's package dbus-tests; each program runs as a whole.
 * They start the program in {@code DBUS_TEST_DAEMON} with dbus-daemon's own options and
 * configurations.
 */
@Timeout(600)
class DbusSuiteTest {
    private static final Path SUITE = Path.of("/usr/lib/dbus-1.0/installed-tests/dbus");
    private static final List<String> PROGRAMS =
            List.of(
                    "test-dbus-daemon",
                    "test-monitor",
                    "test-sd-activation",
                    "test-dbus-daemon-eavesdrop",
                    "test-uid-permissions");

    /**
     * Cases that need a feature that dbus-broker refuses, too: a match rule with {@code
     * eavesdrop='true'} of a client that is not a monitor. The specification calls it deprecated,
     * and BecomeMonitor does the same with a privilege.
     */
    private static final Map<String, List<String>> REFUSED =
            Map.of(
                    "test-monitor",
                    List.of("/monitor/selective"),
                    "test-dbus-daemon-eavesdrop",
                    List.of(
                            "/eavedrop/match_keyword/broadcast",
                            "/eavedrop/match_keyword/unicast_to_receiver",
                            "/eavedrop/match_keyword/unicast_to_sender"));

    private static final Pattern OK = Pattern.compile("ok \\d+ (/\\S+).*");

    /** A link to the command, which then runs the bus. */
    @TempDir private static Path folder;

    private static Path holdfast;

    @BeforeAll
    static void layOut() throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        holdfast = Files.createSymbolicLink(folder.resolve("dbus-daemon"), Checkout.HOLDFAST);
    }

    static Stream<String> programs() {
        return PROGRAMS.stream();
    }

    private static RunResult run(String program, Path daemon, List<String> words) throws Exception {
        assumeTrue(Files.exists(SUITE.resolve(program)), "dbus-tests is not installed");
        return Run.of(
                        Spawn.of(SUITE.resolve(program).toString())
                                .arguments(words)
                                .environment("DBUS_TEST_DAEMON", daemon.toString())
                                .environment("DBUS_TEST_DATA", SUITE.resolve("data").toString())
                                .environment("DBUS_TEST_EXEC", SUITE.toString())
                                .environment("DBUS_TEST_TIMEOUT_MULTIPLIER", "8") // of a minute
                                .environment("HOLDFAST_AS_BUILT", "yes")
                                .environment("LC_ALL", "C.UTF-8"))
                .timeout(Duration.ofMinutes(9))
                .run();
    }

    private static List<String> cases(String program) throws Exception {
        return run(program, Path.of("/bin/false"), List.of("-l"))
                .output()
                .lines()
                .filter(line -> line.startsWith("# /"))
                .map(line -> line.substring(2))
                .toList();
    }

    private static void passes(String program, Path daemon, List<String> refused) throws Exception {
        List<String> cases = new ArrayList<>(cases(program));
        assertThat(cases).as(program).isNotEmpty().containsAll(refused);
        List<String> words = new ArrayList<>(List.of("--tap"));
        refused.forEach(each -> words.addAll(List.of("-s", each)));
        RunResult result = run(program, daemon, words);
        List<String> passed = new ArrayList<>();
        for (String line : result.outputLines()) {
            Matcher ok = OK.matcher(line);
            if (ok.matches()) {
                passed.add(ok.group(1));
            }
        }
        assertThat(passed).as(() -> program + ": " + result).containsExactlyElementsOf(cases);
        assertThat(result.exit()).isEqualTo(new Exit.Exited(0));
    }

    @ParameterizedTest
    @MethodSource("programs")
    @Needs(root = true)
    void holdfastPassesAsDbusDaemonDoes(String program) throws Exception {
        Checkout.requireForAll(); // some cases run the bus as another user
        passes(program, holdfast, REFUSED.getOrDefault(program, List.of()));
    }

    @ParameterizedTest
    @MethodSource("programs")
    @Needs(root = true, programs = "dbus-daemon")
    @EnabledIfSystemProperty(named = "holdfast.long", matches = "true")
    void dbusDaemonPasses(String program) throws Exception {
        passes(program, Path.of("/usr/bin/dbus-daemon"), List.of());
    }
}
