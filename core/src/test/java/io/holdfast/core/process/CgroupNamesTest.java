package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.ScratchCgroup;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Names that services may give to the cgroups that are delegated to them. */
@Timeout(60)
@Needs(root = true, cgroup2 = true, programs = "sh")
class CgroupNamesTest {
    /** Runs in a JVM with the locale C, which cannot decode such names. */
    static final class InLocaleC {
        public static void main(String[] path) {
            try (Cgroup cgroup = Cgroup.open(path[0])) {
                try (Members members = cgroup.membersBelow()) {
                    System.out.println(members.size() + " of " + cgroup.childNames().size());
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"n\\303\\251", "n\\377", "n\\355\\262\\200", "n (deleted)"})
    void noneHidesItsMembersOrStaysBehind(String name) throws Exception {
        try (ScratchCgroup scratch = ScratchCgroup.create();
                Cgroup cgroup = scratch.cgroup().create("delegated")) {
            Path folder = Path.of(scratch.folder(), "delegated");
            String make =
                    "d=\"$(printf '" + name + "')\"; mkdir \"$d\" && echo 0 > \"$d/cgroup.procs\"";
            try (Child child =
                    Spawn.of("sh", "-c", make + " && echo there && exec sleep 1000")
                            .directory(folder)
                            .stdout(Stdio.pipe())
                            .start()) {
                assertThat(child.stdout().read()).isEqualTo('t');
                try (Members members = cgroup.membersBelow()) {
                    assertThat(members).containsExactly(child.pidFd());
                }
                String inC =
                        ChildJvm.run(
                                        List.of("-Dsun.jnu.encoding=ANSI_X3.4-1968"),
                                        InLocaleC.class,
                                        cgroup.path().path())
                                .output();
                assertThat(inC).isEqualTo("1 of 1\n");
                cgroup.kill();
                child.await();
            }
            cgroup.removeAll();
            assertThat(folder).doesNotExist();
        }
    }

    @Test
    void aBadNameIsRefusedBeforeAnythingIsMade() {
        try (ScratchCgroup scratch = ScratchCgroup.create()) {
            for (String name : List.of("", ".", "..", "a/b", "../" + "holdfast-test-escaped")) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> scratch.cgroup().create(name));
            }
            assertThat(Path.of(Cgroup.mountPoint(), "holdfast-test-escaped")).doesNotExist();
        }
    }
}
