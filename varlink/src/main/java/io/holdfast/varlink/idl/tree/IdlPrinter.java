package io.holdfast.varlink.idl.tree;

import com.google.errorprone.annotations.CanIgnoreReturnValue;

/**
 * Prints an {@link Definition} as text: one field per line, comments in front of what they
 * document.
 */
final class IdlPrinter {
    private static final String INDENT = "    ";

    private final StringBuilder out = new StringBuilder();

    String print(Definition definition) {
        documentation(definition.documentation(), 0);
        out.append("interface ").append(definition.name()).append('\n');
        for (Definition.Member member : definition.members()) {
            out.append('\n');
            documentation(member.documentation(), 0);
            switch (member) {
                case Definition.NamedType(_, String name, Type.Composite type) -> {
                    out.append("type ").append(name).append(' ');
                    type(type, 0);
                }
                case Definition.Method(_, String name, Type.Struct input, Type.Struct output) -> {
                    out.append("method ").append(name);
                    type(input, 0);
                    out.append(" -> ");
                    type(output, 0);
                }
                case Definition.NamedError(_, String name, Type.Struct parameters) -> {
                    out.append("error ").append(name).append(' ');
                    type(parameters, 0);
                }
            }
            out.append('\n');
        }
        return out.toString();
    }

    private void type(Type type, int depth) {
        switch (type) {
            case Type.Primitive primitive -> out.append(primitive.word());
            case Type.Reference(String name) -> out.append(name);
            case Type.Nullable(Type inner) -> {
                out.append('?');
                type(inner, depth);
            }
            case Type.Array(Type element) -> {
                out.append("[]");
                type(element, depth);
            }
            case Type.Mapping(Type value) -> {
                out.append("[string]");
                type(value, depth);
            }
            case Type.Enumeration enumeration -> {
                String separator = "(\n";
                for (Type.Value value : enumeration.values()) {
                    out.append(separator);
                    documentation(value.documentation(), depth + 1);
                    indent(depth + 1).append(value.name());
                    separator = ",\n";
                }
                close(depth);
            }
            case Type.Struct struct -> {
                if (struct.fields().isEmpty()) {
                    out.append("()");
                    return;
                }
                String separator = "(\n";
                for (Type.Field field : struct.fields()) {
                    out.append(separator);
                    documentation(field.documentation(), depth + 1);
                    indent(depth + 1).append(field.name()).append(": ");
                    type(field.type(), depth + 1);
                    separator = ",\n";
                }
                close(depth);
            }
        }
    }

    private void close(int depth) {
        out.append('\n');
        indent(depth).append(')');
    }

    private void documentation(Documentation documentation, int depth) {
        for (String line : documentation.lines()) {
            indent(depth).append(line.isEmpty() ? "#" : "# ").append(line).append('\n');
        }
    }

    @CanIgnoreReturnValue
    private StringBuilder indent(int depth) {
        return out.repeat(INDENT, depth);
    }
}
