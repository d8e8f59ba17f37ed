package io.holdfast.interop.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.interop.Checkout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Unmodified programs read the journal of a container whose init is ours. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(600)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"crun", "unshare", "nsenter", "systemctl", "journalctl"})
class JournalReadersTest {
    @TempDir private static Path folder;
    private PlainContainer container;

    @BeforeAll
    void start() throws Exception {
        Checkout.requireForAll();
        container = PlainContainer.start(folder, "init");
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

    @Test
    void rsyslogCollectsTheMessages() throws Exception {
        assumeTrue(Files.exists(Path.of("/usr/sbin/rsyslogd")), "needs rsyslog");
        assumeTrue(
                container.answers("grep -c ZSTD_decompress /usr/lib/*/libsystemd.so.0", "1"),
                "needs a libsystemd with zstd, as Debian's is");
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
