package io.holdfast.dbus.wire;

import java.util.List;

/** A value of type {@code (…)}. */
public record Struct(List<Object> members) {
    /**
     * @throws IllegalArgumentException if there are no members
     */
    public Struct {
        members = List.copyOf(members);
        if (members.isEmpty()) {
            throw new IllegalArgumentException("a struct without members");
        }
    }

    /**
     * @param members in their order, at least one
     * @throws IllegalArgumentException if there are none
     */
    public static Struct of(Object... members) {
        return new Struct(List.of(members));
    }

    /** The nth member, from 0. */
    public Object get(int n) {
        return members.get(n);
    }
}
