package io.holdfast.cli.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.core.run.Run;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.Needs;
import io.holdfast.journal.Field;
import io.holdfast.journal.Id128;
import io.holdfast.journal.JournalWriter;
import io.holdfast.journal.WriterOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the output of logs beside that of journalctl(1), on the same files. */
@Timeout(120)
class LogsCommandTest {
    private static final long START = 1_764_547_200_000_000L; // 2025-12-01 00:00 UTC

    @TempDir private Path folder;

    @BeforeEach
    void write() throws Exception {
        Id128 boot = Id128.boot();
        try (JournalWriter writer =
                JournalWriter.open(folder.resolve("system.journal"), WriterOptions.standard())) {
            for (int i = 0; i < 24; i++) {
                long _ =
                        writer.append(
                                START + i * 3_600_000_000L,
                                i * 1000L + 1,
                                boot,
                                List.of(
                                        Field.of(
                                                "MESSAGE",
                                                "message " + i + (i % 5 == 0 ? " Five" : "")),
                                        Field.of("PRIORITY", Integer.toString(i % 8)),
                                        Field.of("SYSLOG_IDENTIFIER", "prog"),
                                        Field.of("_PID", Integer.toString(100 + i)),
                                        Field.of("_HOSTNAME", "host"),
                                        Field.of(
                                                "_SYSTEMD_UNIT",
                                                i % 2 == 0 ? "a.service" : "b.service")));
            }
        }
    }

    private String logs(String... options) {
        List<String> line = new ArrayList<>(List.of("logs", "--directory", folder.toString()));
        line.addAll(List.of(options));
        Invocation invocation = Invocation.of(line.toArray(String[]::new));
        assertThat(invocation.err()).isEmpty();
        return invocation.out();
    }

    private String journalctl(String... options) throws Exception {
        List<String> line =
                new ArrayList<>(List.of("journalctl", "-q", "--no-pager", "-D", folder.toString()));
        line.addAll(List.of(options));
        return Run.of(line).run().output();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "-n 3",
                "-r",
                "-r -n 4",
                "-p err",
                "-p 2..4",
                "-p warning -n 2",
                "--grep five",
                "--grep Five -n 2 -r",
                "--grep five -r",
                "--since @1764560000",
                "--until @1764560000",
                "--since @1764551000 --until @1764570000 -n 2",
                "--since @1764551000 --until @1764570000 -r",
                "--since @1764558000.000001 --until 2025-12-01T09:00:00Z",
                "--since 2025-12-01T03:00:00+01:00 -n 22",
                "-o cat",
                "-o short-precise",
                "-o short-iso",
                "-b",
                "-F _SYSTEMD_UNIT"
            })
    @Needs(programs = "journalctl")
    void printsWhatJournalctlPrints(String options) throws Exception {
        String[] words = options.isEmpty() ? new String[0] : options.split(" ");
        assertThat(logs(words).lines().sorted().toList())
                .as(options)
                .isEqualTo(journalctl(words).lines().sorted().toList());
        if (!options.startsWith("-F")) {
            assertThat(logs(words)).as(options).isEqualTo(journalctl(words));
        }
    }

    @Test
    @Needs(programs = "journalctl")
    void aTimeMayHaveADayOfTheWeekAndAZone() throws Exception {
        String[] since = {"--since", "Mon 2025-12-01 20:30:00.5 UTC"};
        assertThat(logs(since)).isEqualTo(journalctl(since)).hasLineCount(3);
    }

    @Test
    @Needs(programs = "journalctl")
    void aUnitIsNamedWithOrWithoutItsSuffix() throws Exception {
        assertThat(logs("a")).isEqualTo(journalctl("-u", "a")).isNotEmpty();
        assertThat(logs("b.service", "-n", "2")).isEqualTo(journalctl("-u", "b", "-n", "2"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"short", "short-iso", "verbose", "cat"})
    @Needs(programs = "journalctl")
    void theFurtherLinesOfAMessageLookLikeNoOtherMessage(String format) throws Exception {
        folder = Files.createDirectory(folder.resolve("lines"));
        try (JournalWriter writer =
                JournalWriter.open(folder.resolve("system.journal"), WriterOptions.standard())) {
            String[] fields = {"_HOSTNAME", "host", "SYSLOG_IDENTIFIER", "prog", "_PID", "7"};
            write(writer, "first\nDec 01 host sshd[1]: second\n\n  at last", fields);
            long _ = writer.append(List.of(Field.of("WITHOUT_A_MESSAGE", "1")));
            write(writer, "another", fields);
        }
        assertThat(logs("-o", format)).isEqualTo(journalctl("-o", format)).contains("second");
    }

    @Test
    void aUserCannotPutMessagesAmongThoseOfAUnitOfTheSystem(@TempDir Path files) throws Exception {
        String me = Long.toString(Unistd.geteuid());
        try (JournalWriter writer =
                JournalWriter.open(files.resolve("system.journal"), WriterOptions.standard())) {
            write(writer, "of the unit", "_UID", "61001", "_SYSTEMD_UNIT", "nginx.service");
            write(writer, "of the manager", "_UID", "0", "UNIT", "nginx.service");
            write(writer, "of my manager", "_UID", me, "USER_UNIT", "nginx.service");
            write(writer, "forged", "_UID", "61001", "UNIT", "nginx.service");
            write(writer, "forged", "_UID", "61001", "USER_UNIT", "nginx.service");
            write(
                    writer,
                    "forged by the name of a cgroup",
                    "_UID",
                    "61001",
                    "_SYSTEMD_UNIT",
                    "user@61001.service",
                    "_SYSTEMD_USER_UNIT",
                    "nginx.service");
            write(
                    writer,
                    "forged through a program of root",
                    "_UID",
                    "0",
                    "_SYSTEMD_OWNER_UID",
                    "61001",
                    "_SYSTEMD_USER_UNIT",
                    "nginx.service");
        }
        Invocation invocation = Invocation.of("logs", "-D", files.toString(), "nginx", "-o", "cat");
        assertThat(invocation.out()).isEqualTo("of the unit\nof the manager\nof my manager\n");
    }

    private static void write(JournalWriter writer, String message, String... fields)
            throws Exception {
        List<Field> all = new ArrayList<>(List.of(Field.of("MESSAGE", message)));
        for (int i = 0; i < fields.length; i += 2) {
            all.add(Field.of(fields[i], fields[i + 1]));
        }
        long _ = writer.append(all);
    }

    @Test
    @Needs(programs = "journalctl")
    void exportIsTheSameByteForByte() throws Exception {
        assertThat(logs("-n", "2", "-o", "export"))
                .isEqualTo(journalctl("-n", "2", "-o", "export"));
    }

    @Test
    void theFilesOfAManagerAreFound(@TempDir Path runtime) throws Exception {
        Path log = Files.createDirectory(runtime.resolve("log"));
        try (JournalWriter writer =
                JournalWriter.open(log.resolve("system.journal"), WriterOptions.standard())) {
            long _ = writer.append(List.of(Field.of("MESSAGE", "of the manager")));
        }
        Invocation invocation =
                Invocation.of("logs", "--runtime-dir", runtime.toString(), "-o", "cat");
        assertThat(invocation.out()).isEqualTo("of the manager\n");
    }

    @Test
    void aUnitWithoutMessagesIsNamed() {
        Invocation invocation =
                Invocation.of("logs", "-D", folder.toString(), "a", "ngnix", "-n", "1");
        assertThat(invocation.err())
                .contains("ngnix.service: there is no message of such a unit")
                .doesNotContain("a.service:");
        assertThat(invocation.out()).contains("message 22");
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void aUserIsToldHowToReadTheMessagesOfOthers(@TempDir Path home) throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwxrwxrwx"));
        try (CommandProcess logs =
                CommandProcess.startAsNobody(
                        home, List.of(), "logs", "-f", "-D", folder.toString())) {
            logs.await("system.journal: permission denied (EACCES); only root and members");
        }
    }

    @Test
    void whatIsWrongInTheLineIsSaid() {
        assertThat(Invocation.of("logs", "-p", "loud").err()).contains("no priority: loud");
        assertThat(Invocation.of("logs", "--since", "soon").err())
                .contains("no point in time: soon");
        assertThat(Invocation.of("logs", "-o", "pretty").err()).contains("no format: pretty");
        assertThat(Invocation.of("logs", "--grep", "(").err()).contains("--grep: ");
        assertThat(Invocation.of("logs", "-D", "/nowhere").err())
                .contains("/nowhere: there is no such folder");
    }
}
