package io.holdfast.manager.systemd1.property;

import static io.holdfast.fuzz.Inputs.require;
import static io.holdfast.fuzz.Inputs.same;

import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.fuzz.Bounds;
import io.holdfast.fuzz.Inputs;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.directive.DirectiveTable;
import io.holdfast.manager.unit.file.UnitFile;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.section.UnitReader;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.FuzzedHost;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Properties of transient units: a value either is refused, or becomes lines of the unit's file
 * that have only known directives, and whose commands and variables are read as they were sent.
 *
 * <p>The first byte chooses the type of the unit. Then each line is a property: its name, {@code
 * =}, and the parts of its value between tabs, which become the leaves of a value of its D-Bus
 * type.
 */
public final class TransientUnitTarget {
    private static final List<UnitName> NAMES =
            List.of(
                    UnitName.of("fuzz.service"),
                    UnitName.of("fuzz.socket"),
                    UnitName.of("fuzz.scope"),
                    UnitName.of("fuzz.slice"));
    private static final int MOST = 64;

    private TransientUnitTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, TransientUnitTarget::check);
    }

    private static void check(byte[] input) {
        UnitName name = NAMES.get(Inputs.selector(input) % NAMES.size());
        Map<String, String> settable = UnitFaces.settable(name.type());
        List<String> names = List.copyOf(settable.keySet());
        List<Struct> properties = new ArrayList<>();
        List<String> environment = new ArrayList<>();
        for (String line : Inputs.text(Inputs.rest(input)).split("\r", MOST)) {
            int equals = Math.max(0, line.indexOf('='));
            String wanted = line.substring(0, equals);
            String property =
                    settable.containsKey(wanted)
                            ? wanted
                            : names.get(Math.floorMod(wanted.hashCode(), names.size()));
            Deque<String> parts =
                    new ArrayDeque<>(
                            Arrays.asList(
                                    line.substring(equals).replaceFirst("=", "").split("\t")));
            String type = Objects.requireNonNull(settable.get(property));
            Object value = value(new StringBuilder(type), parts);
            properties.add(Struct.of(property, Variant.of(type, value)));
            if (property.equals("Environment")) {
                ((List<?>) value).forEach(each -> environment.add((String) each));
            }
        }
        UnitDescription unit;
        try {
            unit = UnitDescription.of(name.type(), properties);
        } catch (DBusException e) {
            require(!e.text().isBlank(), "a refusal says why");
            return;
        }
        check(name, unit, environment);
    }

    private static void check(UnitName name, UnitDescription unit, List<String> environment) {
        UnitFile file = UnitFile.parse("fuzzed", unit.text());
        require(file.diagnostics().isEmpty(), "the lines are sound");
        for (UnitFile.Section section : file.sections()) {
            String own = section.name();
            require(own.equals("Unit") || own.equals(name.type().section()), "no other section");
            for (UnitFile.Entry entry : section.entries()) {
                require(DirectiveTable.isKnown(own, entry.key()), "only known directives");
            }
        }
        Unit read =
                new UnitReader(FuzzedHost.HOST, FuzzedHost.SCOPE)
                        .read(UnitSource.inMemory(name, file));
        boolean whole =
                read.diagnostics().stream()
                        .map(Diagnostic::kind)
                        .noneMatch(kind ->
                                kind == Diagnostic.Kind.IGNORED
                                        || kind == Diagnostic.Kind.REFUSED
                                        || kind == Diagnostic.Kind.UNKNOWN);
        if (whole && name.type() == UnitType.SERVICE) {
            check((ServiceUnit) read, unit, environment);
        }
    }

    private static void check(ServiceUnit read, UnitDescription unit, List<String> environment) {
        List<List<String>> commands =
                read.service().commands().start().stream().map(TransientUnitTarget::words).toList();
        int from = unit.commands().size() - commands.size(); // an empty list removes earlier ones
        require(from >= 0, "no command is added");
        same(commands, unit.commands().subList(from, unit.commands().size()));
        Map<String, String> assignments = read.exec().environment().assignments();
        assignments.forEach((name, value) ->
                require(
                        environment.contains(name + "=" + value),
                        "variables are as they were sent"));
    }

    private static List<String> words(ExecCommand command) {
        List<String> words = new ArrayList<>(List.of(command.executable()));
        words.addAll(command.arguments().subList(1, command.arguments().size()));
        return words;
    }

    /** Makes a value of the first complete type, and removes that type. */
    private static Object value(StringBuilder type, Deque<String> parts) {
        char first = type.charAt(0);
        type.deleteCharAt(0);
        return switch (first) {
            case 'a' -> array(type, parts);
            case '(' -> struct(type, parts);
            case 's' -> next(parts).replace("\0", "");
            case 'b' -> next(parts).length() % 2 == 0;
            case 'h' -> new Handle(0);
            case 'i' -> (int) number(next(parts));
            case 'u' -> number(next(parts)) & 0xffff_ffffL;
            case 't' -> number(next(parts));
            case 'y' -> (byte) number(next(parts));
            default -> throw new IllegalArgumentException("another type: " + first);
        };
    }

    private static Object struct(StringBuilder type, Deque<String> parts) {
        List<Object> members = new ArrayList<>();
        while (type.charAt(0) != ')') {
            members.add(value(type, parts));
        }
        type.deleteCharAt(0);
        return new Struct(members);
    }

    /** Makes an array of as many elements as there are parts for. */
    private static Object array(StringBuilder type, Deque<String> parts) {
        StringBuilder rest = new StringBuilder(type);
        List<Object> elements = new ArrayList<>();
        Object element = value(rest, new ArrayDeque<>()); // finds the end of the type
        boolean bytes = element instanceof Byte;
        int most = parts.isEmpty() ? 0 : Math.max(1, number(next(parts)) > 0 ? parts.size() : 1);
        for (int i = 0; i < most && !parts.isEmpty(); i++) {
            elements.add(value(new StringBuilder(type), parts));
        }
        type.setLength(0);
        type.append(rest);
        return bytes ? new byte[elements.size()] : elements;
    }

    private static String next(Deque<String> parts) {
        String part = parts.poll();
        return part == null ? "" : part;
    }

    private static long number(String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            return text.hashCode();
        }
    }
}
