package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.ScratchCgroup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Attributes and controllers: on a folder with the files of a cgroup, as many machines have no
 * controllers, and on the kernel's where it has one.
 */
@Timeout(60)
class ControllersTest {
    @TempDir Path folder;

    /** Makes a folder with the files of a cgroup that has the controllers. */
    private Cgroup fake(String controllers) throws IOException {
        Files.writeString(folder.resolve("cgroup.procs"), "");
        Files.writeString(folder.resolve("cgroup.controllers"), controllers + "\n");
        Files.writeString(folder.resolve("cgroup.subtree_control"), "");
        return new Cgroup(
                Fcntl.open(folder.toString(), Fcntl.O_PATH | Fcntl.O_DIRECTORY),
                new CgroupPath("/fake"));
    }

    private static ErrnoException refusal(ThrowingCallable call) {
        try {
            call.call();
        } catch (ErrnoException e) {
            return e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        throw new AssertionError("not refused");
    }

    @Test
    void anAttributeIsWrittenAndRead() throws IOException {
        try (Cgroup cgroup = fake("cpu memory")) {
            Files.writeString(folder.resolve("memory.max"), "");
            cgroup.write("memory.max", "512M");
            assertThat(folder.resolve("memory.max")).hasContent("512M");
            assertThat(cgroup.read("memory.max")).isEqualTo("512M");
        }
    }

    @Test
    void aMissingControllerIsNamedWithTheRemedy() throws IOException {
        try (Cgroup cgroup = fake("cpu")) {
            assertThat(refusal(() -> cgroup.write("nosuch.max", "1")))
                    .hasMessageStartingWith("nosuch.max=1 cgroup /fake: EOPNOTSUPP")
                    .hasMessageContaining("the controller nosuch is not enabled for it")
                    .hasMessageContaining("cgroup_disable=");
            assertThat(refusal(() -> cgroup.read("nosuch.max")))
                    .hasMessageContaining("the controller nosuch is not enabled for it");
            assertThat(refusal(() -> cgroup.enable("nosuch")))
                    .hasMessageContaining("the controller nosuch is not enabled for it");
            assertThat(refusal(() -> cgroup.write("cpu.nosuch", "1")))
                    .hasMessageContaining("no such attribute of the controller cpu");
        }
    }

    @Test
    void aControllerOfVersion1IsRecognized() {
        String hybrid = "5:blkio:/\n4:memory:/a:b\n2:cpu,cpuacct:/\n1:name=systemd:/\n0::/\n";
        for (String controller : List.of("memory", "cpu", "io")) {
            assertThat(Controllers.isInVersion1(hybrid, controller)).as(controller).isTrue();
        }
        for (String controller : List.of("pids", "systemd", "")) {
            assertThat(Controllers.isInVersion1("0::/\n", controller)).isFalse();
        }
        assertThat(Controllers.isInVersion1(hybrid, "pids")).isFalse();
    }

    @Test
    void aControllerIsEnabledOnce() throws IOException {
        Path enabled = folder.resolve("cgroup.subtree_control");
        try (Cgroup cgroup = fake("cpu memory")) {
            cgroup.enable("memory");
            assertThat(enabled).hasContent("+memory");
            Files.writeString(enabled, "cpu memory\n");
            cgroup.enable("memory");
            assertThat(enabled).hasContent("cpu memory");
        }
    }

    @Test
    void noControllerIsEnabledBesideProcesses() throws IOException {
        try (Cgroup cgroup = fake("pids")) {
            Files.writeString(folder.resolve("cgroup.procs"), "1\n");
            Files.writeString(folder.resolve("cgroup.type"), "domain\n");
            assertThat(refusal(() -> cgroup.enable("pids")))
                    .hasMessageStartingWith("enable controller pids cgroup /fake: EBUSY")
                    .hasMessageContaining("it has processes itself");
            assertThat(folder.resolve("cgroup.subtree_control")).hasContent("");
            Files.delete(folder.resolve("cgroup.type")); // as the root of the hierarchy
            cgroup.enable("pids");
            assertThat(folder.resolve("cgroup.subtree_control")).hasContent("+pids");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "memory", ".max", "memory.", "../memory.max", "memory.max/x", "a b.c"})
    void aNameThatIsNoAttributeIsRefused(String name) throws IOException {
        try (Cgroup cgroup = fake("memory")) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> cgroup.write(name, "1"))
                    .withMessageContaining("\"" + name + "\"");
            assertThatIllegalArgumentException().isThrownBy(() -> cgroup.read(name));
        }
    }

    @Test
    void aPidIsNotWrittenAndNoListOfControllersEnabled() throws IOException {
        try (Cgroup cgroup = fake("cpu memory")) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> cgroup.write("cgroup.procs", "1"))
                    .withMessageContaining("attach");
            assertThatIllegalArgumentException().isThrownBy(() -> cgroup.enable("cpu +memory"));
        }
    }

    /** The controller hugetlb has no v1 hierarchy on most hybrid machines. */
    @Test
    @Needs(cgroup2 = true, root = true)
    void theKernelSetsALimitAndRefusesOneBelowProcesses() throws Exception {
        try (Cgroup root = Cgroup.root()) {
            String enabled = root.read("cgroup.subtree_control");
            assumeTrue(root.read("cgroup.controllers").contains("hugetlb"));
            root.enable("hugetlb");
            try (ScratchCgroup scratch = ScratchCgroup.create()) {
                Cgroup cgroup = scratch.cgroup();
                cgroup.write("hugetlb.2MB.max", "4M");
                assertThat(cgroup.read("hugetlb.2MB.max")).isEqualTo("4194304");
                assertThatExceptionOfType(ErrnoException.class)
                        .isThrownBy(() -> cgroup.write("hugetlb.2MB.max", "many"))
                        .matches(e -> e.errno() == Errno.EINVAL);
                try (Child sleep = Spawn.of("sleep", "1000").cgroup(cgroup).start()) {
                    assertThat(refusal(() -> cgroup.enable("hugetlb")))
                            .hasMessageContaining("EBUSY")
                            .hasMessageContaining("it has processes itself");
                    cgroup.kill();
                    assertThat(sleep.await().isSuccess()).isFalse();
                }
            } finally {
                if (!enabled.contains("hugetlb")) {
                    root.write("cgroup.subtree_control", "-hugetlb");
                }
            }
        }
    }
}
