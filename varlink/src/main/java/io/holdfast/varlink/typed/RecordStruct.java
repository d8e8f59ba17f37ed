package io.holdfast.varlink.typed;

import io.holdfast.varlink.idl.tree.Documentation;
import io.holdfast.varlink.idl.tree.Type;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.typed.Conversion.UnfitException;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A record as a struct: the parameters of a call or reply, or a named type. */
final class RecordStruct {
    /** The parameters of a method that takes or returns nothing. */
    static final RecordStruct NONE = new RecordStruct(null, List.of());

    private record Field(String name, Method accessor, Conversion conversion) {}

    private final @Nullable Constructor<?> constructor;
    private final List<Field> fields;

    private RecordStruct(@Nullable Constructor<?> constructor, List<Field> fields) {
        this.constructor = constructor;
        this.fields = fields;
    }

    /**
     * Describes a record.
     *
     * @throws IllegalArgumentException if the record is not accessible, or a component has no
     *     Varlink type
     */
    static RecordStruct of(Class<?> type, Types types) {
        Types.requireAccessible(type);
        RecordComponent[] components = type.getRecordComponents();
        List<Field> fields = new ArrayList<>();
        for (RecordComponent component : components) {
            VarlinkName given = component.getAnnotation(VarlinkName.class);
            String name = given == null ? component.getName() : given.value();
            fields.add(
                    new Field(
                            name,
                            component.getAccessor(),
                            types.of(
                                    component.getGenericType(),
                                    type.getSimpleName() + "." + component.getName())));
        }
        try {
            return new RecordStruct(
                    type.getConstructor(
                            Arrays.stream(components)
                                    .map(RecordComponent::getType)
                                    .toArray(Class<?>[]::new)),
                    fields);
        } catch (NoSuchMethodException e) {
            throw new IllegalArgumentException(type.getName() + " has no public constructor", e);
        }
    }

    Type.Struct type() {
        return new Type.Struct(
                fields.stream()
                        .map(field ->
                                new Type.Field(
                                        Documentation.NONE,
                                        field.name(),
                                        field.conversion().type()))
                        .toList());
    }

    /** Converts a record; absent optional components are left out. */
    JsonObject toJson(Object value) {
        JsonObject.Builder object = JsonObject.builder();
        for (Field field : fields) {
            Json json =
                    Conversion.at(
                            field.name(),
                            field.conversion().toJson(),
                            component(field.accessor(), value));
            if (json != Json.Null.NULL) {
                object.put(field.name(), json);
            }
        }
        return object.build();
    }

    private static Object component(Method accessor, Object value) {
        try {
            return accessor.invoke(value);
        } catch (InvocationTargetException e) {
            throw new UnfitException("its accessor throws " + e.getCause());
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(accessor + " is not accessible any more", e);
        }
    }

    /** Makes the record of an object, whose unknown fields are ignored. */
    Object toJava(JsonObject object) {
        Map<String, Json> json = object.fields();
        Object[] values = new Object[fields.size()];
        for (int i = 0; i < values.length; i++) {
            Field field = fields.get(i);
            Json value = json.getOrDefault(field.name(), Json.Null.NULL);
            values[i] = Conversion.at(field.name(), field.conversion().toJava(), value);
        }
        if (constructor == null) {
            return object;
        }
        try {
            return constructor.newInstance(values);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            String why = e.getCause() == null ? null : e.getCause().getMessage();
            String type = constructor.getDeclaringClass().getSimpleName();
            throw new UnfitException("is refused by " + type + (why == null ? "" : ": " + why));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(constructor + " is not accessible any more", e);
        }
    }
}
