package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.machine.MachineRegistry;
import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.SameOnEveryKernel;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@SameOnEveryKernel
@Timeout(60)
class CgroupPathTest {
    /** Characters that are significant in a path, and some that are not. */
    private static final String ALPHABET = "//..__--@@:\\ab09 usericslonp\n\0é";

    /**
     * Expected values are those that libsystemd returned for processes at these paths; capsules as
     * of 258.
     */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "none",
            textBlock =
                    """
                    /                                           | none | -.slice | none | none | none | none
                    /system.slice/foobar.service/sub/deep       | foobar.service | system.slice | none | none | none | none
                    /system.slice/_cpu.service                  | cpu.service | system.slice | none | none | none | none
                    /system.slice/__foo.service                 | _foo.service | system.slice | none | none | none | none
                    /system.slice/getty@.service                | none | system.slice | none | none | none | none
                    /system.slice/getty@tty1.service            | getty@tty1.service | system.slice | none | none | none | none
                    /user.slice/user-1000.slice                 | none | user-1000.slice | none | none | none | 1000
                    /user.slice/user-1000.slice/session-2.scope | session-2.scope | user-1000.slice | none | -.slice | 2 | 1000
                    /user.slice/user-1000.slice/session-2.scope/foobar.service | session-2.scope | user-1000.slice | foobar.service | -.slice | 2 | 1000
                    /user.slice/user-1000.slice/session-a_b.scope | session-a_b.scope | user-1000.slice | none | none | none | 1000
                    /session-3.scope                            | session-3.scope | -.slice | none | -.slice | 3 | none
                    /user.slice/user-1000.slice/user@1000.service/app.slice/foo.service | user@1000.service | user-1000.slice | foo.service | app.slice | none | 1000
                    /user.slice/user-1000.slice/user@1000.service/init.scope | user@1000.service | user-1000.slice | init.scope | -.slice | none | 1000
                    /user.slice/user-1000.slice/user@alice.service/app.slice/foo.service | user@alice.service | user-1000.slice | none | none | none | 1000
                    /user.slice/user-01000.slice/x.service      | x.service | user-01000.slice | none | none | none | none
                    /user.slice/user-65535.slice/x.service      | x.service | user-65535.slice | none | none | none | none
                    /user.slice/user-4294967295.slice/x.service | x.service | user-4294967295.slice | none | none | none | none
                    /user.slice/user-4294967294.slice/x.service | x.service | user-4294967294.slice | none | none | none | 4294967294
                    /user.slice/user-0.slice/session-c1.scope   | session-c1.scope | user-0.slice | none | -.slice | c1 | 0
                    /capsule.slice/capsule@test.service/app.slice/run-1.service | capsule@test.service | capsule.slice | run-1.service | app.slice | none | none
                    /machine.slice/machine-web1.scope/payload/system.slice/ssh.service | machine-web1.scope | machine.slice | none | none | none | none
                    /system.slice/x.service/system.slice/y.service | x.service | system.slice | none | none | none | none
                    /foo.slice/foo-bar.slice/foo-bar-baz.slice/x.service | x.service | foo-bar-baz.slice | none | none | none | none
                    /foo.slice/x.slice/y.scope                  | y.scope | x.slice | none | none | none | none
                    /system.slice/x@y.slice                     | none | system.slice | none | none | none | none
                    /system.slice/x.Service                     | none | system.slice | none | none | none | none
                    /docker/0123456789abcdef                    | none | -.slice | none | none | none | none
                    """)
    void aPathNamesWhatSystemdSaysItNames(
            String path,
            @Nullable String unit,
            String slice,
            @Nullable String userUnit,
            @Nullable String userSlice,
            @Nullable String session,
            @Nullable Long ownerUid) {
        CgroupPath parsed = CgroupPath.parse(path);

        assertThat(parsed.unit().orElse(null)).isEqualTo(unit);
        assertThat(parsed.slice()).isEqualTo(slice);
        assertThat(parsed.userUnit().orElse(null)).isEqualTo(userUnit);
        assertThat(parsed.userSlice().orElse(null)).isEqualTo(userSlice);
        assertThat(parsed.session().orElse(null)).isEqualTo(session);
        assertThat(parsed.ownerUid())
                .isEqualTo(ownerUid == null ? OptionalLong.empty() : OptionalLong.of(ownerUid));
        assertThat(parsed).hasToString(path);
    }

    @Test
    void aRemovedCgroupStillNamesItsUnit() {
        assertThat(CgroupPath.parse("/system.slice/x.service (deleted)"))
                .isEqualTo(CgroupPath.parse("/system.slice/x.service"));
    }

    @Test
    void needlessSlashesDoNotMatter() {
        assertThat(CgroupPath.parse("//system.slice///x.service/"))
                .isEqualTo(CgroupPath.parse("/system.slice/x.service"));
        assertThat(CgroupPath.parse("///")).isEqualTo(CgroupPath.ROOT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/..", "/../x.service", "/../../system.slice/x.service"})
    void aPathOutsideOurNamespaceIsRefusedAsForeign(String path) {
        assertThatThrownBy(() -> CgroupPath.parse(path))
                .isInstanceOf(ForeignCgroupException.class)
                .hasMessageContaining(path)
                .hasMessageContaining("namespace");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "x.service", "/a/../b", "/a/.", "/a\nb", "/a\0b"})
    void textThatIsNoCgroupPathIsRefused(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CgroupPath.parse(text))
                .withMessageContaining("not the path of a cgroup");
    }

    @Test
    void theUnifiedLineOfAProcFileIsTaken() {
        assertThat(CgroupPath.ofProcFile("12:pids:/a\n1:name=systemd:/b\n0::/c:d/x.service\n"))
                .contains(CgroupPath.parse("/c:d/x.service"));
        assertThat(CgroupPath.ofProcFile("12:pids:/a\n10::/b\n")).isEmpty();
        assertThat(CgroupPath.ofProcFile("")).isEmpty();
        assertThatIllegalArgumentException().isThrownBy(() -> CgroupPath.ofProcFile("0:"));
    }

    @Test
    void theManagersRootIsTakenOff() {
        CgroupPath root = CgroupPath.parse("/docker/f00/init.scope").managerRoot();

        assertThat(root).hasToString("/docker/f00");
        assertThat(CgroupPath.parse("/docker/f00/system.slice/x.service").relativeTo(root))
                .hasToString("/system.slice/x.service");
        assertThat(CgroupPath.parse("/docker/f00").relativeTo(root)).isEqualTo(CgroupPath.ROOT);
        assertThat(CgroupPath.parse("/docker/f001/x.service").relativeTo(root))
                .as("only whole components match")
                .hasToString("/docker/f001/x.service");
        assertThat(CgroupPath.parse("/init.scope").managerRoot()).isEqualTo(CgroupPath.ROOT);
        assertThat(CgroupPath.parse("/x.service").managerRoot()).hasToString("/x.service");
        assertThat(CgroupPath.parse("/x.service").relativeTo(CgroupPath.ROOT))
                .hasToString("/x.service");
    }

    @ParameterizedTest
    @CsvSource({
        "-.slice, /",
        "a.slice, /a.slice",
        "a-b-c.slice, /a.slice/a-b.slice/a-b-c.slice",
        "cpu-x.slice, /_cpu.slice/cpu-x.slice",
        "user-1000.slice, /user.slice/user-1000.slice"
    })
    void aSliceLiesBelowItsParents(String slice, String path) {
        assertThat(CgroupPath.ofSlice(slice)).hasToString(path);
        assertThat(CgroupPath.ofSlice(slice).slice()).isEqualTo(slice);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-a.slice",
                "a-.slice",
                "a--b.slice",
                "a.service",
                "a@b.slice",
                ".slice",
                "",
                "--.slice"
            })
    void aNameThatIsNoSlicesIsRefused(String name) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CgroupPath.ofSlice(name))
                .withMessageContaining("not the name of a slice");
    }

    @ParameterizedTest
    @CsvSource({
        "foo.service, foo.service",
        "_foo.service, __foo.service",
        ".hidden, _.hidden",
        "'', _",
        "., _.",
        "tasks, _tasks",
        "tasks.service, tasks.service",
        "release_agent, _release_agent",
        "notify_on_release, _notify_on_release",
        "cgroup.service, _cgroup.service",
        "cgroups.service, cgroups.service",
        "cpu.service, _cpu.service",
        "cpuset.mount, _cpuset.mount",
        "pids.max, _pids.max",
        "bpf-firewall.service, _bpf-firewall.service",
        "memory, memory"
    })
    void aNameThatTheKernelUsesIsEscaped(String name, String escaped) {
        assertThat(CgroupPath.escape(name)).isEqualTo(escaped);
        assertThat(CgroupPath.unescape(escaped)).isEqualTo(name);
    }

    @Test
    void aNameThatNoFileCanBearIsRefused() {
        for (String name :
                new String[] {"a/b", "a\0", "a\n", "a".repeat(256), "_" + "a".repeat(254)}) {
            assertThatIllegalArgumentException().isThrownBy(() -> CgroupPath.escape(name));
        }
        assertThat(CgroupPath.escape("a".repeat(255))).hasSize(255);
    }

    static Stream<Gen> cases() {
        return Gen.cases(2000);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void anEscapedNameIsUnescapedToItself(Gen gen) {
        String name =
                gen.chance(0.3)
                        ? gen.oneOf("cgroup.", "cpu.", "tasks", "_", "bpf-devices.", "")
                                + gen.string("._-abcé", 20)
                        : gen.string(ALPHABET.replaceAll("[/\n\0]", ""), 60);

        assertThat(CgroupPath.unescape(CgroupPath.escape(name))).isEqualTo(name);
        assertThat(CgroupPath.ROOT.child(name).components())
                .containsExactly(CgroupPath.escape(name));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void aUnitBelowASliceIsFoundAgain(Gen gen) {
        String slice = gen.oneOf("-.slice", "system.slice", "a-b-c.slice", "cpu-io.slice");
        String unit =
                gen.oneOf("", "_", "cpu.", "cgroup.", ".")
                        + "u"
                        + gen.string("abz09:_.\\-", 30)
                        + gen.oneOf("", "@i")
                        + gen.oneOf(".service", ".scope", ".mount", ".socket");
        CgroupPath path =
                CgroupPath.ofSlice(slice).child(unit).child(gen.oneOf("sub", "x.service"));

        assertThat(path.unit()).contains(unit);
        assertThat(path.slice()).isEqualTo(slice);
    }

    @Test
    void aMachineIsNamedByTheLinkOfItsUnit(@TempDir Path folder) throws Exception {
        Files.createSymbolicLink(folder.resolve("unit:machine-web1.scope"), Path.of("web1"));
        Files.writeString(folder.resolve("unit:odd.scope"), "");
        MachineRegistry registry = new MachineRegistry(folder);

        assertThat(
                        registry.machineName(
                                CgroupPath.parse("/machine.slice/machine-web1.scope/payload")))
                .contains("web1");
        assertThat(registry.machineName(CgroupPath.parse("/system.slice/x.service"))).isEmpty();
        assertThat(registry.machineName(CgroupPath.ROOT)).isEmpty();
        assertThatThrownBy(() -> registry.machineName(CgroupPath.parse("/odd.scope")))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("unit:odd.scope");
    }
}
