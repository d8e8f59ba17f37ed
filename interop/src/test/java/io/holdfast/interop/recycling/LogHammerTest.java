package io.holdfast.interop.recycling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.Feature;
import io.holdfast.core.testkit.CProgram;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Processes log one line and exit while their PIDs are recycled, and each line is attributed to the
 * process that has written it: {@link LogHammerProgram}. 3,000 processes in {@code ./test}, 100,000
 * with {@code -Dholdfast.long=true}, and then beside systemd-journald, whose figures are printed.
 */
@Timeout(900)
@Needs(
        root = true,
        cgroup2 = true,
        features = {Feature.PIDFD_INFO},
        programs = {"unshare", "gcc"})
class LogHammerTest {
    private static final boolean IS_LONG = Boolean.getBoolean("holdfast.long");
    private static final Path JOURNALD = Path.of("/usr/lib/systemd/systemd-journald");

    @Test
    void noLineIsMissingOrOfAnotherProcess() {
        ChildJvm.Result result = hammer();
        assertThat(result.status()).as(result.output()).isZero();
    }

    @Test
    void journaldIsMeasuredBeside() {
        assumeTrue(IS_LONG && Files.isExecutable(JOURNALD), "the long run, and systemd-journald");
        ChildJvm.Result result = hammer(JOURNALD.toString());
        assertThat(result.output()).contains("journald: of ");
    }

    private static ChildJvm.Result hammer(String... journald) {
        List<String> arguments = new ArrayList<>();
        arguments.add(CProgram.of(LogHammerTest.class, "loggers.c").toString());
        arguments.add(Integer.toString(IS_LONG ? 100_000 : 3_000));
        arguments.addAll(List.of(journald));
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "unshare",
                                "--mount",
                                "--pid",
                                "--fork",
                                "--kill-child",
                                "--mount-proc",
                                "sh",
                                "-c",
                                // journald looks for a cgroup2 at the usual place
                                """
                                set -e
                                mkdir -p /run/systemd /run/log
                                mount -t tmpfs tmpfs /run/systemd
                                mount -t tmpfs tmpfs /run/log
                                umount -lR /sys/fs/cgroup
                                mount -t cgroup2 cgroup2 /sys/fs/cgroup
                                mkdir /run/systemd/journal
                                exec "$@"
                                """,
                                "sh"));
        command.addAll(
                ChildJvm.command(
                        List.of("-Xmx256m", "-Dio.holdfast.receiver.rateBurst=1000000"),
                        LogHammerProgram.class,
                        arguments.toArray(String[]::new)));
        ChildJvm.Result result = ChildJvm.run(command);
        System.out.println(result.output());
        return result;
    }
}
