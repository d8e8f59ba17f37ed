package io.holdfast.manager.unit.condition;

import io.holdfast.manager.unit.host.Host;
import io.holdfast.manager.unit.host.Virtualization;
import io.holdfast.manager.unit.value.Glob;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.WordReader;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The conditions about the running system: its host, kernel, virtualization and environment. */
final class SystemConditions {
    private static final List<String> CREDENTIAL_FOLDERS =
            List.of("CREDENTIALS_DIRECTORY", "ENCRYPTED_CREDENTIALS_DIRECTORY");

    private SystemConditions() {}

    static boolean isFirstBoot(String parameter, MachineFacts machine) {
        boolean first =
                machine.host()
                        .switchOnCommandLine("systemd.condition_first_boot")
                        .orElseGet(() -> machine.has("/run/systemd/first-boot"));
        return Scalars.parseBoolean(parameter) == first;
    }

    static boolean hasArchitecture(String parameter, MachineFacts machine) {
        return parameter.equals("native") || parameter.equals(machine.host().architecture());
    }

    static boolean isVirtual(String parameter, MachineFacts machine) {
        if (parameter.equals("private-users")) {
            return hasPrivateUsers(machine);
        }
        Virtualization found = machine.host().virtualization();
        Optional<Boolean> any = Scalars.findBoolean(parameter);
        if (any.isPresent()) {
            return any.get() == (found.kind() != Virtualization.Kind.NONE);
        }
        return switch (parameter) {
            case "vm" -> found.kind() == Virtualization.Kind.VM;
            case "container" -> found.kind() == Virtualization.Kind.CONTAINER;
            default -> found.kind() != Virtualization.Kind.NONE && parameter.equals(found.id());
        };
    }

    /** Returns whether the manager is in a user namespace below the initial one. */
    private static boolean hasPrivateUsers(MachineFacts machine) {
        return isMapped(machine.text("/proc/self/uid_map"))
                || isMapped(machine.text("/proc/self/gid_map"))
                || machine.text("/proc/self/setgroups").equals("deny");
    }

    private static boolean isMapped(String map) {
        return !map.isEmpty() && !map.matches("0\\s+0\\s+4294967295");
    }

    static boolean isHost(String parameter, MachineFacts machine) {
        Host host = machine.host();
        String id = parameter.replace("-", "").toLowerCase(Locale.ROOT);
        if (id.matches("[0-9a-f]{32}")
                && (id.equals(host.machineId())
                        || id.equals(host.bootId())
                        || id.equals(
                                machine.text("/sys/class/dmi/id/product_uuid")
                                        .replace("-", "")
                                        .toLowerCase(Locale.ROOT)))) {
            return true;
        }
        return Glob.matches(
                parameter.toLowerCase(Locale.ROOT), host.hostName().toLowerCase(Locale.ROOT));
    }

    static boolean isOnCommandLine(String parameter, MachineFacts machine) {
        boolean assignment = parameter.contains("=");
        return WordReader.splitRelaxed(machine.host().kernelCommandLine()).stream()
                .anyMatch(word ->
                        word.equals(parameter)
                                || (!assignment && word.startsWith(parameter + "=")));
    }

    /** Returns whether a kernel module is built in, or loaded and initialized. */
    static boolean isModuleLoaded(String parameter, MachineFacts machine) {
        String module = parameter.replace('-', '_');
        if (!isFileName(module) || !machine.has("/sys/module/" + module)) {
            return false;
        }
        String state = "/sys/module/" + module + "/initstate";
        return !machine.has(state) || machine.text(state).equals("live");
    }

    static boolean isInEnvironment(String parameter, MachineFacts machine) {
        int equals = parameter.indexOf('=');
        return equals < 0
                ? machine.environment().containsKey(parameter)
                : parameter
                        .substring(equals + 1)
                        .equals(machine.environment().get(parameter.substring(0, equals)));
    }

    static boolean hasCredential(String parameter, MachineFacts machine) {
        if (!isFileName(parameter)) {
            return false;
        }
        for (String variable : CREDENTIAL_FOLDERS) {
            String folder = machine.credentials().getOrDefault(variable, "");
            if (folder.startsWith("/")
                    && Files.exists(Path.of(folder, parameter), LinkOption.NOFOLLOW_LINKS)) {
                return true;
            }
        }
        return false;
    }

    static boolean isFileName(String text) {
        return !text.isEmpty()
                && !text.equals(".")
                && !text.equals("..")
                && text.chars().noneMatch(c -> c == '/' || c == 0);
    }
}
