package io.holdfast.bus.config;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The folders of service files by convention (dbus-daemon(1), XDG base directories). */
final class StandardFolders {
    private static final FileAttribute<?> FOR_OWNER =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    private StandardFolders() {}

    static List<ServiceFolder> session(Map<String, String> environment) {
        List<ServiceFolder> folders = new ArrayList<>();
        String runtime = environment.getOrDefault("XDG_RUNTIME_DIR", "");
        if (runtime.startsWith("/")) {
            folders.add(runtimeFolder(runtime));
        }
        String home = environment.getOrDefault("HOME", "");
        String data =
                nonEmpty(
                        environment, "XDG_DATA_HOME", home.isEmpty() ? "" : home + "/.local/share");
        String shared = nonEmpty(environment, "XDG_DATA_DIRS", "/usr/local/share:/usr/share");
        for (String base : (data + ":" + shared).split(":", -1)) {
            if (base.startsWith("/")) { // XDG: relative paths are ignored
                folders.add(new ServiceFolder(Path.of(base, "dbus-1/services"), false));
            }
        }
        return folders.stream().distinct().toList();
    }

    private static ServiceFolder runtimeFolder(String runtime) {
        return new ServiceFolder(Path.of(runtime, "dbus-1/services"), true);
    }

    /**
     * Makes the folder for services of this login, if it is among the folders of a bus: programs
     * put services there for as long as the session lasts (dbus-daemon(1)). A runtime folder that
     * does not exist, or belongs to another user, stays as it is.
     */
    static void makeRuntimeFolder(Map<String, String> environment, List<ServiceFolder> folders)
            throws IOException {
        String runtime = environment.getOrDefault("XDG_RUNTIME_DIR", "");
        if (!runtime.startsWith("/")
                || !folders.contains(runtimeFolder(runtime))
                || !isOwn(Path.of(runtime))) {
            return;
        }
        for (String folder : List.of("dbus-1", "dbus-1/services")) {
            try {
                Path _ = Files.createDirectory(Path.of(runtime, folder), FOR_OWNER);
            } catch (FileAlreadyExistsException _) {
                // as it should be
            }
        }
    }

    private static boolean isOwn(Path folder) throws IOException {
        return Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
                && Files.getOwner(folder, LinkOption.NOFOLLOW_LINKS)
                        .equals(Files.getOwner(Path.of("/proc/self")));
    }

    static List<ServiceFolder> system() {
        return Stream.of("/etc", "/run", "/usr/local/share", "/usr/share", "/lib")
                .map(base -> new ServiceFolder(Path.of(base, "dbus-1/system-services"), true))
                .toList();
    }

    private static String nonEmpty(Map<String, String> environment, String key, String otherwise) {
        String value = environment.getOrDefault(key, "");
        return value.isEmpty() ? otherwise : value;
    }
}
