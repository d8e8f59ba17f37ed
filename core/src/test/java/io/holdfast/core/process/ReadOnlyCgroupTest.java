package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.scope.ProcessScope;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
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
            try (Cgroup own = Cgroup.own()) {
                Cgroup made = own.create("made");
                System.out.println("made " + made);
            } catch (ErrnoException e) {
                System.out.println(e.getMessage());
            }
            try (ProcessScope scope = ProcessScope.open();
                    Child child = scope.start(Spawn.of("true"))) {
                System.out.println(scope.guarantee() + " " + child.await());
            }
        }
    }

    private static String contained() {
        String script =
                "mount -o bind,remount,ro \"$1\" \"$1\" 2>&1 || mount -o bind,ro \"$1\" \"$1\" 2>&1;"
                        + " shift; exec \"$@\"";
        List<String> command =
                new ArrayList<>(
                        List.of("unshare", "-m", "sh", "-c", script, "sh", Cgroup.mountPoint()));
        command.addAll(ChildJvm.command(List.of(), Contained.class));
        ChildJvm.Result result = ChildJvm.run(command);
        assertThat(result.status()).as(result.output()).isZero();
        return result.output();
    }

    @Test
    void whatCannotBeMadeNamesTheMountAndScopesDoWithoutCgroups() {
        String output = contained();
        assertThat(output)
                .contains("EROFS", "is mounted read-only, as containers have it")
                .contains("SUBREAPER exited with status 0");
    }
}
