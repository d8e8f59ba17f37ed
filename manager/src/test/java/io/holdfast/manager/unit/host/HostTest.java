package io.holdfast.manager.unit.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.manager.unit.Tree;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostTest {
    @TempDir private Path folder;

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

    @Test
    void aSwitchOnTheCommandLineIsOnWithoutAValue() {
        Host host =
                new Host(
                        "",
                        "",
                        "",
                        "",
                        "",
                        "",
                        Map.of(),
                        "a b=no c=x a=0 d",
                        Virtualization.NONE,
                        Set.of());
        assertThat(host.switchOnCommandLine("d")).contains(true);
        assertThat(host.switchOnCommandLine("b")).contains(false);
        assertThat(host.switchOnCommandLine("a")).contains(false);
        assertThat(host.switchOnCommandLine("c")).isEmpty();
        assertThat(host.switchOnCommandLine("e")).isEmpty();
    }
}
