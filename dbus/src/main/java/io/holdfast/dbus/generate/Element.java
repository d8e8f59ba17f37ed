package io.holdfast.dbus.generate;

import io.holdfast.dbus.generate.IntrospectedInterface.Notes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * An element of introspection XML with its children; its annotations and documentation are kept
 * apart from them.
 */
final class Element {
    private static final String DOC_STRING = "org.gtk.GDBus.DocString";
    private static final String DEPRECATED = "org.freedesktop.DBus.Deprecated";

    private final String name;
    private final int line;
    private final Map<String, String> attributes;
    private final List<Element> children = new ArrayList<>();
    private final Map<String, String> annotations = new HashMap<>();
    private final StringBuilder text = new StringBuilder();

    /**
     * @param name the name without its prefix
     * @param line the line on which it begins
     */
    Element(String name, int line, Map<String, String> attributes) {
        this.name = name;
        this.line = line;
        this.attributes = attributes;
    }

    String name() {
        return name;
    }

    int line() {
        return line;
    }

    List<Element> children() {
        return children;
    }

    /** Returns an attribute; empty if it is absent. */
    String attribute(String key) {
        return attributes.getOrDefault(key, "");
    }

    /** Returns the value of an annotation; empty if it is absent. */
    String annotation(String key) {
        return annotations.getOrDefault(key, "");
    }

    /** Adds a child element that has ended. */
    void add(Element child) {
        switch (child.name) {
            case "annotation" -> annotations.put(child.attribute("name"), child.attribute("value"));
            case "doc", "docstring" -> append(child.text);
            default -> children.add(child);
        }
    }

    /** Adds text to the documentation: that of an element within documentation belongs to it. */
    void append(CharSequence more) {
        text.append(more);
    }

    CharSequence text() {
        return text;
    }

    Notes notes() {
        String documentation = text.toString().isBlank() ? annotation(DOC_STRING) : text.toString();
        return new Notes(documentation.strip(), annotation(DEPRECATED).equals("true"));
    }
}
