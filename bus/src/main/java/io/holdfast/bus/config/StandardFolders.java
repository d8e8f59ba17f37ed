package io.holdfast.bus.config;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Where the files of services are by convention (dbus-daemon(1), XDG base directories). */
final class StandardFolders {
    private StandardFolders() {}

    static List<ServiceFolder> session(Map<String, String> environment) {
        List<ServiceFolder> folders = new ArrayList<>();
        String runtime = environment.getOrDefault("XDG_RUNTIME_DIR", "");
        if (runtime.startsWith("/")) {
            folders.add(new ServiceFolder(Path.of(runtime, "dbus-1/services"), true));
        }
        String home = environment.getOrDefault("HOME", "");
        String data =
                nonEmpty(
                        environment, "XDG_DATA_HOME", home.isEmpty() ? "" : home + "/.local/share");
        String shared = nonEmpty(environment, "XDG_DATA_DIRS", "/usr/local/share:/usr/share");
        for (String base : (data + ":" + shared).split(":", -1)) {
            if (base.startsWith("/")) { // XDG: others are to be ignored
                folders.add(new ServiceFolder(Path.of(base, "dbus-1/services"), false));
            }
        }
        return folders.stream().distinct().toList();
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
