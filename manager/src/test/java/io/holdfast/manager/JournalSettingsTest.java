package io.holdfast.manager;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Fd;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysXattr;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.systemd1.Systemd1;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a manager passes on to the receiver of log messages, in systemd's form. */
@Timeout(120)
class JournalSettingsTest {
    @TempDir private Path folder;
    private Stage stage;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
        assertThat(stage.runtimeDirectory().resolve("units")).doesNotExist();
    }

    /** Returns all links, and files as the text that they hold. */
    private Map<String, String> passedOn() throws IOException {
        Map<String, String> all = new TreeMap<>();
        try (Stream<Path> files = Files.list(stage.runtimeDirectory().resolve("units"))) {
            for (Path file : (Iterable<Path>) files::iterator) {
                all.put(
                        file.getFileName().toString(),
                        Files.isSymbolicLink(file)
                                ? Files.readSymbolicLink(file).toString()
                                : Files.readString(file, UTF_8));
            }
        }
        return all;
    }

    @Test
    void theSettingsOfARunStandFromItsStartToItsEnd() throws Exception {
        stage.service(
                "a",
                "ExecStart=/bin/sleep 1000",
                "LogLevelMax=notice",
                "LogExtraFields=A=1 \"B=x y\"",
                "LogRateLimitIntervalSec=5s",
                "LogRateLimitBurst=17");
        stage.start("a");
        assertThat(passedOn())
                .isEqualTo(
                        Map.of(
                                "invocation:a.service", stage.status("a").invocationId(),
                                "log-level-max:a.service", "5",
                                "log-rate-limit-interval:a.service", "5000000",
                                "log-rate-limit-burst:a.service", "17",
                                "log-extra-fields:a.service",
                                        "\3\0\0\0\0\0\0\0A=1\5\0\0\0\0\0\0\0B=x y"));
        stage.stop("a");
        assertThat(passedOn()).isEmpty();
    }

    @Test
    void aSettingThatIsNoMoreIsNotPassedOnToTheNextRun() throws Exception {
        stage.service("a", "ExecStart=/bin/sleep 1000", "LogLevelMax=3", "LogExtraFields=A=1");
        stage.start("a");
        String first = stage.status("a").invocationId();
        stage.service("a", "ExecStart=/bin/sleep 1000", "LogRateLimitIntervalSec=infinity");
        Stage.get(stage.reloading());
        stage.restart("a");
        assertThat(stage.status("a").invocationId()).isNotEqualTo(first);
        assertThat(passedOn())
                .isEqualTo(
                        Map.of(
                                "invocation:a.service",
                                stage.status("a").invocationId(),
                                "log-rate-limit-interval:a.service",
                                "18446744073709551615"));
    }

    /** As for all of journald, a 0 says that there is no limit; systemd ignores it in a unit. */
    @Test
    void aRateLimitOfZeroIsPassedOn() throws Exception {
        stage.service(
                "a",
                "ExecStart=/bin/sleep 1000",
                "LogRateLimitIntervalSec=0",
                "LogRateLimitBurst=0");
        stage.start("a");
        assertThat(passedOn())
                .containsEntry("log-rate-limit-interval:a.service", "0")
                .containsEntry("log-rate-limit-burst:a.service", "0");
    }

    @Test
    @Needs(root = true, cgroup2 = true)
    void patternsAreAttachedToTheCgroup() throws Exception {
        stage.service(
                "a",
                "ExecStart=/bin/sleep 1000",
                "LogFilterPatterns=good",
                "LogFilterPatterns=~bad.*",
                "LogFilterPatterns=~worse");
        stage.start("a");
        byte[] value = new byte[100];
        try (Cgroup cgroup = Cgroup.open(stage.status("a").cgroup().orElseThrow());
                Fd opened = Fcntl.open(cgroup.fd(), ".", Fcntl.O_RDONLY, 0)) {
            int size = SysXattr.get(opened, "user.journald_log_filter_patterns", value);
            assertThat(new String(value, 0, size, ISO_8859_1)).isEqualTo("good\u00ffbad.*\0worse");
        }
    }

    @Test
    @Needs(programs = "systemctl")
    void theSettingsAreShown() throws Exception {
        stage.service(
                "a",
                "ExecStart=/bin/true",
                "LogLevelMax=3",
                "LogExtraFields=A=1 \"B=x y\"",
                "LogRateLimitIntervalSec=2min",
                "LogRateLimitBurst=5",
                "LogFilterPatterns=good",
                "LogFilterPatterns=~bad");
        try (Systemd1 _ = Systemd1.serve(stage.manager(), stage.runtimeDirectory())) {
            String properties =
                    "LogLevelMax,LogExtraFields,LogRateLimitIntervalUSec,LogRateLimitBurst,"
                            + "LogFilterPatterns";
            assertThat(Systemctl.of(stage).expect(0, "show", "a", "-p", properties).lines())
                    .containsExactlyInAnyOrder(
                            "LogLevelMax=3",
                            "LogExtraFields=A=1 B=x y",
                            "LogRateLimitIntervalUSec=2min",
                            "LogRateLimitBurst=5",
                            "LogFilterPatterns=good",
                            "LogFilterPatterns=~bad");
        }
    }
}
