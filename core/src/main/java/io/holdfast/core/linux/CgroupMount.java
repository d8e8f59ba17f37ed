package io.holdfast.core.linux;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Where the cgroup2 hierarchy is mounted, alone or beside the old one (hybrid). */
public final class CgroupMount {
    private CgroupMount() {}

    /** The first mount point of type cgroup2 in {@code /proc/self/mountinfo} (proc(5)), or null. */
    public static @Nullable String find() {
        byte[] mounts = KernelFile.read(null, "/proc/self/mountinfo");
        for (String line : new String(mounts, StandardCharsets.UTF_8).split("\n")) {
            int separator = line.indexOf(" - ");
            if (separator >= 0 && line.startsWith("cgroup2 ", separator + 3)) {
                return unescape(line.split(" ", 6)[4]);
            }
        }
        return null;
    }

    /** Blanks and the like stand as three octal digits. */
    private static String unescape(String field) {
        int at = field.indexOf('\\');
        if (at < 0) {
            return field;
        }
        StringBuilder text = new StringBuilder(field);
        for (; at >= 0; at = text.indexOf("\\", at + 1)) {
            char c = (char) Integer.parseInt(text.substring(at + 1, at + 4), 8);
            text.replace(at, at + 4, String.valueOf(c));
        }
        return text.toString();
    }
}
