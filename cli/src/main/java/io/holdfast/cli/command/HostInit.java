package io.holdfast.cli.command;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Detects the init of this machine or container. */
public final class HostInit {
    /** Exists once systemd runs as PID 1; sd_booted(3) tests it. */
    private static final Path SYSTEMD = Path.of("/run/systemd/system");

    /** The name of PID 1, which systemd sets. */
    private static final Path NAME = Path.of("/proc/1/comm");

    private HostInit() {}

    /** Returns whether systemd is the init of this machine or container. */
    public static boolean isSystemd() {
        return isSystemd(SYSTEMD, NAME);
    }

    /**
     * Tests the folder and the name of PID 1. The folder is not enough: Holdfast creates it, too,
     * as the init of a container, because programs test it before they use systemd's interfaces. If
     * PID 1 is hidden from this user (hidepid=2 of proc(5)), the folder alone decides.
     */
    static boolean isSystemd(Path folder, Path name) {
        if (!Files.isDirectory(folder)) {
            return false;
        }
        try {
            return Files.readString(name).equals("systemd\n");
        } catch (IOException e) {
            return true;
        }
    }
}
