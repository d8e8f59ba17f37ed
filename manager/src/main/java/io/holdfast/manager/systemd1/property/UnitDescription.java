package io.holdfast.manager.systemd1.property;

import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.systemd1.format.Errors;
import io.holdfast.manager.unit.UnitMarker;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.value.StandardDescriptor;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * A unit as a caller describes it: the text of its unit file, and the values that are not text.
 *
 * <p>The values are untrusted: none may begin a new line, join the next line, or be expanded.
 */
public final class UnitDescription {
    private static final String HEAD =
            "# Made at run time, by a request over D-Bus; removed when the unit is unloaded.\n";

    /** The property that changes the state of a unit, and none of its directives. */
    static final String MARKERS = "Markers";

    private static final int MAX_DESCRIPTOR_NAME = 255;

    private final StringBuilder text = new StringBuilder(HEAD);
    private final Map<String, String> last = new HashMap<>();
    private final Map<String, String> lines = new LinkedHashMap<>();
    private final List<Long> pids = new ArrayList<>();
    private final List<Handle> pidfds = new ArrayList<>();
    private final Map<StandardDescriptor, Handle> streams = new EnumMap<>(StandardDescriptor.class);
    private final List<NamedDescriptor> descriptors = new ArrayList<>();
    private final List<List<String>> commands = new ArrayList<>();
    private final List<UnitMarker.Change> markers = new ArrayList<>();
    private final Set<String> properties = new TreeSet<>();
    private final Set<String> variables = new TreeSet<>();
    private boolean literal = true;
    private String section = "";
    private boolean referenced;

    /** A descriptor that a service gets beside those of its sockets. */
    public record NamedDescriptor(Handle handle, String name) {}

    private UnitDescription() {}

    /**
     * Describes a unit by the properties that a caller sets. Only properties that have an effect
     * can be set; every other property is refused by name, since the caller would not read a
     * warning in the unit's log.
     *
     * @param properties each a {@link Struct} of a name and a {@link Variant}
     * @throws DBusException with systemd's text, if one of them cannot be set
     */
    public static UnitDescription of(UnitType type, List<?> properties) {
        return of(type, properties, false);
    }

    /**
     * Reads changed properties of a unit that exists.
     *
     * @throws DBusException as {@link #of}, also for a property that cannot be changed then
     */
    public static UnitDescription changes(UnitType type, List<?> properties) {
        return of(type, properties, true);
    }

    private static UnitDescription of(UnitType type, List<?> properties, boolean ofLoaded) {
        UnitDescription unit = new UnitDescription();
        for (Object each : properties) {
            Struct property = (Struct) each;
            String name = (String) property.members().get(0);
            Variant value = (Variant) property.members().get(1);
            boolean _ = unit.properties.add(name);
            if (ofLoaded && name.equals(MARKERS)) {
                unit.mark(value);
                continue;
            }
            SettableProperty own = UnitFaces.settable(type, name);
            SettableProperty row = own != null ? own : UnitProperties.TABLE.settable(name);
            if (row == null || (ofLoaded && !row.live())) {
                throw CgroupProperties.readOnly(name);
            }
            row.set(unit, own != null ? type.section() : "Unit", value);
        }
        return unit;
    }

    private void mark(Variant words) {
        if (!words.type().toString().equals("as")) {
            throw SettableProperty.wrongType();
        }
        try {
            markers.add(
                    UnitMarker.Change.parse(
                            ((List<?>) words.value()).stream().map(String.class::cast).toList()));
        } catch (IllegalArgumentException e) {
            throw Errors.of("BadUnitSetting", String.valueOf(e.getMessage()));
        }
    }

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
        // a blank keeps a trailing backslash from joining the next line
        String line = directive + '=' + value + (value.endsWith("\\") ? " \n" : "\n");
        text.append(line);
        lines.merge(directive, "[" + inSection + "]\n" + line, (before, _) -> before + line);
        last.put(directive, value);
    }

    /** Returns the value of the last line of a directive. */
    Optional<String> lastOf(String directive) {
        return Optional.ofNullable(last.get(directive));
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

    /** Sets a standard stream of the unit's processes. */
    void stream(StandardDescriptor which, Handle descriptor) {
        streams.put(which, descriptor);
    }

    /** Adds a descriptor that is passed to the service. */
    void descriptor(Handle descriptor, String name) {
        boolean valid =
                name.length() <= MAX_DESCRIPTOR_NAME
                        && name.chars().allMatch(c -> c >= ' ' && c < 0x7f && c != ':');
        if (!valid) {
            throw Errors.invalid("Invalid file descriptor name: " + name);
        }
        descriptors.add(new NamedDescriptor(descriptor, name.isEmpty() ? "unknown" : name));
    }

    /**
     * Notes a command of its main process, for an authority.
     *
     * @param words the program and its arguments
     * @param isLiteral whether it runs as written: as the unit's user, by its own name, without
     *     expanding variables
     */
    void command(List<String> words, boolean isLiteral) {
        commands.add(List.copyOf(words));
        literal &= isLiteral;
    }

    /** Notes the assignment of a variable of its processes, for an authority. */
    void variable(String assignment) {
        boolean _ = variables.add(assignment);
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

    void refer(boolean wanted) {
        referenced |= wanted;
    }

    /** Returns the text of its unit file. */
    public String text() {
        return text.toString();
    }

    /** Returns the lines of each directive alone, after the header of their section. */
    public Map<String, String> lines() {
        return Map.copyOf(lines);
    }

    public List<UnitMarker.Change> markers() {
        return List.copyOf(markers);
    }

    /** Returns the processes given by PID; 0 is the caller. */
    public List<Long> pids() {
        return List.copyOf(pids);
    }

    /** Returns the processes given by descriptor. */
    public List<Handle> pidfds() {
        return List.copyOf(pidfds);
    }

    /** Returns the standard streams given by descriptor. */
    public Map<StandardDescriptor, Handle> streams() {
        return Map.copyOf(streams);
    }

    /** Returns the other descriptors. */
    public List<NamedDescriptor> descriptors() {
        return List.copyOf(descriptors);
    }

    /** Returns the commands of its main process, each a program and its arguments. */
    public List<List<String>> commands() {
        return List.copyOf(commands);
    }

    /** Returns whether the commands run as written, as the unit's user. */
    public boolean isLiteral() {
        return literal;
    }

    /** Returns the names of the properties that the caller has set. */
    public Set<String> properties() {
        return Set.copyOf(properties);
    }

    /** Returns the assignments of variables that the caller has made. */
    public Set<String> variables() {
        return Set.copyOf(variables);
    }

    /** Returns the user of its processes; empty for the manager's. */
    public Optional<String> user() {
        return lastOf("User").filter(user -> !user.isEmpty());
    }

    /** Returns whether the caller wants a reference to the unit. */
    public boolean isReferenced() {
        return referenced;
    }
}
