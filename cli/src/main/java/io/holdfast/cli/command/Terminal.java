package io.holdfast.cli.command;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The controlling terminal of this process, if any. */
public final class Terminal {
    // fields of /proc/self/stat after the name: state, ppid, pgrp, session, tty_nr, tpgid
    private static final int PROCESS_GROUP = 2;
    private static final int TERMINAL = 4;
    private static final int FOREGROUND_GROUP = 5;

    private Terminal() {}

    /**
     * Returns whether this process is in the foreground process group of its terminal now. If so,
     * the terminal sends SIGINT to its children as well, as long as they are in its process group.
     */
    public static boolean isForeground() {
        String[] fields = stat();
        return fields.length > FOREGROUND_GROUP
                && fields[PROCESS_GROUP].equals(fields[FOREGROUND_GROUP]);
    }

    /**
     * Returns whether this process has a controlling terminal now. A terminal that has hung up does
     * not count.
     */
    public static boolean isThere() {
        String[] fields = stat();
        return fields.length > TERMINAL && !fields[TERMINAL].equals("0");
    }

    /** Returns the fields; empty without {@code /proc}. */
    private static String[] stat() {
        try {
            String stat = Files.readString(Path.of("/proc/self/stat"));
            return stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        } catch (IOException e) {
            return new String[0];
        }
    }
}
