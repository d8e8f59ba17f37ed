package io.holdfast.core.process;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.FullTable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Code that was written for {@link Process} works with a child. */
@Timeout(60)
class ChildProcessTest {
    private static Child start(String... command) {
        return Spawn.of(new ProcessBuilder(command)).start();
    }

    @Test
    void itIsWrittenToReadFromAndWaitedFor() throws Exception {
        try (Child child = start("sh", "-c", "cat; echo told >&2; exit 3")) {
            Process process = child.asProcess();
            assertThat(process.isAlive()).isTrue();
            assertThat(process.pid()).isEqualTo(child.pidFd().pid());
            assertThatExceptionOfType(IllegalThreadStateException.class)
                    .isThrownBy(process::exitValue);
            assertThat(process.waitFor(1, TimeUnit.NANOSECONDS)).isFalse();
            try (var writer = process.outputWriter(StandardCharsets.UTF_8)) {
                writer.write("asked\n");
            }
            assertThat(process.inputReader(StandardCharsets.UTF_8).readAllAsString())
                    .isEqualTo("asked\n");
            assertThat(process.errorReader(StandardCharsets.UTF_8).readLine()).isEqualTo("told");
            assertThat(process.waitFor()).isEqualTo(3);
            assertThat(process.exitValue()).isEqualTo(3);
            assertThat(process.isAlive()).isFalse();
            assertThat(process.onExit().get()).isSameAs(process);
        }
    }

    @Test
    void itIsEndedAsProcessesOfTheJdkAre() throws Exception {
        try (Child gently = start("sleep", "1000");
                Child forcibly = start("sh", "-c", "trap '' TERM; echo ready; exec sleep 1000")) {
            Process first = gently.asProcess();
            assertThat(first.supportsNormalTermination()).isTrue();
            first.destroy();
            assertThat(first.waitFor()).isEqualTo(128 + 15);

            Process second = forcibly.asProcess();
            assertThat(second.inputReader().readLine()).isEqualTo("ready");
            assertThat(second.destroyForcibly()).isSameAs(second);
            assertThat(second.waitFor()).isEqualTo(128 + 9);
        }
    }

    @SuppressWarnings("try") // closed early on purpose
    @Test
    void itsPidIsKnownAfterTheReap() throws Exception {
        for (boolean reapedLater : new boolean[] {false, true}) {
            Spawn spawn = Spawn.of("sh", "-c", "echo $$").stdout(Stdio.pipe());
            try (Child child = (reapedLater ? spawn.reapLater() : spawn).start()) {
                long pid = Long.parseLong(new String(child.stdout().readAllBytes(), UTF_8).strip());
                Exit _ = child.await();
                child.reap();
                assertThat(child.asProcess().pid()).isEqualTo(pid);
                child.close();
                assertThat(child.asProcess().pid()).isEqualTo(pid);
            }
        }
    }

    /** Runs in a JVM of its own, whose descriptor table is full. */
    static final class InAFullTable {
        public static void main(String[] arguments) throws Exception {
            FullTable.limit(160, Fd.class);
            try (Child child = Spawn.of("cat").stdin(Stdio.pipe()).start()) {
                long pid = child.asProcess().pid();
                FullTable.fill(0);
                Process process = child.asProcess();
                long errno = pidOrErrno(process::pid);
                FullTable.empty();
                System.out.println(errno);
                System.out.println(process.pid() == pid);
                child.stdin().close();
                System.out.println(child.await());
            }
        }

        private static long pidOrErrno(LongSupplier pid) {
            try {
                return pid.getAsLong();
            } catch (ErrnoException e) {
                return -e.errno();
            }
        }
    }

    @Test
    void aShortageOfDescriptorsFailsWhatNeedsThePidOnly() {
        ChildJvm.Result result =
                ChildJvm.run(List.of("-Dio.holdfast.without=PIDFD_INFO"), InAFullTable.class);
        assertThat(result.output())
                .isEqualTo("-%d\ntrue\n%s\n".formatted(Errno.EMFILE, new Exit.Exited(0)));
    }

    @Test
    void aHandleIsOfThisProcessOnly() throws Exception {
        try (Child child = start("sleep", "1000")) {
            Process process = child.asProcess();
            ProcessHandle before = process.toHandle();
            assertThat(before.pid()).isEqualTo(process.pid());
            assertThat(process.info().command()).isPresent();
            assertThat(process.descendants()).isEmpty();
            process.destroyForcibly();
            assertThat(process.waitFor()).isEqualTo(128 + 9);

            ProcessHandle after = process.toHandle();
            assertThat(after.pid()).isEqualTo(process.pid());
            assertThat(after.isAlive()).isFalse();
            assertThat(after.parent()).isEmpty();
            assertThat(after.destroyForcibly()).isFalse();
            assertThat(after.onExit().get()).isEqualTo(after);
            assertThat(after).isEqualTo(process.toHandle()).isNotEqualTo(ProcessHandle.current());
            assertThat(after).isEqualByComparingTo(process.toHandle());
            assertThatExceptionOfType(ClassCastException.class)
                    .isThrownBy(() -> after.compareTo(before));
            assertThatExceptionOfType(ClassCastException.class)
                    .isThrownBy(() -> before.compareTo(after));
            assertThat(process.info().command()).isEmpty();
            assertThat(process.children()).isEmpty();
            assertThat(process.descendants()).isEmpty();
        }
    }

    @Test
    void aRelativePathOfAProgramStartsAtTheBuildersDirectory(@TempDir Path folder)
            throws Exception {
        Files.createSymbolicLink(
                Files.createDirectory(folder.resolve("bin")).resolve("shell"), Path.of("/bin/sh"));
        String line = "tr '\\0' ' ' </proc/$$/cmdline; pwd";
        for (String program : new String[] {"bin/shell", "./bin/shell"}) {
            ProcessBuilder builder =
                    new ProcessBuilder(program, "-c", line).directory(folder.toFile());
            Process expected = builder.start();
            try (Child child = Spawn.of(builder).start()) {
                assertThat(child.asProcess().inputReader().readAllAsString())
                        .startsWith(program + " -c ")
                        .isEqualTo(expected.inputReader().readAllAsString());
                assertThat(child.await()).isEqualTo(new Exit.Exited(0));
            }
            assertThat(expected.waitFor()).isZero();
        }
    }

    @Test
    void aStreamThatIsNoPipeIsAtItsEnd() throws Exception {
        ProcessBuilder builder =
                new ProcessBuilder("true")
                        .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .redirectErrorStream(true);
        try (Child child = Spawn.of(builder).start()) {
            Process process = child.asProcess();
            assertThat(process.getInputStream().read()).isEqualTo(-1);
            assertThat(process.getErrorStream().read()).isEqualTo(-1);
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> process.getOutputStream().write(1));
            assertThat(process.waitFor()).isZero();
        }
    }

    @Test
    void whatAProcessBuilderDescribesIsStarted(@TempDir Path folder) throws Exception {
        Path input = Files.writeString(folder.resolve("in"), "from a file\n");
        Path output = Files.writeString(folder.resolve("out"), "kept\n");
        ProcessBuilder builder =
                new ProcessBuilder("sh", "-c", "pwd; echo $SAID; cat; echo failed >&2")
                        .directory(folder.toFile())
                        .redirectInput(input.toFile())
                        .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()))
                        .redirectErrorStream(true);
        builder.environment().put("SAID", "by the builder");
        try (Child child = Spawn.of(builder).start()) {
            assertThat(child.asProcess().waitFor()).isZero();
        }
        assertThat(Files.readAllLines(output))
                .isEqualTo(
                        List.of(
                                "kept",
                                folder.toRealPath().toString(),
                                "by the builder",
                                "from a file",
                                "failed"));
    }
}
