package io.holdfast.varlink.idl.tree;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** A type of an interface definition. */
public sealed interface Type {
    /** The greatest depth of nested types, counted from a member's fields. */
    int MAX_DEPTH = 64;

    /** The built-in types. */
    enum Primitive implements Type {
        /** A boolean. */
        BOOL,
        /** A whole number of 64 bits. */
        INT,
        /** A number. */
        FLOAT,
        /** A string. */
        STRING,
        /** Any JSON object. */
        OBJECT,
        /** Any JSON value but null; needs a systemd newer than 257. */
        ANY;

        private final String word = name().toLowerCase(Locale.ROOT);

        /** {@return the word for the type in a definition} */
        public String word() {
            return word;
        }
    }

    /** A type defined by name in the same interface. */
    record Reference(String name) implements Type {
        /**
         * Checks the name.
         *
         * @throws IllegalArgumentException if that is no valid type name
         */
        public Reference {
            IdlNames.require(IdlNames.isMember(name), "a type", name);
        }
    }

    /** An enum: one of some words; a string on the wire. */
    record Enumeration(List<Value> values) implements Composite {
        /**
         * Checks and copies the values.
         *
         * @throws IllegalArgumentException if there is no value, or a value occurs twice
         */
        public Enumeration {
            values = List.copyOf(values);
            if (values.isEmpty()) {
                throw new IllegalArgumentException("an enum needs a value");
            }
            requireUnique(values.stream().map(Value::name).toList(), "value");
        }

        boolean contains(String name) {
            return values.stream().anyMatch(value -> value.name().equals(name));
        }
    }

    /**
     * A word of an enum.
     *
     * @param documentation the comment in front of it
     */
    record Value(Documentation documentation, String name) {
        /**
         * Checks the name.
         *
         * @throws IllegalArgumentException if that is no valid name of a value
         */
        public Value {
            IdlNames.require(IdlNames.isField(name), "a value", name);
        }
    }

    /** A struct of named fields; a JSON object on the wire. */
    record Struct(List<Field> fields) implements Composite {
        /** The struct without fields, of a method without parameters or results. */
        public static final Struct EMPTY = new Struct(List.of());

        /**
         * Checks and copies the fields.
         *
         * @throws IllegalArgumentException if a field occurs twice
         */
        public Struct {
            fields = List.copyOf(fields);
            requireUnique(fields.stream().map(Field::name).toList(), "field");
        }
    }

    /**
     * A field of a struct.
     *
     * @param documentation the comment in front of it
     */
    record Field(Documentation documentation, String name, Type type) {
        /**
         * Checks the name.
         *
         * @throws IllegalArgumentException if that is no valid field name
         */
        public Field {
            IdlNames.require(IdlNames.isField(name), "a field", name);
        }
    }

    /** A type that a definition can name: an enum or a struct. */
    sealed interface Composite extends Type permits Enumeration, Struct {}

    /**
     * An array: {@code []T}.
     *
     * @param element the type of the elements
     */
    record Array(Type element) implements Type {}

    /** A map, {@code [string]T}: an object with any keys, whose values all have one type. */
    record Mapping(Type value) implements Type {}

    /** A nullable type, {@code ?T}: the value may be null or absent. */
    record Nullable(Type type) implements Type {
        /**
         * Checks the type.
         *
         * @throws IllegalArgumentException if the type is nullable already
         */
        public Nullable {
            if (type instanceof Nullable) {
                throw new IllegalArgumentException("a type is nullable once");
            }
        }
    }

    private static void requireUnique(List<String> names, String what) {
        Set<String> seen = new HashSet<>();
        for (String name : names) {
            if (!seen.add(name)) {
                throw new IllegalArgumentException(what + " \"" + name + "\" is defined twice");
            }
        }
    }
}
