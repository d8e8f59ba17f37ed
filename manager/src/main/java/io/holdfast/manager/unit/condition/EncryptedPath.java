package io.holdfast.manager.unit.condition;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * {@code ConditionPathIsEncrypted=}: whether the file system of a path is on block devices that are
 * all below dm-crypt.
 */
final class EncryptedPath {
    private static final int MAX_DEPTH = 10;

    private EncryptedPath() {}

    static boolean isEncrypted(String path, MachineFacts machine) {
        try {
            long device = (Long) Files.getAttribute(Path.of(path), "unix:dev");
            String numbers = major(device) + ":" + minor(device);
            return isEncrypted(machine.path("/sys/dev/block/" + numbers), machine, MAX_DEPTH);
        } catch (IOException e) {
            return false;
        }
    }

    private static long major(long device) {
        return ((device >>> 8) & 0xfff) | ((device >>> 32) & 0xfffff000L);
    }

    private static long minor(long device) {
        return (device & 0xff) | ((device >>> 12) & 0xffffff00L);
    }

    /** Returns whether a device is encrypted, or else all devices that it consists of. */
    private static boolean isEncrypted(Path device, MachineFacts machine, int depth)
            throws IOException {
        String uuid = machine.text("/" + machine.root().relativize(device.resolve("dm/uuid")));
        if (uuid.startsWith("CRYPT-")) {
            return true;
        }
        Path parts = device.resolve("slaves");
        if (depth == 0 || !Files.isDirectory(parts)) {
            return false;
        }
        boolean any = false;
        try (DirectoryStream<Path> devices = Files.newDirectoryStream(parts)) {
            for (Path part : devices) {
                if (!isEncrypted(part, machine, depth - 1)) {
                    return false;
                }
                any = true;
            }
        }
        return any;
    }
}
