package io.holdfast.manager.survival;

import io.holdfast.core.state.Fields;
import java.util.OptionalInt;

/**
 * How a manager that stops everything ends.
 *
 * @param what whether the manager ends only itself, or the container that it is the init of
 * @param status the exit status that a unit or a client has set; empty if none has
 */
public record ManagerEnd(What what, OptionalInt status) {
    /** The manager exits with its default status. */
    public static final ManagerEnd PLAIN = new ManagerEnd(What.EXIT, OptionalInt.empty());

    private static final String WHAT = "end";
    private static final String STATUS = "exit-status";

    /** The thing that ends. */
    public enum What {
        /** The manager exits, and with it a container that it is the init of. */
        EXIT,
        HALT,
        POWER_OFF,
        REBOOT
    }

    static ManagerEnd of(Fields fields) {
        What what = fields.find(WHAT).isEmpty() ? What.EXIT : fields.word(WHAT, What.class);
        OptionalInt status =
                fields.find(STATUS).isEmpty()
                        ? OptionalInt.empty()
                        : OptionalInt.of(Math.toIntExact(fields.number(STATUS)));
        return new ManagerEnd(what, status);
    }

    Fields into(Fields fields) {
        status.ifPresent(chosen -> fields.put(STATUS, chosen));
        return fields.put(WHAT, what.name());
    }

    /** Returns the same end with another status. */
    public ManagerEnd withStatus(int chosen) {
        return new ManagerEnd(what, OptionalInt.of(chosen));
    }
}
