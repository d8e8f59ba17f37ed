package io.holdfast.cli.command;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What started this machine. */
public final class HostInit {
    /** There once systemd has begun to run as PID 1, as sd_booted(3) tests it. */
    private static final Path SYSTEMD = Path.of("/run/systemd/system");

    /** The name of PID 1, which systemd sets. */
    private static final Path NAME = Path.of("/proc/1/comm");

    private HostInit() {}

    /** Whether systemd runs this machine or container. */
    public static boolean isSystemd() {
        return isSystemd(SYSTEMD, NAME);
    }

    /**
     * Holdfast makes the folder, too, where it is the init of a container: programs test it before
     * they use systemd's interfaces. Where PID 1 is hidden from this user (hidepid=2 of proc(5)),
     * the folder alone decides.
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
