package io.holdfast.core.scope;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.SecureRandom;

/**
 * How a scope is named: {@code holdfast-scope-NAME-PID-ID}, which ends in no suffix of a unit.
 *
 * @param id a random number, 2 to 2^62
 */
record ScopeName(String name, long id) {
    static final String PREFIX = "holdfast-scope-";

    private static final int NAME_LIMIT = 64;
    private static final SecureRandom RANDOM = new SecureRandom();

    static ScopeName random(String name) {
        return new ScopeName(name, RANDOM.nextLong(2, 1L << 62));
    }

    /** The id as the environment has it. */
    String hex() {
        return Long.toHexString(id);
    }

    /** The name of a cgroup. */
    String cgroup() {
        String escaped = escaped();
        String middle = escaped.isEmpty() ? "" : escaped + "-";
        return PREFIX + middle + ProcessHandle.current().pid() + "-" + hex();
    }

    /** The name for people in letters, digits, {@code _} and {@code .}; others as {@code \xNN}. */
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
