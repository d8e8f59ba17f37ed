package io.holdfast.manager.systemd1.setting;

import io.holdfast.dbus.wire.Handle;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.systemd1.property.Errors;
import java.util.ArrayList;
import java.util.List;

/**
 * A unit as a caller describes it: the text of its unit file, and the values that are not text.
 *
 * <p>The values are untrusted: none may begin a new line, join the next line, or be expanded.
 */
public final class UnitDescription {
    private static final String HEAD =
            "# Made at run time, by a request over D-Bus; removed when the unit is unloaded.\n";

    private final StringBuilder text = new StringBuilder(HEAD);
    private final List<Long> pids = new ArrayList<>();
    private final List<Handle> pidfds = new ArrayList<>();
    private String section = "";
    private boolean referenced;

    UnitDescription() {}

    /** Adds a line; the value is written as it is. */
    void line(String inSection, String directive, String value) {
        if (value.chars().anyMatch(Character::isISOControl)) {
            throw Errors.invalid("A control character in the value of " + directive);
        }
        if (text.length() + value.length() > ManagerLimits.DESCRIPTION_CHARACTERS.intValue()) {
            throw Errors.limit(
                    "The description of a unit has more than %s characters; %s"
                            .formatted(
                                    ManagerLimits.DESCRIPTION_CHARACTERS.value(),
                                    ManagerLimits.DESCRIPTION_CHARACTERS.remedy()));
        }
        if (!section.equals(inSection)) {
            text.append('[').append(inSection).append("]\n");
            section = inSection;
        }
        text.append(directive).append('=').append(value);
        // a blank keeps a trailing backslash from joining the next line
        text.append(value.endsWith("\\") ? " \n" : "\n");
    }

    /** Adds a line with a literal value: nothing in it is a specifier. */
    void literal(String inSection, String directive, String value) {
        line(inSection, directive, value.replace("%", "%%"));
    }

    void process(long pid) {
        pids.add(pid);
        requireFew();
    }

    void process(Handle pidfd) {
        pidfds.add(pidfd);
        requireFew();
    }

    private void requireFew() {
        if (pids.size() + pidfds.size() > ManagerLimits.SCOPE_PROCESSES.intValue()) {
            throw Errors.limit(
                    "A scope adopts at most %s processes; %s"
                            .formatted(
                                    ManagerLimits.SCOPE_PROCESSES.value(),
                                    ManagerLimits.SCOPE_PROCESSES.remedy()));
        }
    }

    void refer() {
        referenced = true;
    }

    /** Returns the text of its unit file. */
    public String text() {
        return text.toString();
    }

    /** Returns the processes given by PID; 0 is the caller. */
    public List<Long> pids() {
        return List.copyOf(pids);
    }

    /** Returns the processes given by descriptor. */
    public List<Handle> pidfds() {
        return List.copyOf(pidfds);
    }

    /** Returns whether the caller wants a reference to the unit. */
    public boolean isReferenced() {
        return referenced;
    }
}
