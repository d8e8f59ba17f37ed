package io.holdfast.core.scope;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.SecureRandom;

/**
 * The name of a scope. Its cgroup is {@code holdfast-scope-NAME-PID-ID}, which has no unit suffix.
 *
 * @param name the name for people; may be empty
 * @param id a random number, 2 to 2^62
 */
record ScopeName(String name, long id) {
    static final String PREFIX = "holdfast-scope-";

    private static final int NAME_LIMIT = 64;
    private static final SecureRandom RANDOM = new SecureRandom();

    static ScopeName random(String name) {
        return new ScopeName(name, RANDOM.nextLong(2, 1L << 62));
    }

    /** Returns the id as in the environment. */
    String hex() {
        return Long.toHexString(id);
    }

    /** Returns the name of the cgroup. */
    String cgroup() {
        String escaped = escaped();
        String middle = escaped.isEmpty() ? "" : escaped + "-";
        return PREFIX + middle + ProcessHandle.current().pid() + "-" + hex();
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

    @Override
    public String toString() {
        return "scope " + (name.isEmpty() ? hex() : name + " (" + hex() + ")");
    }
}
