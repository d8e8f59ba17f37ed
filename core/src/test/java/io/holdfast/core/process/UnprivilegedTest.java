package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What an unprivileged user may do with a process of root, and the errors for the rest. */
@Needs(root = true, programs = "setpriv")
@Timeout(60)
class UnprivilegedTest {
    /** Runs as the user nobody. */
    static final class Nobody {
        private Nobody() {}

        private interface Call {
            Object run() throws Exception;
        }

        private static void say(String name, Call call) throws Exception {
            try {
                System.out.println(name + ": " + call.run());
            } catch (ErrnoException e) {
                System.out.println(name + ": " + io.holdfast.core.Errno.name(e.errno()));
            }
        }

        public static void main(String[] arguments) throws Exception {
            try (PidFd root = PidFd.open(Integer.parseInt(arguments[0]))) {
                say("alive", root::isAlive);
                say("uid", () -> root.info().credentials().orElseThrow().realUid());
                say("signal 0", () -> root.signal(new Signal(0)));
                say("kill", () -> root.signal(Signal.KILL));
                say("with value", () -> root.signalWithValue(Signal.TERM, 1));
                say("descriptor", () -> root.getFd(0));
                say("namespace", () -> root.namespace(Namespace.Kind.NET));
                say("environment", () -> root.proc().environment());
                say("executable", () -> root.proc().executable());
                say("name", () -> root.proc().name());
                say("reap", root::reap);
                if (Cgroup.isMounted()) {
                    say("cgroup", () -> root.cgroup().equals(Cgroup.own()));
                    say("make", () -> Cgroup.root().create("holdfast-test-of-nobody"));
                    say("attach", () -> attach(Cgroup.root(), root));
                }
            }
        }

        private static String attach(Cgroup cgroup, PidFd process) {
            cgroup.attach(process);
            return "done";
        }
    }

    @Test
    void eachRefusalNamesItsErrnoAndIdsNeedNoRight(@TempDir Path folder) throws Exception {
        try (Child root = Spawn.of("cat").stdin(Stdio.pipe()).start()) {
            String said = asNobody(folder, Nobody.class, Integer.toString(root.pidFd().pid()));
            assertThat(said.lines())
                    .contains(
                            "alive: true",
                            "uid: 0",
                            "signal 0: EPERM",
                            "kill: EPERM",
                            "with value: EPERM",
                            "descriptor: EPERM",
                            "namespace: EACCES",
                            "environment: EACCES",
                            "executable: EACCES",
                            "name: cat",
                            "reap: ECHILD");
            if (Cgroup.isMounted()) {
                assertThat(said.lines()).contains("cgroup: true", "make: EACCES", "attach: EACCES");
            }
            assertThat(root.pidFd().isAlive()).isTrue();
            root.stdin().close();
            assertThat(root.await()).isEqualTo(new Exit.Exited(0));
        }
    }

    /** Starts children as the user nobody. */
    static final class Starting {
        private Starting() {}

        private static void say(Spawn spawn) {
            try (Child _ = spawn.start()) {
                System.out.println("started " + spawn);
            } catch (RuntimeException e) {
                System.out.println(e.getMessage());
            }
        }

        public static void main(String[] arguments) {
            say(Spawn.of("true").directory(Path.of(arguments[0])));
            say(Spawn.of("true").isolation(new Isolation().fresh(Namespace.Kind.UTS)));
        }
    }

    @Test
    void refusedStartsNameTheReason(@TempDir Path folder) throws Exception {
        Path closed = Files.createDirectory(folder.resolve("closed"));
        Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));
        assertThat(asNobody(folder, Starting.class, closed.toString()).lines())
                .satisfiesExactly(
                        line ->
                                assertThat(line)
                                        .contains("EACCES")
                                        .endsWith(
                                                "its directory " + closed + " may not be entered"),
                        line ->
                                assertThat(line)
                                        .isEqualTo("unshare: EPERM (operation not permitted)"));
    }

    /** Returns what the main method of a class prints when the user nobody runs it. */
    private static String asNobody(Path folder, Class<?> main, String... arguments)
            throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path classes = Files.createDirectory(folder.resolve("classes"));
        copy(codeOf(PidFd.class), classes);
        copy(codeOf(UnprivilegedTest.class), classes);
        List<String> command = new ArrayList<>();
        command.addAll(List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"));
        command.addAll(ChildJvm.command(List.of("-XX:-UsePerfData"), main, arguments));
        command.set(command.indexOf("-cp") + 1, classes.toString());
        Process jvm = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(jvm.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(jvm.waitFor()).as(said).isZero();
        return said;
    }

    private static Path codeOf(Class<?> type) throws Exception {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    }

    /** Copies the classes to where the user nobody may read them. */
    private static void copy(Path from, Path to) throws IOException {
        Files.walkFileTree(
                from,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult preVisitDirectory(
                            Path dir, BasicFileAttributes attributes) throws IOException {
                        Files.createDirectories(to.resolve(from.relativize(dir)));
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                            throws IOException {
                        Path copy = to.resolve(from.relativize(file));
                        if (!Files.exists(copy) && file.toString().endsWith(".class")) {
                            Files.copy(file, copy);
                        }
                        return FileVisitResult.CONTINUE;
                    }
                });
    }
}
