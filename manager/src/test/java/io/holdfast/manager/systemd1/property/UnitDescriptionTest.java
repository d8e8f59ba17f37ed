package io.holdfast.manager.systemd1.property;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.file.UnitFile;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class UnitDescriptionTest {
    private static Struct set(String name, String type, Object value) {
        return Struct.of(name, Variant.of(type, value));
    }

    private static UnitDescription scope(Struct... properties) {
        return UnitDescription.of(UnitType.SCOPE, List.of(properties));
    }

    /** Returns the lines of the file, parsed again. */
    private static List<String> lines(Struct... properties) {
        UnitFile file = UnitFile.parse("x.scope", scope(properties).text());
        assertThat(file.diagnostics()).isEmpty();
        return file.sections().stream()
                .flatMap(section ->
                        section.entries().stream()
                                .map(entry ->
                                        section.name() + "." + entry.key() + "=" + entry.value()))
                .toList();
    }

    private static void refused(String error, String text, Struct... properties) {
        assertThatThrownBy(() -> scope(properties))
                .isInstanceOfSatisfying(
                        DBusException.class,
                        e ->
                                assertThat(e.name() + ": " + e.getMessage())
                                        .contains(error)
                                        .contains(text));
    }

    @Test
    void aValueCannotBecomeAnotherOne() {
        refused(
                DBusException.INVALID_ARGS,
                "Invalid ConditionPathExists setting: !/x",
                set(
                        "Conditions",
                        "a(sbbs)",
                        List.of(Struct.of("ConditionPathExists", false, false, "!/x"))));
        assertThatThrownBy(() ->
                        UnitDescription.of(
                                UnitType.SERVICE,
                                List.of(
                                        set(
                                                "BindPaths",
                                                "a(ssbt)",
                                                List.of(Struct.of("/x\\", "/y", true, 0L))))))
                .hasMessageContaining("Invalid BindPaths setting: /x\\");
    }

    @Test
    void propertiesBecomeLinesInTheirOrder() {
        assertThat(
                        lines(
                                set("Description", "s", "Two words"),
                                set("KillMode", "s", "mixed"),
                                set("After", "as", List.of("a.service", "b.service")),
                                set("KillSignal", "i", 1),
                                set("TimeoutStopUSec", "t", 1_500_000L),
                                set("RuntimeMaxUSec", "t", -1L),
                                set("SendSIGHUP", "b", true),
                                set("Slice", "s", "x-y.slice")))
                .containsExactly(
                        "Unit.Description=Two words",
                        "Scope.KillMode=mixed",
                        "Unit.After=a.service",
                        "Unit.After=b.service",
                        "Scope.KillSignal=SIGHUP",
                        "Scope.TimeoutStopSec=1.500000s",
                        "Scope.RuntimeMaxSec=infinity",
                        "Scope.SendSIGHUP=yes",
                        "Scope.Slice=x-y.slice");
    }

    @Test
    void noValueBeginsALineOfItsOwnOrJoinsTheNext() {
        refused("InvalidArgs", "control character", set("Description", "s", "a\nKillMode=none"));
        refused("InvalidArgs", "control character", set("Description", "s", "a\rb"));
        assertThat(lines(set("Description", "s", "%n \\"), set("KillMode", "s", "none")))
                .containsExactly("Unit.Description=%%n \\", "Scope.KillMode=none");
        assertThat(lines(set("Description", "s", "[Scope]"), set("AddRef", "b", true)))
                .containsExactly("Unit.Description=[Scope]");
    }

    @Test
    void whatIsNotSettableIsRefusedByItsName() {
        refused(
                DBusException.PROPERTY_READ_ONLY,
                "Cannot set property RestrictFileSystems, or unknown property.",
                set("RestrictFileSystems", "s", "closed"));
        refused("NotSupported", "Controllers", set("Controller", "s", ":1.7"));
        assertThat(scope(set("Controller", "s", "")).pids()).isEmpty();
    }

    @Test
    void valuesOfAnotherTypeOrOutOfTheirRangeAreRefused() {
        refused("InvalidArgs", "Unexpected message contents", set("PIDs", "s", "1"));
        refused("InvalidArgs", "Invalid KillMode setting: foo", set("KillMode", "s", "foo"));
        refused("InvalidArgs", "KillSignal", set("KillSignal", "i", 65));
        refused("InvalidArgs", "Invalid unit name 'foo'", set("Slice", "s", "foo"));
        refused("InvalidArgs", "is not a slice", set("Slice", "s", "a.service"));
        refused("InvalidArgs", "Invalid unit name 'a'", set("After", "as", List.of("a")));
        refused("InvalidArgs", "Invalid argument", set("PIDs", "au", List.of()));
    }

    @Test
    void processesComeByNumberAndByDescriptor() {
        UnitDescription unit =
                scope(
                        set("PIDs", "au", List.of(0L, 7L)),
                        set("PIDFDs", "ah", List.of(new Handle(0))),
                        set("AddRef", "b", true));
        assertThat(unit.pids()).containsExactly(0L, 7L);
        assertThat(unit.pidfds()).containsExactly(new Handle(0));
        assertThat(unit.isReferenced()).isTrue();
    }

    @Test
    void aDescriptionIsBounded() {
        int most = ManagerLimits.SCOPE_PROCESSES.intValue();
        Struct many = set("PIDs", "au", Collections.nCopies(most, 7L));
        assertThat(scope(many).pids()).hasSize(most);
        refused("LimitsExceeded", "scopeProcesses", many, set("PIDs", "au", List.of(7L)));
        String text = "x".repeat(ManagerLimits.DESCRIPTION_CHARACTERS.intValue());
        refused("LimitsExceeded", "descriptionCharacters", set("Description", "s", text));
        refused(
                "LimitsExceeded",
                "descriptionCharacters",
                set("After", "as", Collections.nCopies(text.length() / 8, "a.service")));
    }
}
