package io.holdfast.cli.command;

import java.nio.file.Files;
import java.nio.file.Path;

/** What started this machine. */
public final class HostInit {
    /** There once systemd has begun to run as PID 1, as sd_booted(3) tests it. */
    private static final Path SYSTEMD = Path.of("/run/systemd/system");

    private HostInit() {}

    /** Whether systemd runs this machine or container. */
    public static boolean isSystemd() {
        return Files.isDirectory(SYSTEMD);
    }
}
