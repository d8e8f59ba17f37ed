package io.holdfast.manager.unit.host;

import io.holdfast.manager.unit.SmallFile;
import io.holdfast.manager.unit.value.EnvironmentFile;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.WordReader;
import java.nio.file.Path;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The facts of a machine for specifiers and conditions. An unknown fact is the empty text.
 *
 * @param hostName of the kernel, perhaps with a domain
 * @param prettyName of the host for people; its host name if it has none
 * @param machineId 32 hexadecimal digits
 * @param bootId 32 hexadecimal digits
 * @param kernelRelease as {@code uname -r}
 * @param architecture as systemd names it: {@code x86-64}, {@code arm64}
 * @param osRelease the variables of os-release
 * @param kernelCommandLine as {@code /proc/cmdline}; in a container, that of its first process
 * @param virtualization the virtual machine or container that it runs in
 * @param securityModules those that label processes
 */
public record Host(
        String hostName,
        String prettyName,
        String machineId,
        String bootId,
        String kernelRelease,
        String architecture,
        Map<String, String> osRelease,
        String kernelCommandLine,
        Virtualization virtualization,
        Set<SecurityModule> securityModules) {
    /** A machine with only unknown facts. */
    public static final Host UNKNOWN =
            new Host(
                    "",
                    "",
                    "",
                    "",
                    "",
                    "",
                    Map.of(),
                    "",
                    Virtualization.NONE,
                    EnumSet.allOf(SecurityModule.class));

    public Host {
        osRelease = Collections.unmodifiableMap(new TreeMap<>(osRelease));
        securityModules = Set.copyOf(securityModules);
    }

    /** Reads the facts of this machine, as far as they are readable. */
    public static Host read() {
        Path sys = Path.of("/proc/sys/kernel");
        String release = SmallFile.read(Path.of("/etc/os-release"));
        if (release.isEmpty()) {
            release = SmallFile.read(Path.of("/usr/lib/os-release"));
        }
        Virtualization virtualization = Virtualization.detect(Path.of("/"));
        String hostName = SmallFile.read(sys.resolve("hostname"));
        return new Host(
                hostName,
                EnvironmentFile.parse(SmallFile.read(Path.of("/etc/machine-info")))
                        .getOrDefault("PRETTY_HOSTNAME", hostName),
                SmallFile.read(Path.of("/etc/machine-id")),
                SmallFile.read(sys.resolve("random/boot_id")).replace("-", ""),
                SmallFile.read(sys.resolve("osrelease")),
                architecture(System.getProperty("os.arch", "")),
                EnvironmentFile.parse(release),
                commandLine(virtualization),
                virtualization,
                SecurityModule.used());
    }

    private static String commandLine(Virtualization virtualization) {
        return virtualization.kind() == Virtualization.Kind.CONTAINER
                ? SmallFile.read(Path.of("/proc/1/cmdline")).replace('\0', ' ').strip()
                : SmallFile.read(Path.of("/proc/cmdline"));
    }

    /** Returns a boolean of the kernel command line: without a value it is true. */
    public Optional<Boolean> switchOnCommandLine(String name) {
        Optional<Boolean> found = Optional.empty();
        for (String word : WordReader.splitRelaxed(kernelCommandLine)) {
            if (word.equals(name)) {
                found = Optional.of(true);
            } else if (word.startsWith(name + "=")) {
                found = Scalars.findBoolean(word.substring(name.length() + 1));
            }
        }
        return found;
    }

    /** {@return the host name up to the first dot} */
    public String shortHostName() {
        int dot = hostName.indexOf('.');
        return dot < 0 ? hostName : hostName.substring(0, dot);
    }

    /** Returns systemd's name for an architecture of the JVM. */
    private static String architecture(String jvm) {
        return switch (jvm) {
            case "amd64" -> "x86-64";
            case "i386" -> "x86";
            case "aarch64" -> "arm64";
            case "ppc64le" -> "ppc64-le";
            default -> jvm;
        };
    }
}
