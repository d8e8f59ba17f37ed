package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.scope.ProcessScope;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.ScratchCgroup;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Cgroups that are visible but read-only, as in most containers. */
@Timeout(60)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"unshare", "mount"})
class ReadOnlyCgroupTest {
    /** Runs in a mount namespace of its own. */
    static final class Contained {
        public static void main(String[] arguments) throws Exception {
            for (String name : new String[] {"made", arguments[0]}) {
                try (Cgroup root = Cgroup.root();
                        Cgroup made = root.create(name)) {
                    System.out.println("made " + made);
                } catch (ErrnoException e) {
                    System.out.println(e.getMessage());
                }
            }
            try (ProcessScope scope = ProcessScope.open();
                    Child child = scope.start(Spawn.of("true"))) {
                System.out.println(scope.guarantee() + " " + child.await());
            }
        }
    }

    private static String contained(String existing) {
        String script =
                "mount -o bind,remount,ro \"$1\" \"$1\" 2>&1 || mount -o bind,ro \"$1\" \"$1\" 2>&1;"
                        + " shift; exec \"$@\"";
        List<String> command =
                new ArrayList<>(
                        List.of("unshare", "-m", "sh", "-c", script, "sh", Cgroup.mountPoint()));
        command.addAll(ChildJvm.command(List.of(), Contained.class, existing));
        ChildJvm.Result result = ChildJvm.run(command);
        assertThat(result.status()).as(result.output()).isZero();
        return result.output();
    }

    @Test
    void whatCannotBeMadeNamesTheMountAndScopesDoWithoutCgroups() {
        String advice = "is mounted read-only, as containers have it";
        try (ScratchCgroup existing = ScratchCgroup.create()) {
            String name = existing.cgroup().path().path().substring(1);
            String output = contained(name);
            assertThat(output).contains("SUBREAPER exited with status 0").doesNotContain("made /");
            assertThat(output.lines().filter(line -> line.contains("EROFS")))
                    .hasSize(2)
                    .allMatch(line -> line.contains(advice))
                    .last()
                    .asString()
                    .as("a cgroup that another program has made")
                    .contains(name);
        }
    }
}
