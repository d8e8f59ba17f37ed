package io.holdfast.manager.varlink;

import io.holdfast.core.Signal;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.systemd1.property.UnitFaces;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.idl.tree.Type;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Reads the context of a unit that a caller wants to make, as the properties that {@code
 * StartTransientUnit} takes over D-Bus: the reverse of {@link PropertyStructs}, so that both
 * interfaces accept the same settings and write the same unit file. Which fields can be set is a
 * fact of these properties.
 */
final class ContextProperties {
    /** The flags of a command, by the names of their fields. */
    static final Map<String, String> COMMAND_FLAGS =
            Map.of(
                    "ignoreFailure", "ignore-failure",
                    "privileged", "privileged",
                    "noSetuid", "no-setuid",
                    "noEnvExpand", "no-env-expand");

    private static final long WHOLE = 0xFFFFFFFFL; // of a scaled property
    private static final long LARGEST_U = 0xFFFFFFFFL;

    private final Map<String, Type.Composite> types;
    private final UnitType unit;
    private final Map<String, String> settable; // the D-Bus types by name
    private final List<Struct> properties = new ArrayList<>();

    private ContextProperties(Interface definition, UnitType unit) {
        this.types = PropertyStructs.types(definition);
        this.unit = unit;
        this.settable = UnitFaces.settable(unit);
    }

    /**
     * Returns the properties of a context that fits the definition.
     *
     * @return each a {@link Struct} of a name and a {@link Variant}
     * @throws VarlinkException {@code UnitTypeNotSupported} for settings of another type of unit,
     *     {@code PropertyNotSupported} for a field that cannot be set, {@code InvalidParameter} for
     *     a value that its type excludes
     */
    static List<Struct> of(Interface definition, UnitType unit, JsonObject context) {
        ContextProperties reading = new ContextProperties(definition, unit);
        reading.read("UnitContext", context);
        return reading.properties;
    }

    private void read(String struct, JsonObject context) {
        for (Type.Field field : fields(struct)) {
            Optional<Json> value = context.find(field.name());
            boolean isOfUnit = struct.equals("UnitContext");
            if (value.isEmpty() || (isOfUnit && field.name().equals("ID"))) {
                continue;
            }
            if (isOfUnit && field.name().equals("Type")) {
                throw UnitErrors.propertyNotSupported("Type"); // not that of a service
            }
            read(struct, field, value.get());
        }
    }

    private List<Type.Field> fields(String struct) {
        return ((Type.Struct) Objects.requireNonNull(types.get(struct))).fields();
    }

    private void read(String struct, Type.Field field, Json value) {
        String name = field.name();
        String type = PropertyStructs.element(field.type());
        if (type.endsWith("Context")) {
            if (!isOfUnit(name, type)) {
                throw UnitErrors.of("UnitTypeNotSupported");
            }
            read(type, value.asObject());
            return;
        }
        switch (type) {
            case "RateLimit" -> {
                JsonObject limit = value.asObject();
                limit.find("intervalUSec")
                        .ifPresent(each -> put(name, name + "IntervalUSec", each));
                limit.find("burst").ifPresent(each -> put(name, name + "Burst", each));
            }
            case "CGroupTasksMax" -> putTasks(name, value.asObject());
            case "WorkingDirectory" -> putFolder(name, value.asObject());
            case "ExecCommand" -> putCommands(name, value.asList());
            case "TimerSpec" -> putTimers(name, value.asList());
            default ->
                    put(
                            name,
                            PropertyStructs.NAMES.getOrDefault(struct + "." + name, name),
                            type,
                            value);
        }
    }

    /** Returns whether the settings of a struct are settings of this type of unit. */
    private boolean isOfUnit(String field, String struct) {
        return PropertyStructs.SECTIONS.contains(field)
                ? field.equals(unit.section())
                : fields(struct).stream().anyMatch(each -> settable.containsKey(each.name()));
    }

    private void put(String field, String property, Json value) {
        put(field, property, "", value);
    }

    private void put(String field, String property, String type, Json value) {
        String signature = settable.get(property);
        if (signature == null) {
            throw UnitErrors.propertyNotSupported(field);
        }
        put(property, signature, value(Signature.of(signature), type, value));
    }

    private void put(String property, String signature, Object value) {
        properties.add(Struct.of(property, Variant.of(signature, value)));
    }

    private void requireSettable(String field, String property) {
        if (!settable.containsKey(property)) {
            throw UnitErrors.propertyNotSupported(field);
        }
    }

    // ---- values

    /**
     * @param type the name of the field's type, or of its elements; empty for a primitive type
     */
    private Object value(Signature signature, String type, Json value) {
        String text = signature.toString();
        return switch (text) {
            case "s" -> isEnum(type) ? word(value.asString()) : value.asString();
            case "b" -> value.asBoolean();
            case "t", "x" ->
                    within(value.asLong(), text.equals("t") ? 0 : Long.MIN_VALUE, Long.MAX_VALUE);
            case "u" -> within(value.asLong(), 0, LARGEST_U);
            case "i" ->
                    value instanceof Json.Text(String signal)
                            ? signal(signal)
                            : (int) within(value.asLong(), Integer.MIN_VALUE, Integer.MAX_VALUE);
            case "q" -> (int) within(value.asLong(), 0, 0xFFFF);
            case "h" -> new Handle((int) within(value.asLong(), 0, Integer.MAX_VALUE));
            case "ay" -> bytes(value);
            default ->
                    text.startsWith("a")
                            ? list(Signature.of(text.substring(1)), type, value)
                            : struct(text, type, value);
        };
    }

    private static String word(String word) {
        return word.replace("_console", "+console").replace('_', '-'); // as StandardStream has it
    }

    private boolean isEnum(String type) {
        return types.get(type) instanceof Type.Enumeration;
    }

    private static long within(long value, long least, long greatest) {
        if (value < least || value > greatest) {
            throw invalid();
        }
        return value;
    }

    private static VarlinkException invalid() {
        return VarlinkException.invalidParameter("context");
    }

    private static int signal(String name) {
        try {
            return Signal.of(name).number();
        } catch (IllegalArgumentException e) {
            throw UnitErrors.of("BadUnitSetting");
        }
    }

    /** Reads base64, or an array of bytes. */
    private static byte[] bytes(Json value) {
        if (value instanceof Json.Text(String text)) {
            try {
                return Base64.getDecoder().decode(text);
            } catch (IllegalArgumentException e) {
                throw invalid();
            }
        }
        List<Json> elements = value.asList();
        byte[] bytes = new byte[elements.size()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) within(elements.get(i).asLong(), 0, 0xFF);
        }
        return bytes;
    }

    private List<?> list(Signature element, String type, Json value) {
        return value.asList().stream().map(each -> value(element, type, each)).toList();
    }

    /** Reads the fields of a struct in their order; those that are absent are empty. */
    private Struct struct(String signature, String type, Json value) {
        List<Signature> members =
                Signature.of(signature.substring(1, signature.length() - 1)).types();
        List<Type.Field> fields = fields(type);
        List<Object> values = new ArrayList<>();
        for (int i = 0; i < members.size(); i++) {
            Type.Field field = fields.get(i);
            Signature member = members.get(i);
            Optional<Json> given = value.asObject().find(field.name());
            values.add(
                    given.isPresent()
                            ? value(member, PropertyStructs.element(field.type()), given.get())
                            : empty(member.toString()));
        }
        return new Struct(values);
    }

    private static Object empty(String signature) {
        return switch (signature) {
            case "s" -> "";
            case "b" -> false;
            case "t", "u" -> 0L;
            default -> List.of();
        };
    }

    // ---- fields that are more than one property, or one of another form

    private void putTasks(String field, JsonObject tasks) {
        long value = within(tasks.integer("value"), 0, Long.MAX_VALUE);
        long scale = within(tasks.integer("scale"), 0, LARGEST_U);
        requireSettable(field, field);
        if (scale == 0) {
            put(field, "t", value);
        } else {
            long scaled = within(value, 0, scale) * WHOLE; // up to 64 bits, unsigned
            put(field + "Scale", "u", Long.divideUnsigned(scaled, scale));
        }
    }

    private void putFolder(String field, JsonObject folder) {
        Optional<String> path = folder.optionalString("path");
        boolean isHome = folder.bool("home", false);
        if (isHome == path.isPresent()) {
            throw UnitErrors.of("BadUnitSetting");
        }
        requireSettable(field, field);
        put(field, "s", (folder.bool("missingOK", false) ? "-" : "") + path.orElse("~"));
    }

    private void putCommands(String field, List<Json> commands) {
        boolean hasFlags = settable.containsKey(field + "Ex");
        requireSettable(field, hasFlags ? field + "Ex" : field);
        List<Struct> all = new ArrayList<>();
        for (Json each : commands) {
            JsonObject command = each.asObject();
            String path = command.string("path");
            if (path.isEmpty()) {
                throw UnitErrors.of("BadUnitSetting");
            }
            List<String> arguments =
                    command.optionalStrings("arguments")
                            .filter(words -> !words.isEmpty())
                            .orElse(List.of(path));
            List<String> flags =
                    COMMAND_FLAGS.entrySet().stream()
                            .filter(flag -> command.bool(flag.getKey(), false))
                            .map(Map.Entry::getValue)
                            .toList();
            if (!hasFlags && !List.of("ignore-failure").containsAll(flags)) {
                throw UnitErrors.propertyNotSupported(field);
            }
            all.add(Struct.of(path, arguments, hasFlags ? flags : !flags.isEmpty()));
        }
        put(hasFlags ? field + "Ex" : field, hasFlags ? "a(sasas)" : "a(sasb)", all);
    }

    private void putTimers(String field, List<Json> timers) {
        requireSettable(field, "TimersMonotonic");
        List<Struct> spans = new ArrayList<>();
        List<Struct> dates = new ArrayList<>();
        for (Json each : timers) {
            JsonObject timer = each.asObject();
            String base = timer.string("base");
            boolean isDate = base.equals("OnCalendar");
            if (isDate != timer.find("calendar").isPresent()
                    || isDate == timer.find("usec").isPresent()) {
                throw UnitErrors.of("BadUnitSetting");
            }
            if (isDate) {
                dates.add(Struct.of(base, timer.string("calendar")));
            } else {
                spans.add(Struct.of(base, within(timer.integer("usec"), 0, Long.MAX_VALUE)));
            }
        }
        if (!spans.isEmpty()) {
            put("TimersMonotonic", "a(st)", spans);
        }
        if (!dates.isEmpty()) {
            put("TimersCalendar", "a(ss)", dates);
        }
    }
}
