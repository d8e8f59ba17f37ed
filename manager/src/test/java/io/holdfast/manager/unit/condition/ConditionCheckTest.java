package io.holdfast.manager.unit.value;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.manager.unit.Tree;
import io.holdfast.manager.unit.UnitFilePlace;
import io.holdfast.manager.unit.UnitName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConditionCheckTest {
    private static final ConditionCheck CHECK =
            new ConditionCheck(
                    Tree.HOST, Tree.SYSTEM, Map.of("FOO", "bar", "EMPTY", ""), Set.of(0L, 27L));

    @TempDir Path folder;

    private static Condition condition(String line) {
        int equals = line.indexOf('=');
        return Condition.parse(
                line.substring(0, equals),
                false,
                line.substring(equals + 1),
                new UnitFilePlace("f", 1),
                new Specifiers(UnitName.of("a.service"), Optional.empty(), Tree.HOST, Tree.SYSTEM));
    }

    private static boolean met(String... lines) {
        List<Condition> conditions =
                List.of(lines).stream().map(ConditionCheckTest::condition).toList();
        ConditionCheck.Verdict verdict = CHECK.check(conditions);
        assertThat(verdict.notEvaluated()).isEmpty();
        return verdict.met();
    }

    @Test
    void pathsAreLookedAt() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "x");
        Path empty = Files.createFile(folder.resolve("empty"));
        Path emptyFolder = Files.createDirectory(folder.resolve("emptyFolder"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("nowhere"));
        Path program =
                Files.createFile(
                        folder.resolve("program"),
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rwx------")));

        assertThat(met("PathExists=" + file)).isTrue();
        assertThat(met("PathExists=!" + file)).isFalse();
        assertThat(met("PathExists=" + link)).isFalse();
        assertThat(met("PathExistsGlob=" + folder + "/fi*")).isTrue();
        assertThat(met("PathExistsGlob=" + folder + "/x*")).isFalse();
        assertThat(met("PathIsDirectory=" + folder)).isTrue();
        assertThat(met("PathIsDirectory=" + file)).isFalse();
        assertThat(met("PathIsSymbolicLink=" + link)).isTrue();
        assertThat(met("PathIsSymbolicLink=" + file)).isFalse();
        assertThat(met("PathIsReadWrite=" + folder)).isTrue();
        assertThat(met("PathIsReadWrite=" + folder + "/none")).isFalse();
        assertThat(met("DirectoryNotEmpty=" + folder)).isTrue();
        assertThat(met("DirectoryNotEmpty=" + emptyFolder)).isFalse();
        assertThat(met("FileNotEmpty=" + file)).isTrue();
        assertThat(met("FileNotEmpty=" + empty)).isFalse();
        assertThat(met("FileNotEmpty=" + folder)).isFalse();
        assertThat(met("FileIsExecutable=" + program)).isTrue();
        assertThat(met("FileIsExecutable=" + file)).isFalse();
        assertThat(met("FileIsExecutable=" + folder)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "User=root",
                "User=0",
                "User=@system",
                "User=!nobody",
                "Group=root",
                "Group=27",
                "Group=!12345",
                "Host=box.*",
                "Host=0123456789abcdef0123456789abcdef",
                "Host=!other",
                "Architecture=x86-64",
                "Architecture=native",
                "Architecture=!arm64",
                "Virtualization=vm",
                "Virtualization=kvm",
                "Virtualization=yes",
                "Virtualization=!container",
                "Virtualization=!xen",
                "KernelCommandLine=quiet",
                "KernelCommandLine=root",
                "KernelCommandLine=root=/dev/sda1",
                "KernelCommandLine=!root=/dev/sdb",
                "KernelCommandLine=!qui",
                "KernelVersion=>=5.10",
                "KernelVersion=>= 5.10 < 7",
                "KernelVersion=6.18.*",
                "KernelVersion=!<6",
                "KernelVersion=!=6.1",
                "Environment=FOO",
                "Environment=FOO=bar",
                "Environment=EMPTY",
                "Environment=!FOO=baz",
                "Environment=!NONE",
                "FirstBoot=no",
                "FirstBoot=!yes"
            })
    void factsAreCompared(String line) {
        assertThat(met(line)).isTrue();
        String negated =
                line.contains("=!") && !line.contains("=!=")
                        ? line.replaceFirst("=!", "=")
                        : line.replaceFirst("=", "=!");
        assertThat(met(negated)).isFalse();
    }

    @Test
    void allPlainOnesMustHoldAndOneTrigger() {
        String yes = "User=root";
        String no = "User=nobody";
        assertThat(met()).isTrue();
        assertThat(met(yes, no)).isFalse();
        assertThat(met("User=|root", "User=|nobody")).isTrue();
        assertThat(met("User=|nobody", "User=|daemon")).isFalse();
        assertThat(met(no, "User=|root")).isFalse();
        assertThat(met(yes, "User=|!root")).isFalse();
        assertThat(met("User=| ! nobody")).isTrue();
    }

    @Test
    void theVerdictNamesWhatDecided() {
        List<Condition> conditions =
                List.of(condition("User=nobody"), condition("PathExists=/"), condition("Host=|x"));
        assertThat(CHECK.check(conditions).unmet())
                .extracting(Condition::toString)
                .containsExactly("ConditionUser=nobody", "ConditionHost=|x");
    }

    @Test
    void whatCannotBeJudgedCountsAsMetAndIsTold() {
        ConditionCheck.Verdict verdict =
                CHECK.check(List.of(condition("ACPower=yes"), condition("Security=!selinux")));
        assertThat(verdict.met()).isTrue();
        assertThat(verdict.notEvaluated())
                .extracting(Condition::kind)
                .containsExactly("ACPower", "Security");
    }

    @Test
    void virtualizationIsReadFromTheMachinesFiles() throws IOException {
        Tree tree = new Tree(folder);
        assertThat(Virtualization.detect(folder)).isEqualTo(Virtualization.NONE);
        tree.write("proc/cpuinfo", "flags : fpu hypervisor lm\n");
        assertThat(Virtualization.detect(folder).id()).isEqualTo("vm-other");
        tree.write(
                "sys/devices/system/clocksource/clocksource0/available_clocksource",
                "kvm-clock tsc \n");
        assertThat(Virtualization.detect(folder).id()).isEqualTo("kvm");
        tree.write("sys/class/dmi/id/sys_vendor", "QEMU\n");
        assertThat(Virtualization.detect(folder).id()).isEqualTo("qemu");
        tree.write("run/systemd/container", "docker\n");
        assertThat(Virtualization.detect(folder))
                .isEqualTo(new Virtualization(Virtualization.Kind.CONTAINER, "docker"));
    }

    @Test
    void theMachineThatWeAreOnIsKnown() {
        Host host = Host.read();
        assertThat(host.bootId()).matches("[0-9a-f]{32}");
        assertThat(host.kernelRelease()).isNotEmpty();
        assertThat(host.architecture()).isNotEmpty();
    }
}
