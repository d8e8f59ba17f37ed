package io.holdfast.manager.device;

import io.holdfast.core.sys.CString;
import io.holdfast.core.sys.KernelPath;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The devices of the machine as sysfs and udev's database show them. Where udev does not run, a
 * device is there if its node or its folder in sysfs is. Blocking.
 *
 * @param root the folder that has dev, sys and run
 */
record UdevDatabase(Path root) {
    /** Where udev runs: without it, no device would ever be initialized. */
    private static final String CONTROL = "run/udev/control";

    private static final String DATA = "run/udev/data";
    private static final String TAGGED = "run/udev/tags/systemd";
    private static final String SUBSYSTEMS = "/sys/subsystem/"; // a path that sysfs does not have

    /**
     * A device that is there.
     *
     * @param path its folder in sysfs; empty if it is not known
     * @param properties what udev's rules have set
     */
    record Device(String path, Map<String, String> properties) {
        Device {
            properties = Map.copyOf(properties);
        }

        /** Returns whether it can be used: udev's rules may declare a device as not ready. */
        boolean isReady() {
            return !"0".equals(properties.get("SYSTEMD_READY"));
        }

        List<String> words(String property) {
            return Stream.of(properties.getOrDefault(property, "").split("\\s+"))
                    .filter(word -> !word.isEmpty())
                    .toList();
        }
    }

    /**
     * Returns the device at a path below /dev or /sys, if it can be used.
     *
     * @throws IOException if that is not known
     */
    Optional<Device> find(String path) throws IOException {
        Optional<Device> device;
        try {
            device = path.startsWith("/dev/") ? node(path) : folder(path);
        } catch (IOException e) {
            if (!Files.notExists(at(path))) {
                throw e;
            }
            device = Optional.empty(); // it is not there, or has vanished
        }
        return (device.isPresent() ? device : alias(path)).filter(Device::isReady);
    }

    private Path at(String path) {
        return root.resolve(KernelPath.of(path.substring(1)));
    }

    private boolean hasUdev() {
        return Files.exists(root.resolve(CONTROL));
    }

    /**
     * Returns whether only the owner of /dev may add files to the folders above a node. In another
     * folder, such as /dev/shm, a user may have mounted a file system that never answers.
     */
    private boolean isProtected(Path node) throws IOException {
        Path folder = root.resolve("dev");
        Object owner = Files.getAttribute(folder, "unix:uid");
        for (Path name : folder.relativize(node)) {
            Map<String, Object> status =
                    Files.readAttributes(folder, "unix:uid,mode", LinkOption.NOFOLLOW_LINKS);
            int mode = (int) Objects.requireNonNull(status.get("mode"));
            boolean isFolder = (mode & 0xF000) == 0x4000;
            if (!isFolder || (mode & 022) != 0 || !owner.equals(status.get("uid"))) {
                return false;
            }
            folder = folder.resolve(name);
        }
        return true;
    }

    private Optional<Device> node(String path) throws IOException {
        Path node = at(path);
        if (!isProtected(node)) {
            return Optional.empty();
        }
        Map<String, Object> status = Files.readAttributes(node, "unix:rdev,mode");
        int format = (int) Objects.requireNonNull(status.get("mode")) & 0xF000;
        boolean isBlock = format == 0x6000;
        if (!isBlock && format != 0x2000) {
            return Optional.empty(); // no device
        }
        long number = ((Number) Objects.requireNonNull(status.get("rdev"))).longValue();
        long major = (number >>> 8 & 0xFFF) | (number >>> 32 & ~0xFFFL);
        long minor = (number & 0xFF) | (number >>> 12 & ~0xFFL);
        String id = major + ":" + minor;
        Optional<Map<String, String>> known = properties((isBlock ? "b" : "c") + id);
        if (known.isEmpty() && isBlock && hasUdev()) {
            return Optional.empty(); // its rules have not been run
        }
        Path folder = root.resolve(isBlock ? "sys/dev/block" : "sys/dev/char").resolve(id);
        return Optional.of(new Device(shown(folder), known.orElse(Map.of())));
    }

    private String shown(Path folder) {
        try {
            return "/" + KernelPath.text(root.toRealPath().relativize(folder.toRealPath()));
        } catch (IOException e) {
            return "";
        }
    }

    private Optional<Device> folder(String path) throws IOException {
        Path folder = at(path);
        if (path.startsWith(SUBSYSTEMS)) { // NAME/devices/DEVICE
            String[] names = path.substring(SUBSYSTEMS.length()).split("/");
            if (names.length == 3) {
                Path subsystem = KernelPath.of(names[0]);
                Path bus = root.resolve("sys/bus").resolve(subsystem).resolve("devices");
                Path type = root.resolve("sys/class").resolve(subsystem);
                folder = (Files.exists(bus) ? bus : type).resolve(KernelPath.of(names[2]));
            }
        }
        if (!Files.exists(folder.resolve("uevent"))) {
            return Optional.empty();
        }
        return Optional.of(new Device(shown(folder), properties(idOf(folder)).orElse(Map.of())));
    }

    /** Returns the name of a device in the database. */
    private static String idOf(Path folder) throws IOException {
        String subsystem = nameOf(folder.resolve("subsystem"));
        if (Files.exists(folder.resolve("dev"))) {
            return (subsystem.equals("block") ? "b" : "c")
                    + Files.readString(folder.resolve("dev")).strip();
        }
        return subsystem.equals("net")
                ? "n" + Files.readString(folder.resolve("ifindex")).strip()
                : "+" + subsystem + ":" + nameOf(folder);
    }

    private static String nameOf(Path folder) throws IOException {
        return KernelPath.text(folder.toRealPath().getFileName());
    }

    /** Returns the device for which udev's rules have set a path as an alias. */
    private Optional<Device> alias(String path) throws IOException {
        try (DirectoryStream<Path> tagged = Files.newDirectoryStream(root.resolve(TAGGED))) {
            for (Path file : tagged) {
                Optional<Device> device =
                        properties(KernelPath.text(file.getFileName()))
                                .map(properties -> new Device("", properties))
                                .filter(each -> each.words("SYSTEMD_ALIAS").contains(path));
                if (device.isPresent()) {
                    return device;
                }
            }
            return Optional.empty();
        } catch (NoSuchFileException e) {
            return Optional.empty(); // no udev
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
    }

    private Optional<Map<String, String>> properties(String id) throws IOException {
        Path file = root.resolve(DATA).resolve(KernelPath.of(id));
        if (id.contains("/") || !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            return Optional.empty();
        }
        try {
            return Optional.of(parse(CString.decode(Files.readAllBytes(file))));
        } catch (NoSuchFileException e) {
            return Optional.empty(); // the device has vanished
        }
    }

    static Map<String, String> parse(String text) {
        Map<String, String> properties = new HashMap<>();
        text.lines()
                .filter(line -> line.startsWith("E:"))
                .forEach(line -> {
                    int equals = line.indexOf('=');
                    if (equals > 0) {
                        properties.put(line.substring(2, equals), line.substring(equals + 1));
                    }
                });
        return properties;
    }
}
