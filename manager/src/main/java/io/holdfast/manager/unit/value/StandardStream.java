package io.holdfast.manager.unit.value;

import java.util.Locale;

/**
 * The target of a standard stream.
 *
 * @param argument the path of a file, or the name of a descriptor (empty: the stream's own name);
 *     empty for all others
 */
public record StandardStream(Kind kind, String argument) {
    /** The words of systemd, without their arguments. */
    public enum Kind {
        NULL,
        /**
         * Output: the same as the standard input (standard error: the same as the standard output).
         */
        INHERIT,
        TTY,
        TTY_FORCE,
        TTY_FAIL,
        DATA,
        FILE,
        APPEND,
        TRUNCATE,
        SOCKET,
        /** A descriptor that a socket unit passes. */
        FD,
        JOURNAL,
        JOURNAL_CONSOLE,
        KMSG,
        KMSG_CONSOLE
    }

    public static final StandardStream NULL = new StandardStream(Kind.NULL, "");
    public static final StandardStream DATA = new StandardStream(Kind.DATA, "");
    public static final StandardStream JOURNAL = new StandardStream(Kind.JOURNAL, "");
    public static final StandardStream INHERIT = new StandardStream(Kind.INHERIT, "");

    /** {@return whether it is a terminal that becomes the controlling one of the process} */
    public boolean isTerminal() {
        return kind == Kind.TTY || kind == Kind.TTY_FORCE || kind == Kind.TTY_FAIL;
    }

    /** {@return whether it goes to the journal, alone or beside the console} */
    public boolean isJournal() {
        return kind == Kind.JOURNAL || kind == Kind.JOURNAL_CONSOLE;
    }

    /** {@return the word without its argument} */
    public String word() {
        return kind.name()
                .toLowerCase(Locale.ROOT)
                .replace("_console", "+console")
                .replace('_', '-');
    }

    public static StandardStream parseInput(String text) {
        return switch (text) {
            case "null" -> NULL;
            case "tty" -> new StandardStream(Kind.TTY, "");
            case "tty-force" -> new StandardStream(Kind.TTY_FORCE, "");
            case "tty-fail" -> new StandardStream(Kind.TTY_FAIL, "");
            case "data" -> DATA;
            default ->
                    parseBoth(
                            text,
                            "null, tty, tty-force, tty-fail, data, file:PATH, socket or fd[:NAME]");
        };
    }

    public static StandardStream parseOutput(String text) {
        return switch (text) {
            case "inherit" -> INHERIT;
            case "null" -> NULL;
            case "tty" -> new StandardStream(Kind.TTY, "");
            case "journal", "syslog" -> JOURNAL;
            case "journal+console", "syslog+console" ->
                    new StandardStream(Kind.JOURNAL_CONSOLE, "");
            case "kmsg" -> new StandardStream(Kind.KMSG, "");
            case "kmsg+console" -> new StandardStream(Kind.KMSG_CONSOLE, "");
            default -> {
                if (text.startsWith("append:")) {
                    yield file(Kind.APPEND, text.substring(7));
                }
                if (text.startsWith("truncate:")) {
                    yield file(Kind.TRUNCATE, text.substring(9));
                }
                yield parseBoth(
                        text,
                        "inherit, null, tty, journal, kmsg, journal+console, kmsg+console,"
                                + " file:PATH, append:PATH, truncate:PATH, socket or fd[:NAME]");
            }
        };
    }

    private static StandardStream parseBoth(String text, String expected) {
        if (text.equals("socket")) {
            return new StandardStream(Kind.SOCKET, "");
        }
        if (text.equals("fd")) {
            return new StandardStream(Kind.FD, "");
        }
        if (text.startsWith("fd:")) {
            return new StandardStream(Kind.FD, text.substring(3));
        }
        if (text.startsWith("file:")) {
            return file(Kind.FILE, text.substring(5));
        }
        throw Scalars.bad("one of " + expected, text);
    }

    private static StandardStream file(Kind kind, String path) {
        return new StandardStream(kind, Scalars.parsePath(path));
    }
}
