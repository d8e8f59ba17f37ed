package io.holdfast.core.scope;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a scope. Its cgroup is {@code holdfast-scope-NAME-OWNER-ID}, which has no unit
 * suffix.
 *
 * @param name the name for people; may be empty
 * @param owner the JVM that opened it
 * @param id a random number of at most 62 bits, 2 or more
 */
record ScopeName(String name, Owner owner, long id) {
    static final String PREFIX = "holdfast-scope-";

    private static final Pattern CGROUP =
            Pattern.compile(
                    PREFIX
                            + "(?:(?<name>[a-zA-Z0-9_.\\\\]+)-)?(?<owner>"
                            + Owner.PATTERN
                            + ")-(?<id>[0-9a-f]{1,16})");

    private static final Pattern ESCAPE = Pattern.compile("\\\\x([0-9a-f]{2})");
    private static final int NAME_LIMIT = 64;

    /**
     * Returns the name of a new scope of this JVM.
     *
     * @param kept whether its processes are meant to outlive this JVM
     */
    static ScopeName random(String name, boolean kept) {
        Owner self = kept ? Owner.self().neverDead() : Owner.self();
        return new ScopeName(name, self, Mark.randomId());
    }

    /** Parses the name of a cgroup; empty if it is not that of a scope. */
    static Optional<ScopeName> ofCgroup(String cgroup) {
        Matcher parts = CGROUP.matcher(cgroup);
        if (!parts.matches()) {
            return Optional.empty();
        }
        String escaped = parts.group("name");
        long id = Long.parseUnsignedLong(parts.group("id"), 16);
        return Owner.parse(parts.group("owner"))
                .map(owner -> new ScopeName(escaped == null ? "" : plain(escaped), owner, id));
    }

    /** Returns the id as in the environment. */
    String hex() {
        return Long.toHexString(id);
    }

    /** Returns the name of the cgroup. */
    String cgroup() {
        String escaped = escaped();
        String middle = escaped.isEmpty() ? "" : escaped + "-";
        return PREFIX + middle + owner + "-" + hex();
    }

    /**
     * Returns the name for people, with bytes other than letters, digits, {@code _} and {@code .}
     * as {@code \xNN}.
     */
    private String escaped() {
        StringBuilder text = new StringBuilder();
        for (byte b : name.getBytes(UTF_8)) {
            boolean isPlain =
                    (b >= 'a' && b <= 'z')
                            || (b >= 'A' && b <= 'Z')
                            || (b >= '0' && b <= '9')
                            || b == '_'
                            || b == '.';
            String next = isPlain ? String.valueOf((char) b) : "\\x%02x".formatted(b);
            if (text.length() + next.length() > NAME_LIMIT) {
                break;
            }
            text.append(next);
        }
        return text.toString();
    }

    /** Returns the text that {@link #escaped} has escaped; invalid escapes stay as they are. */
    private static String plain(String escaped) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Matcher next = ESCAPE.matcher(escaped);
        int at = 0;
        while (next.find()) {
            bytes.writeBytes(escaped.substring(at, next.start()).getBytes(UTF_8));
            bytes.write(Integer.parseInt(next.group(1), 16));
            at = next.end();
        }
        bytes.writeBytes(escaped.substring(at).getBytes(UTF_8));
        return bytes.toString(UTF_8);
    }

    @Override
    public String toString() {
        return "scope " + (name.isEmpty() ? hex() : name + " (" + hex() + ")");
    }
}
