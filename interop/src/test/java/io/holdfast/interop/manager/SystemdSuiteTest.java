package io.holdfast.interop.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import io.holdfast.interop.Checkout;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Runs systemd's own tests of its manager, the scripts of Debian's package systemd-tests, against
 * {@code holdfast up}. {@code suite.txt} states for each script that it runs, or what is missing
 * for it. The package is unpacked into a folder of the test and not installed.
 */
@Timeout(400)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@EnabledIfSystemProperty(named = "holdfast.long", matches = "true")
@Needs(
        root = true,
        cgroup2 = true,
        programs = {
            "apt-get",
            "dpkg-deb",
            "unshare",
            "setpriv",
            "mount",
            "ip",
            "bash",
            "dbus-daemon",
            "systemctl"
        })
class SystemdSuiteTest {
    private static final Pattern SCRIPT =
            Pattern.compile(
                    "TEST-(04-JOURNAL|07-PID1|23-UNIT-FILE|53-TIMER)\\..*\\.sh"
                            + "|TEST-(03-JOBS|16-EXTEND-TIMEOUT|26-SYSTEMCTL|52-HONORFIRSTSHUTDOWN"
                            + "|63-PATH|80-NOTIFYACCESS)\\.sh");
    private static final Pattern RUNS = Pattern.compile("runs(?: with (\\S+))?");

    @TempDir private static Path folder;
    private Path tests = Path.of("/");

    @BeforeAll
    void unpack() throws Exception {
        Checkout.requireBuilt();
        Path download = Files.createDirectory(folder.resolve("download"));
        String said =
                Shell.run(
                        List.of(
                                "sh",
                                "-c",
                                "cd \"$1\" && apt-get download systemd-tests=257* && dpkg-deb -x"
                                        + " *.deb .",
                                "sh",
                                download.toString()));
        tests = download.resolve("usr/lib/systemd/tests");
        assumeTrue(Files.isDirectory(tests), "needs the package systemd-tests 257: " + said);
    }

    /** Returns the statement about each script. */
    private static Map<String, String> lines() {
        Map<String, String> lines = new TreeMap<>();
        for (String line : CaseFiles.resource("suite.txt").lines().toList()) {
            if (!line.startsWith("#")) {
                String[] parts = line.split(" \\| ", 2);
                assertThat(parts).as(line).hasSize(2);
                assertThat(lines.put(parts[0], parts[1])).as(line).isNull();
            }
        }
        return lines;
    }

    static List<String> running() {
        return lines().entrySet().stream()
                .filter(line -> RUNS.matcher(line.getValue()).matches())
                .map(Map.Entry::getKey)
                .toList();
    }

    @Test
    void somethingIsSaidOfEachScript() throws IOException {
        Set<String> scripts = new TreeSet<>();
        try (DirectoryStream<Path> units = Files.newDirectoryStream(units())) {
            for (Path unit : units) {
                String name = unit.getFileName().toString();
                if (SCRIPT.matcher(name).matches()) {
                    scripts.add(name);
                }
            }
        }
        assertThat(lines().keySet()).isEqualTo(scripts);
    }

    private Path units() {
        return tests.resolve("testdata/units");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("running")
    void runs(String script) throws Exception {
        Matcher line = RUNS.matcher(lines().get(script));
        assertThat(line.matches()).isTrue();
        Optional<String> program = Optional.ofNullable(line.group(1));
        assumeTrue(
                program.isEmpty() || Files.exists(Path.of("/usr/bin", program.get())),
                "needs " + program.orElse(""));
        Path suite = Files.writeString(folder.resolve("suite.sh"), CaseFiles.resource("suite.sh"));
        Path scratch = Files.createDirectories(folder.resolve("scratch"));
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "timeout",
                                "--kill-after=5",
                                "300",
                                "sh",
                                suite.toString(),
                                scratch.toString(),
                                tests.toString(),
                                script));
        command.addAll(Checkout.command("up"));
        ChildJvm.Result result = ChildJvm.run(command);
        assertThat(result.status()).as(result.output()).isZero();
    }
}
