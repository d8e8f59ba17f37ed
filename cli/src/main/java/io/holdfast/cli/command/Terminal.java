package io.holdfast.cli.command;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The terminal that controls this process, if any. */
public final class Terminal {
    // fields of /proc/self/stat behind the name: state, ppid, pgrp, session, tty_nr, tpgid
    private static final int PROCESS_GROUP = 2;
    private static final int TERMINAL = 4;
    private static final int FOREGROUND_GROUP = 5;

    private Terminal() {}

    /**
     * Whether we are in the foreground of a terminal now: then it sends its INT to our children as
     * well, as long as they are in our process group.
     */
    public static boolean isForeground() {
        String[] fields = stat();
        return fields.length > FOREGROUND_GROUP
                && fields[PROCESS_GROUP].equals(fields[FOREGROUND_GROUP]);
    }

    /** Whether there is one now. One that has hung up is none. */
    public static boolean isThere() {
        String[] fields = stat();
        return fields.length > TERMINAL && !fields[TERMINAL].equals("0");
    }

    /** Empty without {@code /proc}. */
    private static String[] stat() {
        try {
            String stat = Files.readString(Path.of("/proc/self/stat"));
            return stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        } catch (IOException e) {
            return new String[0];
        }
    }
}
