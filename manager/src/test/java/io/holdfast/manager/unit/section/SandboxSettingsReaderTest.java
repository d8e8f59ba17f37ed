package io.holdfast.manager.unit.section;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.CpuPolicy;
import io.holdfast.core.process.IoClass;
import io.holdfast.manager.unit.Tree;
import io.holdfast.manager.unit.settings.SandboxSettings;
import io.holdfast.manager.unit.settings.SandboxSettings.Access;
import io.holdfast.manager.unit.settings.SandboxSettings.Bind;
import io.holdfast.manager.unit.settings.SandboxSettings.Flag;
import io.holdfast.manager.unit.settings.SandboxSettings.PathRule;
import io.holdfast.manager.unit.settings.SandboxSettings.PrivateTmp;
import io.holdfast.manager.unit.settings.SandboxSettings.ProtectHome;
import io.holdfast.manager.unit.settings.SandboxSettings.ProtectSystem;
import io.holdfast.manager.unit.settings.SchedulingSettings;
import io.holdfast.manager.unit.value.Capability;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class SandboxSettingsReaderTest {
    private static ServiceUnit unit(String... lines) {
        return Tree.service(
                "a.service", "[Service]\nExecStart=/bin/true\n" + String.join("\n", lines) + "\n");
    }

    private static SandboxSettings read(String... lines) {
        return unit(lines).exec().sandbox();
    }

    @Test
    void nothingIsAskedForByDefault() {
        assertThat(read().directives()).isEmpty();
        assertThat(read("PrivateTmp=no", "ProtectHome=false", "ProtectSystem=0").directives())
                .isEmpty();
    }

    @Test
    void wordsAndBooleansAreRead() {
        SandboxSettings settings =
                read(
                        "PrivateTmp=disconnected",
                        "ProtectHome=read-only",
                        "ProtectSystem=true",
                        "PrivateDevices=yes",
                        "PrivateNetwork=yes",
                        "PrivateNetwork=no");
        assertThat(settings.privateTmp()).isEqualTo(PrivateTmp.DISCONNECTED);
        assertThat(settings.protectHome()).isEqualTo(ProtectHome.READ_ONLY);
        assertThat(settings.protectSystem()).isEqualTo(ProtectSystem.YES);
        assertThat(settings.flags()).containsExactly(Flag.PRIVATE_DEVICES);
        assertThat(settings.dropped())
                .containsExactlyInAnyOrder(Capability.MKNOD, Capability.SYS_RAWIO);
        assertThat(settings.directives())
                .containsExactly("PrivateDevices", "PrivateTmp", "ProtectHome", "ProtectSystem");
    }

    @Test
    void pathsMayBeMissingAndAreReset() {
        assertThat(
                        read(
                                        "ReadWritePaths=/gone",
                                        "ReadWritePaths=",
                                        "ReadWritePaths=-/a//b/ +/c",
                                        "ReadOnlyDirectories=/d",
                                        "InaccessiblePaths=-+/e relative /../f")
                                .rules())
                .containsExactly(
                        new PathRule(Access.READ_WRITE, "/a/b", true, false),
                        new PathRule(Access.READ_WRITE, "/c", false, true),
                        new PathRule(Access.READ_ONLY, "/d", false, false),
                        new PathRule(Access.NONE, "/e", true, true));
    }

    @Test
    void bindsHaveSourceDestinationAndOptions() {
        assertThat(
                        read(
                                        "BindPaths=/a -/b:/c /d:/e:norbind /x:/y:z /x:/",
                                        "BindReadOnlyPaths=/f:/g:rbind")
                                .binds())
                .containsExactly(
                        new Bind("/a", "/a", false, true, false),
                        new Bind("/b", "/c", true, true, false),
                        new Bind("/d", "/e", false, false, false),
                        new Bind("/f", "/g", false, true, true));
    }

    @Test
    void temporaryFileSystemsAreBoundedUnlessTheUnitSaysHow() {
        List<SandboxSettings.Temporary> list =
                read("TemporaryFileSystem=/a /b:ro,noexec,dev,size=1m /c:relatime,inode64")
                        .temporary();
        assertThat(list)
                .containsExactly(
                        new SandboxSettings.Temporary(
                                "/a",
                                Set.of("nodev"),
                                Map.of("mode", "0755", "size", "10%", "nr_inodes", "400k")),
                        new SandboxSettings.Temporary(
                                "/b",
                                Set.of("ro", "noexec"),
                                Map.of("mode", "0755", "size", "1m", "nr_inodes", "400k")),
                        new SandboxSettings.Temporary(
                                "/c",
                                Set.of("nodev"),
                                Map.of(
                                        "mode",
                                        "0755",
                                        "size",
                                        "10%",
                                        "nr_inodes",
                                        "400k",
                                        "inode64",
                                        "")));
    }

    @Test
    void whatCannotBeReadIsToldWithItsPlace() {
        List<String> messages =
                Tree.messages(
                        unit(
                                "ProtectSystem=perhaps",
                                "PrivateDevices=perhaps",
                                "BindPaths=/x:/y:z",
                                "ReadWritePaths=relative",
                                "RestrictNamespaces=uts netw"));
        assertThat(messages).hasSize(5).allMatch(text -> text.contains("; ignored"));
        assertThat(messages.getFirst()).contains("test:3: ProtectSystem=").contains("strict");
        assertThat(messages.getLast()).contains("did you mean net?");
    }

    @Test
    void aDynamicUserImpliesASandbox() {
        SandboxSettings settings = read("DynamicUser=yes");
        assertThat(settings.protectSystem()).isEqualTo(ProtectSystem.STRICT);
        assertThat(settings.protectHome()).isEqualTo(ProtectHome.READ_ONLY);
        assertThat(settings.privateTmp()).isEqualTo(PrivateTmp.YES);
        SandboxSettings more =
                read("ProtectHome=tmpfs", "PrivateTmp=disconnected", "DynamicUser=yes");
        assertThat(more.protectHome()).isEqualTo(ProtectHome.TMPFS);
        assertThat(more.privateTmp()).isEqualTo(PrivateTmp.DISCONNECTED);
        assertThat(unit("DynamicUser=yes").exec().noNewPrivileges()).isTrue();
        assertThat(Tree.messages(unit("DynamicUser=yes"))).isEmpty();
        assertThat(unit("DynamicUser=yes").exec().removeIpc()).isTrue();
    }

    @Test
    void schedulingHasItsUsualValues() {
        assertThat(unit().exec().scheduling().cpuPolicy()).isEmpty();
        assertThat(unit().exec().scheduling().ioClass()).isEmpty();
        assertThat(unit("IOSchedulingPriority=2").exec().scheduling())
                .isEqualTo(
                        new SchedulingSettings(
                                Optional.empty(), 0, false, Optional.of(IoClass.BEST_EFFORT), 2));
        assertThat(
                        unit(
                                        "CPUSchedulingPolicy=fifo",
                                        "IOSchedulingClass=3",
                                        "IOSchedulingPriority=9")
                                .exec()
                                .scheduling())
                .isEqualTo(
                        new SchedulingSettings(
                                Optional.of(CpuPolicy.FIFO),
                                1,
                                false,
                                Optional.of(IoClass.IDLE),
                                0));
        assertThat(unit("CPUSchedulingPolicy=batch", "CPUSchedulingPriority=9").exec().scheduling())
                .isEqualTo(
                        new SchedulingSettings(
                                Optional.of(CpuPolicy.BATCH), 0, false, Optional.empty(), 0));
    }
}
