package io.holdfast.manager.unit.host;

import io.holdfast.manager.unit.SmallFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The virtual machine or container that a machine runs in.
 *
 * @param kind of the innermost one: a container in a virtual machine is a container
 * @param id systemd's word for it: {@code kvm}, {@code docker}, {@code none}
 * @see <a href="https://www.freedesktop.org/software/systemd/man/systemd-detect-virt.html">
 *     systemd-detect-virt</a>
 */
public record Virtualization(Kind kind, String id) {
    /** A physical machine. */
    public static final Virtualization NONE = new Virtualization(Kind.NONE, "none");

    /** The kinds of virtualization. */
    public enum Kind {
        NONE,
        VM,
        CONTAINER
    }

    private record Mark(String text, String id) {}

    private static final List<Mark> FIRMWARE =
            List.of(
                    new Mark("KVM", "kvm"),
                    new Mark("OpenStack", "kvm"),
                    new Mark("Amazon EC2", "amazon"),
                    new Mark("QEMU", "qemu"),
                    new Mark("VMware", "vmware"),
                    new Mark("VMW", "vmware"),
                    new Mark("innotek GmbH", "oracle"),
                    new Mark("VirtualBox", "oracle"),
                    new Mark("Xen", "xen"),
                    new Mark("Bochs", "bochs"),
                    new Mark("Parallels", "parallels"),
                    new Mark("BHYVE", "bhyve"),
                    new Mark("Hyper-V", "microsoft"),
                    new Mark("Apple Virtualization", "apple"),
                    new Mark("Google Compute Engine", "google"));

    private static final List<Mark> CLOCKS =
            List.of(
                    new Mark("kvm-clock", "kvm"),
                    new Mark("hyperv", "microsoft"),
                    new Mark("xen", "xen"));

    /**
     * Detects virtualization by the files below this root. The processor is not queried, so a
     * hypervisor without firmware tables may be only {@code vm-other}.
     */
    static Virtualization detect(Path root) {
        String container = container(root);
        if (!container.isEmpty()) {
            return new Virtualization(Kind.CONTAINER, container);
        }
        for (String file : List.of("product_name", "sys_vendor", "board_vendor", "bios_vendor")) {
            String text = SmallFile.read(root.resolve("sys/class/dmi/id").resolve(file));
            for (Mark mark : FIRMWARE) {
                if (text.startsWith(mark.text())) {
                    return new Virtualization(Kind.VM, mark.id());
                }
            }
        }
        if (!SmallFile.read(root.resolve("proc/cpuinfo")).contains(" hypervisor")) {
            return NONE;
        }
        String clocks =
                SmallFile.read(
                        root.resolve(
                                "sys/devices/system/clocksource/clocksource0/available_clocksource"));
        for (Mark mark : CLOCKS) {
            if (clocks.contains(mark.text())) {
                return new Virtualization(Kind.VM, mark.id());
            }
        }
        return new Virtualization(Kind.VM, "vm-other");
    }

    private static String container(Path root) {
        String named = SmallFile.read(root.resolve("run/systemd/container"));
        if (named.isEmpty()) {
            for (String variable : SmallFile.read(root.resolve("proc/1/environ")).split("\0")) {
                if (variable.startsWith("container=")) {
                    named = variable.substring("container=".length());
                }
            }
        }
        if (named.isEmpty() && Files.exists(root.resolve("run/.containerenv"))) {
            return "podman";
        }
        if (named.isEmpty() && Files.exists(root.resolve(".dockerenv"))) {
            return "docker";
        }
        return named.equals("oci") ? "container-other" : named;
    }
}
