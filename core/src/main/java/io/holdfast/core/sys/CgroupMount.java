package io.holdfast.core.sys;

import org.jspecify.annotations.Nullable;

/** Finds the mount of the cgroup2 hierarchy, alone or beside cgroup v1 (hybrid). */
public final class CgroupMount {
    private CgroupMount() {}

    /**
     * Returns the first mount point of type cgroup2 in {@code /proc/self/mountinfo} (proc(5)) that
     * shows the tree from its root; if there is none, the first that shows a part of it (a bind
     * mount); null if cgroup2 is not mounted.
     */
    public static @Nullable String find() {
        return in(KernelFile.text(null, "/proc/self/mountinfo"));
    }

    static @Nullable String in(String mountinfo) {
        String part = null;
        int end;
        for (int from = 0; from < mountinfo.length(); from = end + 1) {
            end = mountinfo.indexOf('\n', from);
            end = end < 0 ? mountinfo.length() : end;
            int separator = mountinfo.indexOf(" - ", from);
            if (separator < 0
                    || separator > end
                    || !mountinfo.startsWith("cgroup2 ", separator + 3)) {
                continue;
            }
            int root = field(mountinfo, from, 3);
            int point = mountinfo.indexOf(' ', root) + 1;
            String mounted = unescape(mountinfo.substring(point, mountinfo.indexOf(' ', point)));
            if (mountinfo.startsWith("/ ", root)) {
                return mounted;
            }
            part = part == null ? mounted : part;
        }
        return part;
    }

    /** Returns where a field of a line starts; the first field has the index 0. */
    private static int field(String text, int line, int index) {
        int at = line;
        for (int i = 0; i < index; i++) {
            at = text.indexOf(' ', at) + 1;
        }
        return at;
    }

    /** Decodes blanks and the like, which mountinfo escapes as three octal digits. */
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
