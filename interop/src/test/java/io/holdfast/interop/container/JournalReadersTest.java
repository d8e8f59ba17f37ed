package io.holdfast.interop.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.Feature;
import io.holdfast.core.run.Run;
import io.holdfast.core.run.RunResult;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.interop.Checkout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Unmodified programs read the journal of a container whose init is ours, and write to it.
 *
 * <p>Those with libsystemd need one that reads zstd, as Debian's does. Where the machine's was
 * built without it, the long run mounts that of Debian's package in the container.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(600)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"crun", "unshare", "nsenter", "systemctl", "journalctl"})
class JournalReadersTest {
    /** As in an image without systemd, nothing but our own target wants the sockets. */
    private static final String BOOT =
            "rm -f /usr/lib/systemd/system/sockets.target.wants/systemd-journald*; exec $0 init";

    private static final String MOUNTS = "\"mounts\": [";
    private static final Run PACKAGED =
            Run.of("sh", "-c", "grep -q ZSTD_decompress /usr/lib/*/libsystemd.so.0");

    @TempDir private static Path folder;
    private boolean hasZstd;
    private PlainContainer container;

    @BeforeAll
    void start() throws Exception {
        Checkout.requireForAll();
        hasZstd = PACKAGED.run().exit().isSuccess();
        String mount = hasZstd || !Boolean.getBoolean("holdfast.long") ? "" : packagedLibrary();
        hasZstd |= !mount.isEmpty();
        container =
                PlainContainer.start(
                        PlainContainer.Setting.DEFAULT,
                        Files.createDirectory(folder.resolve("container")),
                        List.of("/bin/sh", "-c", BOOT, PlainContainer.HOLDFAST),
                        config -> config.replace(MOUNTS, MOUNTS + mount));
        container.init().await("holdfast: ready");
        String _ =
                container.run(
                        """
                        cat >/run/systemd/system/speaker.service <<'END'
                        [Service]
                        ExecStart=/bin/sh -c 'echo hello; echo "<3>careful"; exec sleep 1000'
                        END
                        systemctl daemon-reload
                        systemctl start speaker
                        """);
    }

    /** Returns a mount of the package's library over the machine's; empty without a network. */
    private static String packagedLibrary() throws Exception {
        Path unpacked = Files.createDirectory(folder.resolve("package"));
        RunResult library =
                Run.of(
                                "sh",
                                "-c",
                                "cd $0 && apt-get -qo APT::Sandbox::User=root download libsystemd0 >&2"
                                        + " && dpkg-deb -x *.deb . && realpath -z"
                                        + " usr/lib/*/libsystemd.so.0 && realpath -z"
                                        + " /usr/lib/*/libsystemd.so.0",
                                unpacked.toString())
                        .run();
        String[] paths = library.output().split("\0");
        return library.exit().isSuccess() && paths.length == 2
                ? "{\"type\": \"bind\", \"source\": \"%s\", \"destination\": \"%s\", \"options\": [\"bind\"]},"
                        .formatted(paths[0], paths[1])
                : "";
    }

    @AfterAll
    void stop() throws Exception {
        if (container != null) {
            container.end();
        }
    }

    @Test
    void systemctlShowsTheLastLinesOfAUnit() {
        String command = "systemctl --no-pager status speaker 2>&1";
        Await.until(() -> container.answers(command, "]: careful"));
        assertThat(container.answers(command, "]: hello")).isTrue();
    }

    /** journalctl --flush; the receiver stores in /var/log/journal from its start. */
    @Test
    void theUnitThatFlushesTheJournalDoesNotFail() {
        String command = "systemctl show -P Result systemd-journal-flush.service";
        Await.until(() -> container.answers(command, "success"));
    }

    @Test
    void journalctlStoresWhatWasSentBefore() throws Exception {
        assertThat(
                        container.run(
                                "echo before | systemd-cat -t asked; journalctl --sync; journalctl"
                                        + " -t asked -o cat"))
                .isEqualTo("before");
    }

    /** The container has no cgroups for units: the sender is a child of the unit's main process. */
    @Test
    @Needs(
            features = Feature.PIDFS,
            programs = {"logger", "mkfifo"})
    void messagesOfSyslogAreStoredAndPrintedWithTheUnitOfTheirSender() throws Exception {
        String _ =
                container.run(
                        """
                        mkfifo /run/fifo
                        systemd-run --unit=older sh -c 'logger -t older-program <>/run/fifo; :'
                        echo asked >/run/fifo
                        """);
        container.init().await("older.service | older-program: asked");
        assertThat(
                        container.run(
                                "journalctl -u older -o cat _TRANSPORT=syslog _COMM=logger; "
                                        + PlainContainer.HOLDFAST
                                        + " logs older -o cat --grep asked"))
                .isEqualTo("asked\nasked");
    }

    @Test
    void rsyslogReceivesMessagesOfSyslogFromItsSocket() throws Exception {
        assumeTrue(Files.exists(Path.of("/usr/sbin/rsyslogd")), "needs rsyslog");
        String _ = container.run("systemctl start rsyslog; logger -t for-rsyslog passed on");
        Await.until(() -> container.answers("cat /var/log/syslog", "for-rsyslog: passed on"));
        Await.until(() -> container.answers("journalctl -o cat -t for-rsyslog", "passed on"));
    }

    @Test
    void python3SystemdWritesAndReads() throws Exception {
        assumeTrue(
                container.answers("/usr/bin/python3 -c 'import systemd.journal; print(1)'", "1"),
                "needs python3-systemd");
        String _ =
                container.run(
                        """
                        /usr/bin/python3 - <<'END'
                        import logging
                        from systemd import journal
                        journal.send("sent", SYSLOG_IDENTIFIER="py", PRIORITY="4", LONG="x" * 300000, LINES="a\\nb")
                        journal.stream("py", 5).write("streamed\\n")
                        log = logging.getLogger("x")
                        log.addHandler(journal.JournalHandler(SYSLOG_IDENTIFIER="py"))
                        log.error("logged")
                        END
                        """);
        Await.until(() -> container.answers("journalctl -t py -o cat -p err", "logged"));
        Await.until(() -> container.answers("journalctl -t py -o cat", "streamed"));
        assumeTrue(hasZstd, "needs a libsystemd with zstd, as Debian's is");
        assertThat(
                        container.run(
                                """
                                /usr/bin/python3 - <<'END'
                                from systemd import journal
                                reader = journal.Reader()
                                reader.add_match(SYSLOG_IDENTIFIER="py")
                                for entry in sorted(reader, key=lambda e: e["MESSAGE"]):
                                    print(entry["MESSAGE"], entry["PRIORITY"], entry["_PID"] > 0,
                                          len(entry.get("LONG", "")), repr(entry.get("LINES")))
                                END
                                """))
                .isEqualTo(
                        """
                        logged 3 True 0 None
                        sent 4 True 300000 'a\\nb'
                        streamed 5 True 0 None\
                        """);
    }

    @Test
    void rsyslogCollectsTheMessages() throws Exception {
        assumeTrue(Files.exists(Path.of("/usr/sbin/rsyslogd")), "needs rsyslog");
        assumeTrue(hasZstd, "needs a libsystemd with zstd, as Debian's is");
        String _ =
                container.run(
                        """
                        mkdir /run/collector
                        cat >/run/collector/conf <<'END'
                        global(workDirectory="/run/collector")
                        module(load="imjournal" StateFile="state" IgnorePreviousMessages="off")
                        template(name="line" type="string" string="%syslogtag%%msg%\\n")
                        *.* action(type="omfile" file="/run/collector/log" template="line")
                        END
                        rsyslogd -f /run/collector/conf -i /run/collector/pid
                        """);
        Await.until(() -> container.answers("cat /run/collector/log", "hello"));
        String _ = container.run("echo 'a message that follows' | systemd-cat -t later");
        Await.until(() -> container.answers("cat /run/collector/log", "a message that follows"));
        assertThat(container.run("grep -c 'a message that follows' /run/collector/log"))
                .isEqualTo("1");
    }
}
