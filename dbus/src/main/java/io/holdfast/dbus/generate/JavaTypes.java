package io.holdfast.dbus.generate;

import io.holdfast.dbus.wire.Signature;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** The Java types of D-Bus types, within one interface: with the records for its structs. */
final class JavaTypes {
    private static final String WIRE = "io.holdfast.dbus.wire.";

    private final Set<String> taken;
    private final Set<String> imports = new TreeSet<>();
    private final List<StructRecord> records = new ArrayList<>();

    /**
     * A record for a struct.
     *
     * @param components the components, as {@code long component1}
     */
    record StructRecord(String name, List<String> components) {}

    /**
     * @param taken the names of types that are in use; the records for structs are added
     */
    JavaTypes(Set<String> taken) {
        this.taken = taken;
    }

    /** Returns the types that must be imported. */
    Set<String> imports() {
        return imports;
    }

    /** Returns the records for all structs so far. */
    List<StructRecord> records() {
        return records;
    }

    /** Imports a type, and returns its simple name. */
    String use(String fullName) {
        imports.add(fullName);
        return fullName.substring(fullName.lastIndexOf('.') + 1);
    }

    /**
     * Returns the Java type of a value.
     *
     * @param struct the name for a struct in it
     */
    String value(Signature type, String struct) {
        return of(type, struct, false);
    }

    private String of(Signature type, String struct, boolean boxed) {
        SignatureParts parts = SignatureParts.of(type);
        return switch (parts.kind()) {
            case BASIC -> basic(type.toString(), boxed);
            case BYTES -> "byte[]";
            case ARRAY ->
                    use("java.util.List") + "<" + of(parts.inner().getFirst(), struct, true) + ">";
            case MAP ->
                    use("java.util.Map")
                            + "<"
                            + of(parts.inner().getFirst(), struct, true)
                            + ", "
                            + of(parts.inner().getLast(), struct, true)
                            + ">";
            case STRUCT -> struct(parts.inner(), struct);
        };
    }

    private String struct(List<Signature> members, String wanted) {
        String name = JavaNames.free(JavaNames.type(wanted), taken);
        List<String> components = new ArrayList<>();
        for (Signature member : members) {
            String component = "member" + (components.size() + 1);
            components.add(
                    of(member, name + JavaNames.capital(component), false) + " " + component);
        }
        records.add(new StructRecord(name, components));
        return name;
    }

    private String basic(String code, boolean boxed) {
        return switch (code) {
            case "b" -> boxed ? "Boolean" : "boolean";
            case "y" -> boxed ? "Byte" : "byte";
            case "n" -> boxed ? "Short" : "short";
            case "i" -> boxed ? "Integer" : "int";
            case "x" -> boxed ? "Long" : "long";
            case "d" -> boxed ? "Double" : "double";
            case "q" -> wire(code) + (boxed ? "Integer" : "int");
            case "u" -> wire(code) + (boxed ? "Long" : "long");
            case "t" -> wire(code) + use("java.math.BigInteger");
            case "s" -> "String";
            case "o" -> use(WIRE + "ObjectPath");
            case "g" -> use(WIRE + "Signature");
            case "h" -> use("io.holdfast.core.Fd");
            case "v" -> use(WIRE + "Variant");
            default -> throw new AssertionError(code);
        };
    }

    private String wire(String code) {
        return "@" + use("io.holdfast.dbus.typed.Wire") + "(\"" + code + "\") ";
    }
}
