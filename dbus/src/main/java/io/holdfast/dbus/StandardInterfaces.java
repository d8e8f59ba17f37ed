package io.holdfast.dbus;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** The standard interfaces that every object has, and the introspection data in XML. */
final class StandardInterfaces {
    static final String INTROSPECTABLE = "org.freedesktop.DBus.Introspectable";
    static final String PEER = "org.freedesktop.DBus.Peer";
    static final String PROPERTIES = "org.freedesktop.DBus.Properties";
    static final String OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager";

    /** The interfaces of a path without an object. */
    static final List<String> OF_PATHS = List.of(PEER, INTROSPECTABLE);

    /** The interfaces of an object of a tree. */
    static final List<String> OF_TREES = List.of(PEER, INTROSPECTABLE, PROPERTIES);

    /** The interfaces of other objects; a call without an interface is matched in this order. */
    static final List<String> OF_OBJECTS =
            List.of(PEER, INTROSPECTABLE, PROPERTIES, OBJECT_MANAGER);

    private static final List<String> MACHINE_ID_FILES =
            List.of("/var/lib/dbus/machine-id", "/etc/machine-id");

    private static final String HEAD =
            """
            <!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
             "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
            """;

    private static final Map<String, String> XML =
            Map.of(
                    PEER,
                    """
                     <interface name="org.freedesktop.DBus.Peer">
                      <method name="Ping"/>
                      <method name="GetMachineId">
                       <arg name="machine_uuid" type="s" direction="out"/>
                      </method>
                     </interface>
                    """,
                    INTROSPECTABLE,
                    """
                     <interface name="org.freedesktop.DBus.Introspectable">
                      <method name="Introspect">
                       <arg name="xml_data" type="s" direction="out"/>
                      </method>
                     </interface>
                    """,
                    PROPERTIES,
                    """
                     <interface name="org.freedesktop.DBus.Properties">
                      <method name="Get">
                       <arg name="interface_name" type="s" direction="in"/>
                       <arg name="property_name" type="s" direction="in"/>
                       <arg name="value" type="v" direction="out"/>
                      </method>
                      <method name="GetAll">
                       <arg name="interface_name" type="s" direction="in"/>
                       <arg name="properties" type="a{sv}" direction="out"/>
                      </method>
                      <method name="Set">
                       <arg name="interface_name" type="s" direction="in"/>
                       <arg name="property_name" type="s" direction="in"/>
                       <arg name="value" type="v" direction="in"/>
                      </method>
                      <signal name="PropertiesChanged">
                       <arg name="interface_name" type="s"/>
                       <arg name="changed_properties" type="a{sv}"/>
                       <arg name="invalidated_properties" type="as"/>
                      </signal>
                     </interface>
                    """,
                    OBJECT_MANAGER,
                    """
                     <interface name="org.freedesktop.DBus.ObjectManager">
                      <method name="GetManagedObjects">
                       <arg name="objects" type="a{oa{sa{sv}}}" direction="out"/>
                      </method>
                      <signal name="InterfacesAdded">
                       <arg name="object_path" type="o"/>
                       <arg name="interfaces_and_properties" type="a{sa{sv}}"/>
                      </signal>
                      <signal name="InterfacesRemoved">
                       <arg name="object_path" type="o"/>
                       <arg name="interfaces" type="as"/>
                      </signal>
                     </interface>
                    """);

    private StandardInterfaces() {}

    /**
     * Returns the introspection data of a path. Names need no escaping, since none contains a
     * character that XML reserves.
     *
     * @param standard the names of its standard interfaces
     */
    static String xml(
            Collection<BusInterface> interfaces, List<String> standard, List<String> nodes) {
        StringBuilder xml = new StringBuilder(HEAD).append("<node>\n");
        standard.forEach(name -> xml.append(XML.get(name)));
        interfaces.forEach(described -> append(xml, described));
        nodes.forEach(node -> xml.append(" <node name=\"").append(node).append("\"/>\n"));
        return xml.append("</node>\n").toString();
    }

    private static void append(StringBuilder xml, BusInterface described) {
        xml.append(" <interface name=\"").append(described.name()).append("\">\n");
        for (BusInterface.Method method : described.methods().values()) {
            xml.append("  <method name=\"").append(method.name()).append("\">\n");
            method.inArguments().forEach(a -> append(xml, a, " direction=\"in\""));
            method.outArguments().forEach(a -> append(xml, a, " direction=\"out\""));
            if (method.noReply()) {
                xml.append("   <annotation name=\"org.freedesktop.DBus.Method.NoReply\"");
                xml.append(" value=\"true\"/>\n");
            }
            xml.append("  </method>\n");
        }
        for (BusInterface.Signal signal : described.signals().values()) {
            xml.append("  <signal name=\"").append(signal.name()).append("\">\n");
            signal.arguments().forEach(a -> append(xml, a, ""));
            xml.append("  </signal>\n");
        }
        described.properties().values().forEach(property -> append(xml, property));
        xml.append(" </interface>\n");
    }

    private static void append(StringBuilder xml, BusInterface.Argument argument, String suffix) {
        xml.append("   <arg");
        if (!argument.name().isEmpty()) {
            xml.append(" name=\"").append(argument.name()).append('"');
        }
        xml.append(" type=\"").append(argument.type()).append('"').append(suffix).append("/>\n");
    }

    private static void append(StringBuilder xml, BusInterface.Property property) {
        xml.append("  <property name=\"").append(property.name());
        xml.append("\" type=\"").append(property.type());
        xml.append("\" access=\"").append(property.writer() == null ? "read" : "readwrite");
        if (property.change() == BusInterface.Change.VALUE) {
            xml.append("\"/>\n");
            return;
        }
        xml.append("\">\n   <annotation name=\"");
        xml.append("org.freedesktop.DBus.Property.EmitsChangedSignal\" value=\"");
        xml.append(property.change().annotation()).append("\"/>\n  </property>\n");
    }

    /** Replies with the machine id, 32 hexadecimal digits, which is read on a thread of its own. */
    static void machineId(MethodCall call, CompletableFuture<List<?>> reply) {
        var _ =
                Thread.ofVirtual()
                        .name("D-Bus call " + call.message().member())
                        .start(() -> {
                            try {
                                reply.complete(List.of(machineId()));
                            } catch (RuntimeException | Error e) {
                                reply.completeExceptionally(e);
                            }
                        });
    }

    private static String machineId() {
        for (String file : MACHINE_ID_FILES) {
            try {
                String id = Files.readString(Path.of(file)).strip();
                if (id.matches("[0-9a-f]{32}")) {
                    return id;
                }
            } catch (IOException e) {
                // try the next file
            }
        }
        throw new DBusException(
                DBusException.FAILED, "no machine id in " + String.join(", ", MACHINE_ID_FILES));
    }
}
