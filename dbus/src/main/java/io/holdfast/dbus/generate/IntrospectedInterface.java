package io.holdfast.dbus.generate;

import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.wire.Signature;
import java.util.List;

/**
 * An interface as introspection XML describes it. All names are those that D-Bus allows, but for
 * those of arguments, which may be anything.
 *
 * @param name of the interface
 * @param notes what is said about it
 * @param methods in the order of the XML
 * @param signals likewise
 * @param properties likewise
 */
public record IntrospectedInterface(
        String name,
        Notes notes,
        List<Method> methods,
        List<Signal> signals,
        List<Property> properties) {

    /**
     * What is said about an element.
     *
     * @param documentation for people; empty if there is none
     * @param deprecated whether it should not be used
     */
    record Notes(String documentation, boolean deprecated) {
        static final Notes NONE = new Notes("", false);
    }

    /**
     * An argument.
     *
     * @param name as it stands in the XML; may be empty
     * @param type one complete type
     * @param notes what is said about it
     */
    record Argument(String name, Signature type, Notes notes) {}

    /**
     * A method.
     *
     * @param noReply whether it has no reply
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
