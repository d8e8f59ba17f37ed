package io.holdfast.dbus.wire;

import static java.util.Objects.requireNonNull;

import java.util.Arrays;
import java.util.List;

/**
 * A value of type {@code (…)}.
 *
 * @param members the members
 */
public record Struct(List<Object> members) {
    /**
     * Checks and copies the members.
     *
     * @throws NullPointerException if a member is null
     * @throws IllegalArgumentException if there are no members
     */
    public Struct {
        for (int i = 0; i < members.size(); i++) {
            requireNonNull(members.get(i), "member " + i);
        }
        members = List.copyOf(members);
        if (members.isEmpty()) {
            throw new IllegalArgumentException("a struct without members");
        }
    }

    /**
     * {@return a struct of these members}
     *
     * @param members the members in their order, at least one
     * @throws IllegalArgumentException if there are no members
     */
    public static Struct of(Object... members) {
        return new Struct(Arrays.asList(members));
    }

    /**
     * {@return the nth member}
     *
     * @param n the index, from 0
     */
    public Object get(int n) {
        return members.get(n);
    }
}
