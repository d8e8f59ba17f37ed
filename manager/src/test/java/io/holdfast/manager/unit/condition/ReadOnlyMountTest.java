package io.holdfast.manager.unit.condition;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.unit.Tree;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests the conditions about mounts in the mount namespace of another process. */
@Needs(
        root = true,
        programs = {"unshare", "mount"})
class ReadOnlyMountTest {
    private static final ConditionCheck CHECK =
            new ConditionCheck(
                    MachineFacts.of(Tree.HOST, Tree.SYSTEM.account(), Map.of(), Map.of()));

    @TempDir private Path folder;

    private static boolean met(String line) {
        return CHECK.check(List.of(ConditionCheckTest.condition(line))).met();
    }

    @Test
    void aReadOnlyBindMountOfAWritableFileSystemIsNotWritable() throws Exception {
        String script = "mount --bind -o ro \"$1\" \"$1\" && echo $$ && read _";
        Spawn spawn =
                Spawn.of("unshare", "--mount", "sh", "-c", script, "sh", folder.toString())
                        .stdin(Stdio.pipe())
                        .stdout(Stdio.pipe());
        try (Child child = spawn.start()) {
            try {
                String pid =
                        new BufferedReader(new InputStreamReader(child.stdout(), UTF_8)).readLine();
                String inside = "/proc/" + pid + "/root" + folder;

                assertThat(met("PathIsReadWrite=" + folder)).isTrue();
                assertThat(met("PathIsReadWrite=" + inside)).isFalse();
                assertThat(met("PathIsReadWrite=!" + inside)).isTrue();
                assertThat(met("NeedsUpdate=" + folder)).isTrue();
                assertThat(met("NeedsUpdate=" + inside)).isFalse();
            } finally {
                assertThat(child.signal(Signal.KILL)).isTrue();
            }
        }
    }
}
