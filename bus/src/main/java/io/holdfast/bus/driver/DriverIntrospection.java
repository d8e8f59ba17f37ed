package io.holdfast.bus.driver;

import io.holdfast.bus.connection.Container;
import io.holdfast.dbus.BusNames;
import io.holdfast.dbus.wire.Signature;
import java.util.List;
import java.util.Map;

/** The introspection data of the bus (D-Bus Specification, "Introspection Data Format"). */
final class DriverIntrospection {
    private static final String HEAD =
            """
            <!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
             "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
            """;

    private record DriverSignal(String name, List<String> arguments) {}

    private static final Map<String, List<DriverSignal>> SIGNALS =
            Map.of(
                    BusNames.BUS,
                    List.of(
                            new DriverSignal("NameOwnerChanged", List.of("s", "s", "s")),
                            new DriverSignal("NameLost", List.of("s")),
                            new DriverSignal("NameAcquired", List.of("s")),
                            new DriverSignal("ActivatableServicesChanged", List.of())),
                    Container.INTERFACE,
                    List.of(new DriverSignal("InstanceRemoved", List.of("o"))));

    private DriverIntrospection() {}

    /** Returns the data of a path: the bus itself, or a node above it. */
    static String of(String path, Map<String, Map<String, DriverMethod>> interfaces) {
        StringBuilder xml = new StringBuilder(4_096).append(HEAD).append("<node>\n");
        boolean canonical = path.equals(BusNames.BUS_PATH);
        interfaces.forEach((name, methods) -> {
            boolean here = canonical || methods.values().stream().anyMatch(DriverMethod::anywhere);
            if (here) {
                describe(xml, name, methods);
            }
        });
        String below = path.equals("/") ? "/" : path + "/";
        if (BusNames.BUS_PATH.startsWith(below)) {
            xml.append("  <node name=\"")
                    .append(BusNames.BUS_PATH, below.length(), BusNames.BUS_PATH.length())
                    .append("\"/>\n");
        }
        return xml.append("</node>\n").toString();
    }

    private static void describe(
            StringBuilder xml, String name, Map<String, DriverMethod> methods) {
        xml.append("  <interface name=\"").append(name).append("\">\n");
        methods.values()
                .forEach(method -> {
                    xml.append("    <method name=\"").append(method.member()).append("\">\n");
                    arguments(xml, "in", method.in());
                    arguments(xml, "out", method.out());
                    xml.append("    </method>\n");
                });
        for (String property : DriverProperties.names(name)) {
            xml.append("    <property name=\"")
                    .append(property)
                    .append("\" type=\"as\" access=\"read\">\n")
                    .append("      <annotation name=\"")
                    .append("org.freedesktop.DBus.Property.EmitsChangedSignal")
                    .append("\" value=\"const\"/>\n    </property>\n");
        }
        for (DriverSignal signal : SIGNALS.getOrDefault(name, List.of())) {
            xml.append("    <signal name=\"").append(signal.name).append("\">\n");
            signal.arguments.forEach(
                    type -> xml.append("      <arg type=\"").append(type).append("\"/>\n"));
            xml.append("    </signal>\n");
        }
        xml.append("  </interface>\n");
    }

    private static void arguments(StringBuilder xml, String direction, Signature signature) {
        for (Signature type : signature.types()) {
            xml.append("      <arg direction=\"")
                    .append(direction)
                    .append("\" type=\"")
                    .append(type)
                    .append("\"/>\n");
        }
    }
}
