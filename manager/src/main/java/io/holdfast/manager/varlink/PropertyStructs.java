package io.holdfast.manager.varlink;

import io.holdfast.core.Signal;
import io.holdfast.core.process.ProcessId;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.idl.tree.Definition;
import io.holdfast.varlink.idl.tree.Type;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Writes properties as they are on D-Bus as the structs of an interface definition. A field has the
 * value of the property of its name, in the type that the definition gives it:
 *
 * <ul>
 *   <li>the word of an enum has underscores where D-Bus has dashes or {@code +};
 *   <li>a string is that string, bytes in base64, or the name of the signal of that number;
 *   <li>the members of a D-Bus struct are the fields of a struct in their order;
 *   <li>an empty string or list, infinity and a value that means "not set" are left out.
 * </ul>
 *
 * <p>The definition therefore is the list of what is shown. The fields that have no single
 * property, or one of another form, are those of {@link #FIELDS} and {@link #STRUCTS}.
 */
final class PropertyStructs {
    /** Reads a field from the properties; returns null if it has no value. */
    private interface Reader {
        @Nullable Json read(String field, Map<String, Variant> properties);
    }

    /** The names of the structs that belong to one type of unit. */
    static final Set<String> SECTIONS =
            Stream.of(UnitType.values()).map(UnitType::section).collect(Collectors.toSet());

    /** The properties whose fields have another name. */
    static final Map<String, String> NAMES =
            Map.of(
                    "UnitContext.ID", "Id",
                    "CGroupRuntime.Path", "ControlGroup",
                    "ExecContext.ImportCredential", "ImportCredentialEx");

    private static final long NO_ID = 0xFFFFFFFFL; // (uid_t) -1
    private static final long NO_SIZE = 0xFFFF; // UINT16_MAX

    /** The numbers that mean "not set", beside infinity. */
    private static final Map<String, Long> UNSET =
            Map.ofEntries(
                    Map.entry("UID", NO_ID),
                    Map.entry("GID", NO_ID),
                    Map.entry("TTYRows", NO_SIZE),
                    Map.entry("TTYColumns", NO_SIZE),
                    Map.entry("Priority", -1L),
                    Map.entry("IPTOS", -1L),
                    Map.entry("IPTTL", -1L),
                    Map.entry("Mark", -1L),
                    Map.entry("MemoryMin", 0L),
                    Map.entry("MemoryLow", 0L),
                    Map.entry("NextElapseUSecRealtime", 0L),
                    Map.entry("NextElapseUSecMonotonic", 0L));

    private static final Map<String, Reader> FIELDS =
            Map.of(
                    "UnitContext.Type", (_, all) -> typeOf(text(all, "Id")),
                    "UnitContext.Names", (_, all) -> aliases(all),
                    "UnitRuntime.JobId", (_, all) -> jobId(all),
                    "UnitRuntime.InvocationID", (_, all) -> invocation(all));

    private static final Map<String, Reader> STRUCTS =
            Map.of(
                    "Timestamp", PropertyStructs::timestamp,
                    "RateLimit", PropertyStructs::rateLimit,
                    "CGroupTasksMax", PropertyStructs::tasks,
                    "EmergencyAction", PropertyStructs::action,
                    "WorkingDirectory", PropertyStructs::workingDirectory,
                    "ExecCommand", PropertyStructs::commands,
                    "TimerSpec", PropertyStructs::timers,
                    "ResourceLimitTable", PropertyStructs::limits);

    private final Map<String, Type.Composite> types;

    PropertyStructs(Interface definition) {
        types = types(definition);
    }

    /** Returns the types of a definition by name. */
    static Map<String, Type.Composite> types(Interface definition) {
        return Definition.of(definition).members().stream()
                .filter(Definition.NamedType.class::isInstance)
                .map(Definition.NamedType.class::cast)
                .collect(Collectors.toMap(Definition.NamedType::name, Definition.NamedType::type));
    }

    /**
     * Returns a struct of the definition with the values of the properties.
     *
     * @param struct the name of the type
     * @param section the section of the unit's type, such as {@code Service}: of the structs that
     *     belong to one type, only its own are filled
     * @param processes the processes of the properties that are a PID
     */
    JsonObject write(
            String struct,
            String section,
            Map<String, Variant> properties,
            Map<String, ProcessId> processes) {
        JsonObject.Builder json = JsonObject.builder();
        for (Type.Field field : fields(struct)) {
            Json value = field(struct, field, section, properties, processes);
            if (value != null) {
                json.put(field.name(), value);
            }
        }
        return json.build();
    }

    private List<Type.Field> fields(String struct) {
        return ((Type.Struct) named(struct)).fields();
    }

    private Type named(String name) {
        return Objects.requireNonNull(types.get(name)); // the definition is complete
    }

    private @Nullable Json field(
            String struct,
            Type.Field field,
            String section,
            Map<String, Variant> properties,
            Map<String, ProcessId> processes) {
        String name = field.name();
        Reader reader = FIELDS.get(struct + "." + name);
        String type = element(field.type());
        if (reader == null) {
            reader = STRUCTS.get(type);
        }
        if (reader != null) {
            return reader.read(name, properties);
        }
        if (type.equals("ProcessId")) {
            ProcessId process = processes.get(name);
            return process == null ? null : json(process);
        }
        if (type.endsWith("Context") || type.endsWith("Runtime")) {
            if (SECTIONS.contains(name) && !name.equals(section)) {
                return null;
            }
            JsonObject nested = write(type, section, properties, processes);
            return nested.isEmpty() ? null : nested;
        }
        Variant value = properties.get(NAMES.getOrDefault(struct + "." + name, name));
        return value == null || isUnset(name, value.value())
                ? null
                : value(field.type(), value.value());
    }

    /** Returns the name of a field's type, or of its elements; empty for a primitive type. */
    static String element(Type type) {
        return switch (type) {
            case Type.Nullable(Type inner) -> element(inner);
            case Type.Array(Type inner) -> element(inner);
            case Type.Reference(String name) -> name;
            default -> "";
        };
    }

    private static boolean isUnset(String field, Object value) {
        Long unset = UNSET.get(field);
        return unset != null && value instanceof Number number && unset == number.longValue();
    }

    // ---- values

    private @Nullable Json value(Type type, Object value) {
        return switch (type) {
            case Type.Nullable(Type inner) -> isEmpty(value) ? null : value(inner, value);
            case Type.Reference(String name) -> value(named(name), value);
            case Type.Primitive primitive -> primitive(primitive, value);
            case Type.Enumeration words -> word(words, (String) value);
            case Type.Array(Type element) -> array(element, value);
            case Type.Struct struct -> struct(struct, members(value));
            case Type.Mapping _ -> throw new IllegalArgumentException("no property is a map");
        };
    }

    private static boolean isEmpty(Object value) {
        return switch (value) {
            case String text -> text.isEmpty();
            case byte[] bytes -> bytes.length == 0;
            case Long number -> number == -1; // infinity, or not set
            case List<?> list -> list.isEmpty() || list.stream().allMatch(List.of()::equals);
            // neither allows nor denies anything
            case Struct struct -> struct.members().equals(List.of(false, List.of()));
            default -> false;
        };
    }

    private static Json primitive(Type.Primitive type, Object value) {
        return switch (type) {
            case BOOL -> Json.of((Boolean) value);
            case INT ->
                    Json.of(
                            value instanceof Byte number
                                    ? Byte.toUnsignedInt(number)
                                    : ((Number) value).longValue());
            case FLOAT -> Json.of((Double) value);
            case STRING ->
                    switch (value) {
                        case byte[] bytes -> Json.of(Base64.getEncoder().encodeToString(bytes));
                        case Integer signal -> Json.of(new Signal(signal).name());
                        default -> Json.of((String) value);
                    };
            case OBJECT, ANY -> throw new IllegalArgumentException("no property is an object");
        };
    }

    private static @Nullable Json word(Type.Enumeration words, String value) {
        String word = value.replace('-', '_').replace('+', '_');
        return words.values().stream().anyMatch(each -> each.name().equals(word))
                ? Json.of(word)
                : null;
    }

    private Json array(Type element, Object value) {
        List<Json> elements = new ArrayList<>();
        if (value instanceof byte[] bytes) {
            for (byte b : bytes) {
                elements.add(Json.of(Byte.toUnsignedInt(b)));
            }
            return Json.array(elements);
        }
        for (Object each : (List<?>) value) {
            Json json = value(element, each);
            if (json != null) {
                elements.add(json);
            }
        }
        return Json.array(elements);
    }

    private static List<?> members(Object value) {
        return value instanceof Struct struct ? struct.members() : (List<?>) value;
    }

    private JsonObject struct(Type.Struct type, List<?> members) {
        JsonObject.Builder json = JsonObject.builder();
        for (int i = 0; i < Math.min(type.fields().size(), members.size()); i++) {
            Json value = value(type.fields().get(i).type(), members.get(i));
            if (value != null) {
                json.put(type.fields().get(i).name(), value);
            }
        }
        return json.build();
    }

    // ---- fields that are more than one property, or one of another form

    static JsonObject json(ProcessId id) {
        return JsonObject.builder()
                .put("pid", id.pid())
                .putIfPresent("pidfdId", id.pidfdId())
                .putIfPresent("bootId", id.bootId().map(UUID::toString))
                .build();
    }

    private static String text(Map<String, Variant> properties, String name) {
        Variant value = properties.get(name);
        return value == null ? "" : (String) value.value();
    }

    private static long number(Map<String, Variant> properties, String name, long otherwise) {
        Variant value = properties.get(name);
        return value == null ? otherwise : ((Number) value.value()).longValue();
    }

    private static List<?> list(Map<String, Variant> properties, String name) {
        Variant value = properties.get(name);
        return value == null ? List.of() : (List<?>) value.value();
    }

    private static @Nullable Json nonEmpty(List<Json> list) {
        return list.isEmpty() ? null : Json.array(list);
    }

    private static Json typeOf(String unit) {
        return Json.of(unit.substring(unit.lastIndexOf('.') + 1));
    }

    private static @Nullable Json aliases(Map<String, Variant> properties) {
        String id = text(properties, "Id");
        return nonEmpty(
                list(properties, "Names").stream()
                        .filter(name -> !name.equals(id))
                        .map(name -> Json.of((String) name))
                        .toList());
    }

    private static @Nullable Json jobId(Map<String, Variant> properties) {
        Variant job = properties.get("Job");
        long id = job == null ? 0 : ((Number) members(job.value()).getFirst()).longValue();
        return id == 0 ? null : Json.of(id);
    }

    private static @Nullable Json invocation(Map<String, Variant> properties) {
        Variant value = properties.get("InvocationID");
        String hex = value == null ? "" : HexFormat.of().formatHex((byte[]) value.value());
        return hex.isEmpty()
                ? null
                : Json.of(hex.replaceFirst("(.{8})(.{4})(.{4})(.{4})(.{12})", "$1-$2-$3-$4-$5"));
    }

    private static @Nullable Json timestamp(String field, Map<String, Variant> properties) {
        long realtime = number(properties, field, 0);
        return realtime == 0
                ? null
                : JsonObject.builder()
                        .put("realtime", realtime)
                        .put("monotonic", number(properties, field + "Monotonic", 0))
                        .build();
    }

    private static @Nullable Json rateLimit(String field, Map<String, Variant> properties) {
        long interval = number(properties, field + "IntervalUSec", 0);
        long burst = number(properties, field + "Burst", 0);
        if (interval == 0 || burst == 0) {
            return null;
        }
        JsonObject.Builder limit = JsonObject.builder();
        if (interval != -1) {
            limit.put("intervalUSec", interval);
        }
        return limit.put("burst", burst).build();
    }

    private static @Nullable Json tasks(String field, Map<String, Variant> properties) {
        long tasks = number(properties, field, -1);
        return tasks == -1
                ? null
                : JsonObject.builder().put("value", tasks).put("scale", 0).build();
    }

    private static @Nullable Json action(String field, Map<String, Variant> properties) {
        String word = text(properties, field);
        return word.isEmpty() || word.equals("none") ? null : Json.of(word.replace('-', '_'));
    }

    private static @Nullable Json workingDirectory(String field, Map<String, Variant> properties) {
        String text = text(properties, field);
        if (text.isEmpty()) {
            return null;
        }
        boolean optional = text.startsWith("!");
        String path = optional ? text.substring(1) : text;
        JsonObject.Builder folder = JsonObject.builder();
        if (path.equals("~")) {
            folder.put("home", true);
        } else {
            folder.put("path", path);
        }
        return folder.put("missingOK", optional).build();
    }

    /** Reads commands from the property with flags, if there is one. */
    private static @Nullable Json commands(String field, Map<String, Variant> properties) {
        boolean hasFlags = properties.containsKey(field + "Ex");
        List<Json> commands = new ArrayList<>();
        for (Object each : list(properties, hasFlags ? field + "Ex" : field)) {
            List<?> command = members(each);
            List<?> flags =
                    hasFlags
                            ? (List<?>) command.get(2)
                            : Boolean.TRUE.equals(command.get(2))
                                    ? List.of("ignore-failure")
                                    : List.of();
            JsonObject.Builder json =
                    JsonObject.builder()
                            .put("path", (String) command.get(0))
                            .putStrings("arguments", strings((List<?>) command.get(1)));
            ContextProperties.COMMAND_FLAGS.forEach((name, flag) -> {
                if (flags.contains(flag)) {
                    json.put(name, true);
                }
            });
            commands.add(json.build());
        }
        return nonEmpty(commands);
    }

    private static List<String> strings(List<?> list) {
        return list.stream().map(String.class::cast).toList();
    }

    private static @Nullable Json timers(String field, Map<String, Variant> properties) {
        List<Json> timers = new ArrayList<>();
        for (Object each : list(properties, "TimersMonotonic")) {
            JsonObject.Builder timer = JsonObject.builder().put("base", base(each));
            long span = ((Number) members(each).get(1)).longValue();
            if (span != -1) {
                timer.put("usec", span);
            }
            timers.add(timer.build());
        }
        for (Object each : list(properties, "TimersCalendar")) {
            timers.add(
                    JsonObject.builder()
                            .put("base", base(each))
                            .put("calendar", (String) members(each).get(1))
                            .build());
        }
        Collections.reverse(timers); // D-Bus has the last one first
        return nonEmpty(timers);
    }

    private static String base(Object timer) {
        return (String) members(timer).getFirst();
    }

    /** Reads a table of limits: properties that begin with the name of the field, without its s. */
    private static Json limits(String field, Map<String, Variant> properties) {
        String prefix = field.substring(0, field.length() - 1);
        JsonObject.Builder table = JsonObject.builder();
        for (String name : properties.keySet()) {
            if (name.startsWith(prefix) && properties.containsKey(name + "Soft")) {
                JsonObject.Builder limit = JsonObject.builder();
                putLimit(limit, "soft", number(properties, name + "Soft", -1));
                putLimit(limit, "hard", number(properties, name, -1));
                JsonObject both = limit.build();
                if (!both.isEmpty()) {
                    table.put(name.substring(prefix.length()), both);
                }
            }
        }
        return table.build();
    }

    private static void putLimit(JsonObject.Builder limit, String name, long value) {
        if (value != -1) {
            limit.put(name, value);
        }
    }
}
