package io.holdfast.dbus.generate;

import io.holdfast.dbus.BusInterface.Change;
import io.holdfast.dbus.generate.IntrospectedInterface.Argument;
import io.holdfast.dbus.generate.IntrospectedInterface.Method;
import io.holdfast.dbus.generate.IntrospectedInterface.Notes;
import io.holdfast.dbus.generate.IntrospectedInterface.Property;
import io.holdfast.dbus.generate.IntrospectedInterface.Signal;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Generates the Java source of one interface. */
final class InterfaceSource {
    /** The types that the source may mention: no generated type may have such a name. */
    static final Set<String> MENTIONED =
            Set.of(
                    ("BigInteger Boolean BusInterface Byte DBusName DBusSignal Deprecated Double Fd"
                                    + " Integer List Long Map NoReply Object ObjectPath Outputs"
                                    + " Override Property Record Short Signature String Variant"
                                    + " Wire")
                            .split(" "));

    private static final String TYPED = "io.holdfast.dbus.typed.";
    private static final String INDENT = "    ";

    private final IntrospectedInterface described;
    private final String packageName;
    private final String name;
    private final Set<String> types;
    private final Set<String> methods = new HashSet<>();
    private final JavaTypes javaTypes;
    private final List<OutputRecord> outputs = new ArrayList<>();
    private final StringBuilder body = new StringBuilder();

    /** A record of several outputs of a method. */
    private record OutputRecord(String name, Method method) {}

    /**
     * @param name the simple name of the Java interface
     */
    InterfaceSource(IntrospectedInterface described, String packageName, String name) {
        this.described = described;
        this.packageName = packageName;
        this.name = name;
        this.types = new HashSet<>(MENTIONED);
        this.types.add(name);
        this.javaTypes = new JavaTypes(types);
    }

    String text() {
        described.signals().forEach(this::addSignal); // the signals take their names first
        String signals = body.toString();
        body.setLength(0);
        described.methods().forEach(this::addMethod);
        described.properties().forEach(this::addProperty);
        outputs.forEach(this::addOutputs);
        body.append(signals);
        javaTypes.records().forEach(this::addRecord);

        StringBuilder head = new StringBuilder();
        new JavadocComment()
                .add("The D-Bus interface {@code " + described.name() + "}.")
                .quote(described.notes().documentation())
                .add("Generated from its introspection data.")
                .write(head, "", List.of());
        deprecated(head, "", described.notes());
        named(head, "", packageName + "." + name, described.name());
        StringBuilder source = new StringBuilder("package " + packageName + ";\n\n");
        javaTypes.imports().forEach(each -> source.append("import " + each + ";\n"));
        source.append(javaTypes.imports().isEmpty() ? "" : "\n").append(head);
        source.append("public interface " + name + " {\n");
        return source.append(body.isEmpty() ? "" : body.substring(1)).append("}\n").toString();
    }

    // Methods

    private void addMethod(Method method) {
        String javaName = JavaNames.free(JavaNames.method(method.name()), methods);
        List<String> tags = new ArrayList<>();
        List<String> parameters =
                arguments(method.in(), JavaNames.capital(method.name()), "@param", tags);
        String result = result(method, tags);
        begin(
                new JavadocComment()
                        .add("The method {@code " + method.name() + "}.")
                        .quote(method.notes().documentation()),
                tags,
                method.notes());
        named(body, INDENT, JavaNames.capital(javaName), method.name());
        if (method.noReply()) {
            body.append(INDENT + "@" + javaTypes.use(TYPED + "NoReply") + "\n");
        }
        body.append(
                INDENT + result + " " + javaName + "(" + String.join(", ", parameters) + ");\n");
    }

    private String result(Method method, List<String> tags) {
        return switch (method.out().size()) {
            case 0 -> "void";
            case 1 -> {
                Argument only = method.out().getFirst();
                tags.add("@return " + documentationOf(only, nameOf(only)));
                yield javaTypes.value(only.type(), JavaNames.capital(method.name()) + "Result");
            }
            default -> {
                String record = JavaNames.free(JavaNames.capital(method.name()) + "Outputs", types);
                tags.add("@return the outputs");
                outputs.add(new OutputRecord(record, method));
                yield record;
            }
        };
    }

    private void addOutputs(OutputRecord record) {
        List<String> tags = new ArrayList<>();
        List<String> components = arguments(record.method().out(), record.name(), "@param", tags);
        begin(
                new JavadocComment().add("The outputs of {@code " + record.method().name() + "}."),
                tags,
                Notes.NONE);
        record(record.name(), components, javaTypes.use(TYPED + "Outputs"));
    }

    /**
     * Returns the declarations of parameters or components, as {@code long seconds}, and adds a tag
     * for each.
     *
     * @param struct the prefix for the names of structs in them, before the name of the argument
     */
    private List<String> arguments(
            List<Argument> arguments, String struct, String tag, List<String> tags) {
        List<String> declared = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (Argument argument : arguments) {
            String javaName =
                    JavaNames.free(JavaNames.argument(argument.name(), declared.size()), names);
            String type = javaTypes.value(argument.type(), struct + JavaNames.capital(javaName));
            declared.add(type + " " + javaName);
            tags.add(
                    tag
                            + " "
                            + javaName
                            + " "
                            + documentationOf(
                                    argument, "the type {@code " + argument.type() + "}"));
        }
        return declared;
    }

    private static String nameOf(Argument output) {
        String name = JavadocComment.escaped(output.name());
        return name.isEmpty() ? "the result" : name;
    }

    /** Returns the text of an argument's tag. */
    private static String documentationOf(Argument argument, String otherwise) {
        String text = JavadocComment.escaped(argument.notes().documentation());
        return text.isEmpty() ? otherwise : text;
    }

    // Properties

    private void addProperty(Property property) {
        if (property.type().toString().indexOf('h') >= 0) {
            return; // the typed package has no properties with descriptors
        }
        String javaName = JavaNames.method(property.name());
        javaName = methods.contains(javaName) ? javaName + "Property" : javaName;
        javaName = JavaNames.free(javaName, methods);
        String type =
                javaTypes.value(property.type(), JavaNames.capital(property.name()) + "Value");
        String about = "the property {@code " + property.name() + "}.";
        if (property.readable()) {
            begin(
                    new JavadocComment()
                            .add("Reads " + about)
                            .quote(property.notes().documentation()),
                    List.of("@return the value"),
                    property.notes());
            annotate(property, javaName, true);
            body.append(INDENT + type + " " + javaName + "();\n");
        }
        if (property.writable()) {
            begin(
                    new JavadocComment().add("Sets " + about),
                    List.of("@param value the value"),
                    property.notes());
            annotate(property, javaName, false);
            body.append(INDENT + "void " + javaName + "(" + type + " value);\n");
        }
    }

    private void annotate(Property property, String javaName, boolean reads) {
        body.append(INDENT + "@" + javaTypes.use(TYPED + "Property"));
        if (reads && property.change() != Change.VALUE) {
            body.append("(" + javaTypes.use("io.holdfast.dbus.BusInterface"));
            body.append(".Change." + property.change() + ")");
        }
        body.append("\n");
        named(body, INDENT, JavaNames.capital(javaName), property.name());
    }

    // Records

    private void addSignal(Signal signal) {
        String record = JavaNames.free(JavaNames.type(signal.name()), types);
        List<String> tags = new ArrayList<>();
        List<String> components = arguments(signal.arguments(), record, "@param", tags);
        begin(
                new JavadocComment()
                        .add("The signal {@code " + signal.name() + "}.")
                        .quote(signal.notes().documentation()),
                tags,
                signal.notes());
        named(body, INDENT, record, signal.name());
        record(record, components, javaTypes.use(TYPED + "DBusSignal"));
    }

    private void addRecord(JavaTypes.StructRecord record) {
        List<String> tags = new ArrayList<>();
        for (String component : record.components()) {
            tags.add("@param " + component.substring(component.lastIndexOf(' ') + 1) + " a member");
        }
        begin(new JavadocComment().add("A struct."), tags, Notes.NONE);
        record(record.name(), record.components(), "");
    }

    private void record(String record, List<String> components, String kind) {
        String list = String.join(", ", components);
        body.append(INDENT + "record " + record + "(" + list + ")");
        body.append(kind.isEmpty() ? " {}\n" : " implements " + kind + " {}\n");
    }

    // Common parts

    private void begin(JavadocComment documentation, List<String> tags, Notes notes) {
        body.append("\n");
        documentation.write(body, INDENT, tags);
        deprecated(body, INDENT, notes);
    }

    private static void deprecated(StringBuilder out, String indent, Notes notes) {
        if (notes.deprecated()) {
            out.append(indent).append("@Deprecated\n");
        }
    }

    /** Adds the D-Bus name where it does not follow from the Java name. */
    private void named(StringBuilder out, String indent, String defaultName, String dbus) {
        if (!defaultName.equals(dbus)) {
            String annotation = javaTypes.use(TYPED + "DBusName");
            out.append(indent).append("@" + annotation + "(\"" + dbus + "\")\n");
        }
    }
}
