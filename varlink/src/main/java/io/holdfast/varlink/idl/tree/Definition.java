package io.holdfast.varlink.idl.tree;

import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.json.JsonObject;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The tree of an interface definition, immutable and consistent: names are well-formed and unique,
 * and every referenced type is defined. {@link #toString()} is its text, which {@link #parse} reads
 * back to an equal value.
 *
 * @param documentation the comment in front of {@code interface}
 * @param name the name, as {@code io.holdfast.Manager}
 * @param members the members in the order of the text
 */
public record Definition(Documentation documentation, String name, List<Member> members)
        implements Interface {
    /** A member of an interface: a type, a method or an error. */
    public sealed interface Member {
        /**
         * {@return the comment in front of the member; {@link Documentation#NONE} if there is none}
         */
        Documentation documentation();

        /** {@return the name within the interface, as {@code StartUnit}} */
        String name();
    }

    /**
     * A type: {@code type Name (…)}.
     *
     * @param documentation the comment in front of it
     * @param name the name, without that of the interface
     */
    public record NamedType(Documentation documentation, String name, Type.Composite type)
            implements Member {}

    /**
     * A method: {@code method Name(…) -> (…)}.
     *
     * @param documentation the comment in front of it
     * @param name the name, without that of the interface
     * @param input the parameters of a call
     * @param output the parameters of a reply
     */
    public record Method(
            Documentation documentation, String name, Type.Struct input, Type.Struct output)
            implements Member {}

    /**
     * An error: {@code error Name (…)}.
     *
     * @param documentation the comment in front of it
     * @param name the name, without that of the interface
     */
    public record NamedError(Documentation documentation, String name, Type.Struct parameters)
            implements Member {}

    /**
     * Checks the names and references.
     *
     * @throws IllegalArgumentException if a name is malformed or used twice, or a referenced type
     *     is not defined
     */
    public Definition {
        IdlNames.require(IdlNames.isInterface(name), "an interface", name);
        members = List.copyOf(members);
        Set<String> names = new HashSet<>();
        Set<String> types = new HashSet<>();
        for (Member member : members) {
            IdlNames.require(IdlNames.isMember(member.name()), "a member", member.name());
            if (!names.add(member.name())) {
                throw new IllegalArgumentException("\"" + member.name() + "\" is defined twice");
            }
            if (member instanceof NamedType) {
                types.add(member.name());
            }
        }
        for (Member member : members) {
            switch (member) {
                case NamedType type -> requireDefined(type.type(), types, 0);
                case NamedError error -> requireDefined(error.parameters(), types, 0);
                case Method method -> {
                    requireDefined(method.input(), types, 0);
                    requireDefined(method.output(), types, 0);
                }
            }
        }
    }

    private static void requireDefined(Type type, Set<String> types, int depth) {
        if (depth >= Type.MAX_DEPTH) {
            throw new IllegalArgumentException(
                    "types are nested deeper than the limit of " + Type.MAX_DEPTH);
        }
        switch (type) {
            case Type.Reference(String name) -> {
                if (!types.contains(name)) {
                    throw new IllegalArgumentException("type \"" + name + "\" is not defined");
                }
            }
            case Type.Struct(List<Type.Field> fields) ->
                    fields.forEach(field -> requireDefined(field.type(), types, depth + 1));
            case Type.Array(Type element) -> requireDefined(element, types, depth + 1);
            case Type.Mapping(Type value) -> requireDefined(value, types, depth + 1);
            case Type.Nullable(Type inner) -> requireDefined(inner, types, depth + 1);
            case Type.Primitive _, Type.Enumeration _ -> {}
        }
    }

    /**
     * Parses a definition.
     *
     * @return the interface
     * @throws io.holdfast.varlink.idl.IdlException if the text is no valid definition: with line,
     *     column and reason
     */
    public static Definition parse(String text) {
        return new IdlParser(text).parse();
    }

    /** {@return the definition of an interface} */
    public static Definition of(Interface described) {
        return (Definition) described;
    }

    /**
     * {@return the method with this name; empty if there is none}
     *
     * @param name the name, without that of the interface
     */
    public Optional<Method> method(String name) {
        return find(Method.class, name);
    }

    /**
     * {@return the type with this name; empty if there is none}
     *
     * @param name the name, without that of the interface
     */
    public Optional<NamedType> type(String name) {
        return find(NamedType.class, name);
    }

    /**
     * {@return the error with this name; empty if there is none}
     *
     * @param name the name, without that of the interface
     */
    public Optional<NamedError> error(String name) {
        return find(NamedError.class, name);
    }

    /** {@return all methods, in the order of the text} */
    public Stream<Method> methods() {
        return members.stream().filter(Method.class::isInstance).map(Method.class::cast);
    }

    @Override
    public Optional<String> checkInput(String method, JsonObject parameters) {
        return checkInput(defined(method), parameters).map(Mismatch::toString);
    }

    @Override
    public Optional<String> checkOutput(String method, JsonObject parameters) {
        return checkOutput(defined(method), parameters).map(Mismatch::toString);
    }

    private Method defined(String name) {
        return method(name)
                .orElseThrow(
                        () -> new IllegalArgumentException(this.name + " has no method " + name));
    }

    private <T extends Member> Optional<T> find(Class<T> kind, String name) {
        return members.stream()
                .filter(member -> member.name().equals(name) && kind.isInstance(member))
                .map(kind::cast)
                .findFirst();
    }

    /**
     * Compares a call's parameters with the method's definition: every field that is not nullable
     * must be present, every field must have its type, and none may be unknown.
     *
     * @param method a method of this interface
     * @return the first mismatch; empty if there is none
     */
    public Optional<Mismatch> checkInput(Method method, JsonObject parameters) {
        return Optional.ofNullable(new TypeCheck(this, false).mismatch(method.input(), parameters));
    }

    /**
     * Compares a reply with the method's definition, as a client should: unknown fields are
     * accepted, since they may come from a newer service.
     *
     * @param method a method of this interface
     * @return the first mismatch; empty if there is none
     */
    public Optional<Mismatch> checkOutput(Method method, JsonObject parameters) {
        return Optional.ofNullable(new TypeCheck(this, true).mismatch(method.output(), parameters));
    }

    /** Returns the text of the definition. */
    @Override
    public String toString() {
        return new IdlPrinter().print(this);
    }

    /**
     * A value that does not fit its type.
     *
     * @param parameter the top-level field, as {@code InvalidParameter} names it
     * @param place the exact place, as {@code units[3].name}
     * @param reason the reason, as {@code expected int, found string}
     */
    public record Mismatch(String parameter, String place, String reason) {
        @Override
        public String toString() {
            return place + ": " + reason;
        }
    }
}
