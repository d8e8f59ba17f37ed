package io.holdfast.core.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Needs(cgroup2 = true)
@Timeout(120)
class ScratchCgroupTest {
    /** A JVM with a cgroup and a process in it, which does not end by itself. */
    static final class Owner {
        public static void main(String[] arguments) throws Exception {
            ScratchCgroup scratch = ScratchCgroup.create();
            Child sleeper =
                    Spawn.of("sleep", "1000")
                            .stdin(Stdio.devNull())
                            .stdout(Stdio.devNull())
                            .stderr(Stdio.devNull())
                            .cgroup(scratch.cgroup())
                            .start();
            System.out.println(scratch.folder());
            System.out.println(sleeper.pidFd().processId().pid());
            sleeper.await();
        }
    }

    @Test
    void whatAKilledJvmHasLeftIsClearedAndWhatALivingOneHasStays() throws Exception {
        List<String> command = ChildJvm.command(List.of(), Owner.class);
        try (ScratchCgroup ours = ScratchCgroup.create();
                Child jvm = Spawn.of(command).stdout(Stdio.pipe()).start();
                BufferedReader said =
                        new BufferedReader(
                                new InputStreamReader(jvm.stdout(), StandardCharsets.UTF_8))) {
            Path folder = Path.of(said.readLine());
            try (PidFd sleeper = PidFd.open(Integer.parseInt(said.readLine()))) {
                ScratchCgroup.clearStale();
                assertThat(folder).isDirectory();
                assertThat(sleeper.isAlive()).isTrue();

                assertThat(jvm.signal(Signal.KILL)).isTrue();
                assertThat(jvm.await()).isEqualTo(new Exit.Killed(Signal.KILL, false));
                assertThat(sleeper.isAlive()).isTrue();

                ScratchCgroup.clearStale();
                assertThat(folder).doesNotExist();
                assertThat(sleeper.isAlive()).isFalse();
                assertThat(Path.of(ours.folder())).isDirectory();
            }
        }
    }
}
