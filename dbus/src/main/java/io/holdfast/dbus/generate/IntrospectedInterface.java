package io.holdfast.dbus.generate;

import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.wire.Signature;
import java.util.List;

/**
 * An interface as introspection XML describes it. All names are valid in D-Bus, except those of
 * arguments, which may be any text.
 *
 * @param notes its documentation and deprecation
 * @param methods the methods in the order of the XML
 * @param signals the signals in the order of the XML
 * @param properties the properties in the order of the XML
 */
public record IntrospectedInterface(
        String name,
        Notes notes,
        List<Method> methods,
        List<Signal> signals,
        List<Property> properties) {

    /**
     * The documentation and deprecation of an element.
     *
     * @param documentation the text for people; empty if there is none
     * @param deprecated whether the element is deprecated
     */
    record Notes(String documentation, boolean deprecated) {
        static final Notes NONE = new Notes("", false);
    }

    /**
     * An argument.
     *
     * @param name the name in the XML, unchecked; may be empty
     * @param type one complete type
     * @param notes its documentation and deprecation
     */
    record Argument(String name, Signature type, Notes notes) {}

    /**
     * A method.
     *
     * @param noReply whether callers expect no reply
     */
    record Method(
            String name, Notes notes, List<Argument> in, List<Argument> out, boolean noReply) {}

    /** A signal. */
    record Signal(String name, Notes notes, List<Argument> arguments) {}

    /** A property. */
    record Property(
            String name,
            Notes notes,
            Signature type,
            boolean readable,
            boolean writable,
            BusInterface.Change change) {}
}
