package io.holdfast.dbus.generate;

import io.holdfast.dbus.BusInterface.Change;
import io.holdfast.dbus.generate.IntrospectedInterface.Argument;
import io.holdfast.dbus.generate.IntrospectedInterface.Method;
import io.holdfast.dbus.generate.IntrospectedInterface.Property;
import io.holdfast.dbus.generate.IntrospectedInterface.Signal;
import io.holdfast.dbus.marshal.Syntax;
import io.holdfast.dbus.wire.Signature;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Reads introspection XML (D-Bus Specification, "Introspection Data Format"). The XML may be
 * hostile: its size and depth are bounded, nothing is fetched, and every name and type is checked.
 * Unknown elements are skipped with their children.
 *
 * <pre>{@code
 * List<IntrospectedInterface> all = IntrospectionReader.read("clock.xml", bytes);
 * }</pre>
 */
public final class IntrospectionReader {
    /** The largest size of a document in bytes. */
    public static final int MAX_SIZE = 4 << 20;

    /** The greatest number of arguments, or of members of a struct; within what Java allows. */
    static final int MAX_VALUES = 120;

    private static final String CHANGES = "org.freedesktop.DBus.Property.EmitsChangedSignal";
    private static final String NO_REPLY = "org.freedesktop.DBus.Method.NoReply";

    private final String source;
    private final Map<String, IntrospectedInterface> interfaces = new LinkedHashMap<>();

    private IntrospectionReader(String source) {
        this.source = source;
    }

    /**
     * Reads the interfaces of a document, including those of nested nodes.
     *
     * @param source the name of the document in error messages
     * @return the interfaces in their order, each once
     * @throws IntrospectionException if the document is too large, malformed, or describes
     *     something invalid in D-Bus: with the line
     */
    public static List<IntrospectedInterface> read(String source, byte[] bytes)
            throws IntrospectionException {
        IntrospectionReader reader = new IntrospectionReader(source);
        Element root = ElementReader.read(source, bytes);
        if (!root.name().equals("node")) {
            throw reader.error(
                    root, "introspection data is a <node>, and not a <" + root.name() + ">");
        }
        reader.node(root);
        return List.copyOf(reader.interfaces.values());
    }

    private IntrospectionException error(Element element, String reason) {
        return new IntrospectionException(source, element.line(), reason);
    }

    private void node(Element node) throws IntrospectionException {
        for (Element child : node.children()) {
            switch (child.name()) {
                case "node" -> node(child);
                case "interface" -> {
                    IntrospectedInterface read = ofInterface(child);
                    IntrospectedInterface other = interfaces.putIfAbsent(read.name(), read);
                    if (other != null && !other.equals(read)) {
                        throw error(child, "interface " + read.name() + " is defined twice");
                    }
                }
                default -> {}
            }
        }
    }

    private IntrospectedInterface ofInterface(Element element) throws IntrospectionException {
        String name = name(element, Syntax::isInterface);
        List<Method> methods = new ArrayList<>();
        List<Signal> signals = new ArrayList<>();
        List<Property> properties = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (Element child : element.children()) {
            switch (child.name()) {
                case "method" -> methods.add(method(child));
                case "signal" -> signals.add(signal(child));
                case "property" -> properties.add(property(child, element.annotation(CHANGES)));
                default -> {
                    continue;
                }
            }
            if (!names.add(child.name() + " " + child.attribute("name"))) {
                throw error(
                        child,
                        name
                                + " has the "
                                + child.name()
                                + " "
                                + child.attribute("name")
                                + " twice");
            }
        }
        return new IntrospectedInterface(name, element.notes(), methods, signals, properties);
    }

    private Method method(Element element) throws IntrospectionException {
        List<Argument> in = new ArrayList<>();
        List<Argument> out = new ArrayList<>();
        for (Element child : element.children()) {
            if (child.name().equals("arg")) {
                switch (child.attribute("direction")) {
                    case "", "in" -> in.add(argument(child));
                    case "out" -> out.add(argument(child));
                    default -> throw wrong(child, "direction", "in or out");
                }
            }
        }
        checkCount(element, in);
        checkCount(element, out);
        return new Method(
                name(element, Syntax::isMember),
                element.notes(),
                in,
                out,
                out.isEmpty() && element.annotation(NO_REPLY).equals("true"));
    }

    private Signal signal(Element element) throws IntrospectionException {
        List<Argument> arguments = new ArrayList<>();
        for (Element child : element.children()) {
            if (child.name().equals("arg")) {
                arguments.add(argument(child));
            }
        }
        checkCount(element, arguments);
        return new Signal(name(element, Syntax::isMember), element.notes(), arguments);
    }

    private Property property(Element element, String ofInterface) throws IntrospectionException {
        String access = element.attribute("access");
        if (!Set.of("read", "write", "readwrite").contains(access)) {
            throw wrong(element, "access", "read, write or readwrite");
        }
        String own = element.annotation(CHANGES);
        Change change =
                switch (own.isEmpty() ? ofInterface : own) {
                    case "", "true" -> Change.VALUE;
                    case "invalidates" -> Change.INVALIDATED;
                    case "const" -> Change.CONSTANT;
                    case "false" -> Change.SILENT;
                    default -> throw error(element, CHANGES + " is unknown: " + own + ofInterface);
                };
        return new Property(
                name(element, Syntax::isMember),
                element.notes(),
                type(element),
                access.startsWith("read"),
                access.endsWith("write"),
                change);
    }

    private Argument argument(Element element) throws IntrospectionException {
        return new Argument(element.attribute("name"), type(element), element.notes());
    }

    private Signature type(Element element) throws IntrospectionException {
        String text = element.attribute("type");
        Signature type;
        try {
            type = Signature.of(text);
        } catch (IllegalArgumentException e) {
            throw error(element, "the type of the " + element.name() + " is " + e.getMessage());
        }
        if (!type.isSingle()) {
            throw error(
                    element,
                    "the type of the " + element.name() + " is \"" + text + "\", and not one type");
        }
        if (longestStruct(type) > MAX_VALUES) {
            throw error(element, "a struct of more than " + MAX_VALUES + " members");
        }
        return type;
    }

    private static int longestStruct(Signature type) {
        SignatureParts parts = SignatureParts.of(type);
        int longest = parts.kind() == SignatureParts.Kind.STRUCT ? parts.inner().size() : 0;
        for (Signature inner : parts.inner()) {
            longest = Math.max(longest, longestStruct(inner));
        }
        return longest;
    }

    private void checkCount(Element element, List<Argument> arguments)
            throws IntrospectionException {
        if (arguments.size() > MAX_VALUES) {
            throw error(element, "more than " + MAX_VALUES + " arguments");
        }
    }

    private String name(Element element, Predicate<String> isName) throws IntrospectionException {
        String name = element.attribute("name");
        if (!isName.test(name)) {
            throw error(element, "no name of a D-Bus " + element.name() + ": \"" + name + "\"");
        }
        return name;
    }

    private IntrospectionException wrong(Element element, String attribute, String right) {
        return error(
                element,
                "%s of the %s %s is %s, and not \"%s\""
                        .formatted(
                                attribute,
                                element.name(),
                                element.attribute("name"),
                                right,
                                element.attribute(attribute)));
    }
}
