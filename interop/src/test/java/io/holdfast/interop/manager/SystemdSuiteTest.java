package io.holdfast.interop.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import io.holdfast.interop.Checkout;
import io.holdfast.journal.Boot;
import io.holdfast.journal.JournalException;
import io.holdfast.journal.JournalReader;
import io.holdfast.journal.JournalVerifier;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
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

    static List<String> running() {
        return SuiteScript.all().values().stream()
                .filter(SuiteScript::isRunning)
                .map(SuiteScript::name)
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
        assertThat(SuiteScript.all().keySet()).isEqualTo(scripts);
    }

    private Path units() {
        return tests.resolve("testdata/units");
    }

    /** TEST-04-JOURNAL.corrupted-journals for our reader instead of journalctl(1). */
    @Test
    @Needs(programs = {"unzstd", "tar"})
    void theReaderBearsTheDamagedJournals() throws Exception {
        Path damaged = Files.createDirectory(folder.resolve("damaged"));
        String _ =
                Shell.run(
                        List.of(
                                "sh",
                                "-euc",
                                """
                                unzstd --stdout "$1/afl-corrupted-journals.tar.zst" | tar -xC "$2"
                                for file in "$1"/corrupted/*.zst; do
                                    name=${file##*/}
                                    unzstd -q "$file" -o "$2/${name%.zst}.journal"
                                done
                                """,
                                "sh",
                                tests.resolve("testdata/test-journals").toString(),
                                damaged.toString()));
        List<Path> files = new ArrayList<>();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(damaged)) {
            found.forEach(files::add);
        }
        assertThat(files).hasSizeGreaterThan(600);
        for (Path file : files) {
            try (JournalReader reader = JournalReader.openFile(file)) {
                while (reader.next() != null) {
                    // its entries are read
                }
                Set<String> _ = reader.fieldNames();
                List<Boot> _ = reader.boots();
            } catch (JournalException e) {
                assertThat(e.file()).isEqualTo(file);
            }
            try {
                assertThat(JournalVerifier.verify(file).isValid()).as("%s", file).isFalse();
            } catch (JournalException e) {
                assertThat(e.file()).isEqualTo(file);
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("running")
    void runs(String script) throws Exception {
        SuiteScript stated = Objects.requireNonNull(SuiteScript.all().get(script));
        for (String program : stated.programs()) {
            assumeTrue(Files.exists(Path.of("/usr/bin", program)), "needs " + program);
        }
        Path suite = Files.writeString(folder.resolve("suite.sh"), CaseFiles.resource("suite.sh"));
        Path scratch = Files.createDirectories(folder.resolve("scratch"));
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "env",
                                "SUITE_EDITS=" + String.join("\n", stated.edits().keySet()),
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
