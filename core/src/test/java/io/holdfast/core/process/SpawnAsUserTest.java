package io.holdfast.core.process;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.NobodyJvm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The user and groups that a child runs as. */
@Timeout(60)
@Needs(programs = "setpriv")
class SpawnAsUserTest {
    @TempDir Path folder;

    private static String ids(Spawn spawn) throws Exception {
        return SpawnTest.output(spawn).strip();
    }

    private static Spawn sh(String script) {
        return Spawn.of("sh", "-c", script);
    }

    @Test
    @Needs(root = true)
    void aUserHasItsGroupsAndNoneOfOurs() throws Exception {
        Spawn spawn = sh("id -u; id -g; id -G").user(4242, 4243);
        assertThat(ids(spawn)).isEqualTo("4242\n4243\n4243");
        assertThat(ids(spawn.copy().groups(List.of(7L, 9L)))).isEqualTo("4242\n4243\n4243 7 9");
    }

    @Test
    @Needs(root = true)
    void aGroupAloneChangesNothingElse() throws Exception {
        assertThat(ids(sh("id -u; id -g").group(4243))).isEqualTo("0\n4243");
        assertThat(ids(sh("id -G").groups(List.of(4L)))).isEqualTo("0 4");
    }

    @Test
    @Needs(root = true)
    void theUserHasNoCapabilities() throws Exception {
        assertThat(ids(sh("grep CapEff /proc/self/status").user(4242, 4242)))
                .isEqualTo("CapEff:\t0000000000000000");
    }

    @Test
    @Needs(root = true)
    void variablesThatTheLinkerObeysReachTheProgramAndNotTheToolsBeforeIt() throws Exception {
        Spawn spawn =
                sh("echo $LD_PRELOAD_TEST $PLAIN")
                        .user(4242, 4242)
                        .environment("LD_PRELOAD_TEST", "one")
                        .environment("PLAIN", "two");
        assertThat(ids(spawn)).isEqualTo("one two");
        assertThat(StartCommand.of(spawn).environment())
                .containsEntry("PLAIN", "two")
                .doesNotContainKey("LD_PRELOAD_TEST");
    }

    @Test
    @Needs(root = true)
    void theHeldChildIsTheOneThatExecutesTheProgram() throws Exception {
        AtomicReference<ProcessId> held = new AtomicReference<>();
        Spawn spawn =
                Spawn.of("sleep", "1000")
                        .user(4242, 4242)
                        .environmentOfPid("OWN_PID")
                        .whileHeld(child -> held.set(child.pidFd().processId()));
        try (Child child = spawn.start()) {
            assertThat(child.pidFd().processId()).isEqualTo(held.get());
            assertThat(child.signal(Signal.KILL)).isTrue();
            Exit _ = child.await();
        }
    }

    @Test
    @Needs(root = true)
    void aMissingProgramIsSaidAtTheStart() throws Exception {
        Path missing = folder.resolve("missing");
        Path script = Files.writeString(folder.resolve("script"), "#!/not/there\n");
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        for (Path program : List.of(missing, script)) {
            assertThatExceptionOfType(ErrnoException.class)
                    .isThrownBy(() -> Spawn.of(program.toString()).user(4242, 4242).start())
                    .matches(e -> e.errno() == Errno.ENOENT);
        }
    }

    /** Runs as the user nobody. */
    static final class Nobody {
        private Nobody() {}

        public static void main(String[] arguments) {
            try {
                Spawn.of("true").user(0, 0).start().close();
                System.out.println("started");
            } catch (ErrnoException e) {
                System.out.println(e.getMessage());
            }
        }
    }

    @Test
    @Needs(root = true)
    void onlyRootStartsAProgramAsAnotherUser() {
        ChildJvm.Result result = ChildJvm.run(NobodyJvm.command(folder, List.of(), Nobody.class));
        assertThat(result.output()).contains("EPERM").contains("CAP_SETUID");
    }

    @Test
    void whatIsNoNumberOfAUserOrGroupIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> Spawn.of("true").user(-1, 0));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Spawn.of("true").groups(List.of(0xFFFF_FFFFL)));
    }

    @Test
    void aScriptWithoutInterpreterIsForTheShellIfThatIsWanted() throws Exception {
        Path script = Files.writeString(folder.resolve("script"), "echo \"$0 $1\"\n");
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        Spawn spawn = Spawn.of(script.toString(), "with words");
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> spawn.copy().start())
                .matches(e -> e.errno() == Errno.ENOEXEC);
        assertThat(ids(spawn.copy().scriptsByShell())).isEqualTo(script + " with words");
        assertThat(ids(spawn.copy().scriptsByShell().whileHeld(_ -> {})))
                .isEqualTo(script + " with words");
        ProcessBuilder builder = new ProcessBuilder(script.toString(), "of java");
        builder.redirectOutput(ProcessBuilder.Redirect.PIPE);
        try (Child child = Spawn.of(builder).start()) {
            assertThat(new String(child.stdout().readAllBytes(), UTF_8))
                    .isEqualTo(script + " of java\n");
        }
    }
}
