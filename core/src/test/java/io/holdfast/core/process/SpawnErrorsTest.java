package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.core.testkit.ScratchCgroup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A failed start reports the cause, and leaves nothing behind. */
@Timeout(60)
class SpawnErrorsTest {
    private final OpenDescriptors before = OpenDescriptors.now();

    @TempDir Path folder;

    @AfterEach
    void nothingIsLeft() throws IOException {
        before.awaitSameNumber();
        awaitNoChildren();
    }

    private static final long LONGEST_NANOS = 30_000_000_000L;

    /**
     * Waits half a minute at most until there are no children. Another thread reaps children when
     * they have exited, also those of an earlier test that did not wait for them.
     */
    static void awaitNoChildren() throws IOException {
        long deadline = System.nanoTime() + LONGEST_NANOS;
        List<String> children = childrenOfOurs();
        while (!children.isEmpty() && System.nanoTime() < deadline) {
            LockSupport.parkNanos(1_000_000);
            children = childrenOfOurs();
        }
        assertThat(children).as("children that are left").isEmpty();
    }

    /** Returns the PIDs of the unreaped children that Java does not know. */
    static List<String> childrenOfOurs() throws IOException {
        StringBuilder numbers = new StringBuilder();
        try (var tasks = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
            for (Path task : tasks) {
                try {
                    numbers.append(Files.readString(task.resolve("children")));
                } catch (IOException e) {
                    // the thread has ended
                }
            }
        }
        String all = numbers.toString().strip();
        List<String> children = new ArrayList<>();
        for (String number : all.isEmpty() ? new String[0] : all.split("\\s+")) {
            try {
                children.add(Files.readString(Path.of("/proc", number, "stat")).strip());
            } catch (IOException e) {
                // reaped meanwhile
            }
        }
        return children;
    }

    private static void assertFails(Spawn spawn, int errno, Object... named) {
        // the plain way, on a thread of its own, held, and from a virtual thread
        for (int way = 0; way < 4; way++) {
            if (way == 1) {
                spawn.umask(022);
            } else if (way == 2) {
                spawn.environmentOfPid("LISTEN_PID");
            }
            boolean isVirtual = way == 3;
            assertThatThrownBy(() -> start(spawn, isVirtual))
                    .isInstanceOfSatisfying(
                            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno))
                    .hasMessageContaining(Errno.name(errno))
                    .satisfies(e -> {
                        for (Object name : named) {
                            assertThat(e).hasMessageContaining(name.toString());
                        }
                    });
        }
    }

    private static void start(Spawn spawn, boolean isVirtual) throws Throwable {
        FutureTask<Child> task = new FutureTask<>(spawn::start);
        if (isVirtual) {
            Thread.startVirtualThread(task);
        } else {
            task.run();
        }
        try {
            task.get().close();
        } catch (java.util.concurrent.ExecutionException e) {
            throw e.getCause();
        }
    }

    private Path script(String name, String text) throws IOException {
        Path path = Files.writeString(folder.resolve(name), text);
        assertThat(path.toFile().setExecutable(true)).isTrue();
        return path;
    }

    @Test
    void aProgramWithoutANameIsSaidToBeOne() {
        assertFails(Spawn.of(""), Errno.ENOENT, "\"\"", "the name of the program is empty");
    }

    @Test
    void anUnknownProgram() {
        assertFails(Spawn.of("no-such-program"), Errno.ENOENT, "no-such-program", "PATH=");
        assertFails(Spawn.of("/no/such/program"), Errno.ENOENT, "/no/such/program");
        assertFails(Spawn.of("ls -l /tmp"), Errno.ENOENT, "ls -l /tmp", "separate strings");
        assertFails(Spawn.of("no such"), Errno.ENOENT, "no such", "separate strings");
        assertFails(Spawn.of("x".repeat(10_000)), Errno.ENOENT, "xxx", "PATH=");
    }

    @Test
    @SuppressWarnings("NullAway") // as a caller without such checks
    void nullIsNamed() {
        assertThatNullPointerException()
                .isThrownBy(() -> Spawn.of("ls", "-l", null))
                .withMessage("argument 2 of ls is null");
        assertThatNullPointerException()
                .isThrownBy(() -> Spawn.of((String) null))
                .withMessage("program");
    }

    @Test
    void aProgramThatIsNotExecutable() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "#!/bin/sh\n");
        assertFails(Spawn.of(file.toString()), Errno.EACCES, file);
        assertFails(Spawn.of(folder.toString()), Errno.EACCES, folder, "it is a directory");
    }

    @Test
    void aScriptWithoutInterpreterLine() throws IOException {
        Path script = script("script", "echo never\n");
        assertFails(Spawn.of(script.toString()), Errno.ENOEXEC, script, "#!");
    }

    @Test
    void aScriptWhoseInterpreterIsMissing() throws IOException {
        Path script = script("script", "#!/no/such/interpreter\n");
        assertFails(Spawn.of(script.toString()), Errno.ENOENT, script, "interpreter is missing");
    }

    @Test
    void aDirectoryThatIsMissingOrNone() throws IOException {
        Path missing = folder.resolve("missing");
        assertFails(
                Spawn.of("true").directory(missing), Errno.ENOENT, missing, "directory of true");
        Path file = Files.createFile(folder.resolve("file"));
        assertFails(Spawn.of("true").directory(file), Errno.ENOTDIR, file);
    }

    @Test
    @Needs(root = true)
    void aProgramThatMayNotBeExecutedIsNotBlamedOnTheDirectory() throws Exception {
        Path closed = Files.createDirectory(folder.resolve("closed"));
        Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));
        Path file = Files.writeString(folder.resolve("file"), "#!/bin/sh\n");
        assertThatThrownBy(() -> Spawn.of(file.toString()).directory(closed).start())
                .hasMessageEndingWith(file + ": EACCES (permission denied)");
    }

    @Test
    void aFileOfAStreamThatCannotBeOpened() {
        Path missing = folder.resolve("no/such/file");
        assertFails(Spawn.of("true").stdin(Stdio.from(missing)), Errno.ENOENT, missing);
        assertFails(
                Spawn.of("true").stdin(Stdio.pipe()).stdout(Stdio.to(missing)),
                Errno.ENOENT,
                missing);
        assertFails(Spawn.of("true").stdout(Stdio.to(folder)), Errno.EISDIR, folder);
    }

    @Test
    void anArgumentOrProgramWithANul() {
        for (Spawn spawn :
                List.of(
                        Spawn.of("true", "a\0b"),
                        Spawn.of("/bin/tr\0ue"),
                        Spawn.of("tr\0ue"),
                        Spawn.of("true").argumentZero("\0"))) {
            for (boolean isVirtual : new boolean[] {false, true}) {
                assertThatIllegalArgumentException().isThrownBy(() -> start(spawn, isVirtual));
            }
        }
    }

    @Test
    void moreArgumentsThanTheKernelTakes() {
        String large = "x".repeat(1 << 17);
        assertFails(Spawn.of("true", large), Errno.E2BIG, "true");
        assertFails(Spawn.of("true").environment(Map.of("X", large)), Errno.E2BIG, "true");
    }

    @Test
    @Needs(cgroup2 = true)
    void aCgroupThatWasRemoved() {
        try (ScratchCgroup scratch = ScratchCgroup.create()) {
            Cgroup removed = scratch.cgroup().create("removed");
            removed.remove();
            assertFails(Spawn.of("true").cgroup(removed), Errno.ENOENT, removed.path().path());
            removed.close();
        }
    }
}
