package io.holdfast.manager.unit.value;

import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * A file that is opened for the main process of a service: {@code PATH[:NAME[:OPTIONS]]}.
 *
 * @param path absolute
 * @param name of its descriptor
 * @param graceful whether the service is started without it if it cannot be opened
 */
public record OpenFile(String path, String name, Mode mode, boolean graceful) {
    private static final Pattern NAME = Pattern.compile("[\\x20-\\x39\\x3b-\\x7e]{1,255}");
    private static final int PARTS = 3;

    /** How it is opened. */
    public enum Mode {
        READ_WRITE(0),
        READ_ONLY(1),
        APPEND(2),
        TRUNCATE(4);

        private final int flag;

        Mode(int flag) {
            this.flag = flag;
        }

        /** {@return its flag in the property of systemd} */
        public int flag() {
            return flag;
        }

        /** {@return the option; empty for {@link #READ_WRITE}} */
        public String word() {
            return this == READ_WRITE ? "" : name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** Parses the value of {@code OpenFile=}. */
    public static OpenFile parse(String text) {
        String[] parts = text.split(":", -1);
        if (parts.length > PARTS) {
            throw Scalars.bad("PATH[:NAME[:OPTIONS]]", text);
        }
        String path = Scalars.parsePath(parts[0]);
        String name = parts.length > 1 && !parts[1].isEmpty() ? parts[1] : fileName(path);
        if (!NAME.matcher(name).matches()) {
            throw Scalars.bad("the name of a descriptor", name);
        }
        Mode mode = Mode.READ_WRITE;
        boolean graceful = false;
        List<String> options =
                parts.length < PARTS || parts[2].isEmpty()
                        ? List.of()
                        : List.of(parts[2].split(",", -1));
        for (String option : options) {
            if (option.equals("graceful")) {
                graceful = true;
            } else if (mode == Mode.READ_WRITE) {
                mode = mode(option);
            } else {
                throw Scalars.bad("one of read-only, append and truncate", parts[2]);
            }
        }
        return new OpenFile(path, name, mode, graceful);
    }

    private static String fileName(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    private static Mode mode(String option) {
        return switch (option) {
            case "read-only" -> Mode.READ_ONLY;
            case "append" -> Mode.APPEND;
            case "truncate" -> Mode.TRUNCATE;
            default -> throw Scalars.bad("read-only, append, truncate or graceful", option);
        };
    }
}
