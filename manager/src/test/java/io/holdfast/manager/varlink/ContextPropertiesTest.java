package io.holdfast.manager.varlink;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.json.Json;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The fields of a context and the D-Bus properties that they stand for, in both directions. */
class ContextPropertiesTest {
    private static final Interface DEFINITION = SystemdCalls.definition(UnitService.NAME);

    private static List<Struct> properties(String context) {
        return ContextProperties.of(DEFINITION, UnitType.SERVICE, Json.parse(context).asObject());
    }

    @ParameterizedTest
    @CsvSource({
        "journal, journal",
        "journal_console, journal+console",
        "kmsg_console, kmsg+console",
    })
    void aStreamHasAWordInBothForms(String field, String property) {
        Variant value = Variant.of("s", property);
        assertThat(properties("{\"Exec\":{\"StandardOutput\":\"" + field + "\"}}"))
                .containsExactly(Struct.of("StandardOutput", value));
        assertThat(
                        new PropertyStructs(DEFINITION)
                                .write(
                                        "ExecContext",
                                        "Service",
                                        Map.of("StandardOutput", value),
                                        Map.of())
                                .string("StandardOutput"))
                .isEqualTo(field);
    }

    @Test
    void aLargeScaleIsAFraction() {
        assertThat(
                        properties(
                                "{\"CGroup\":{\"TasksMax\":"
                                        + "{\"value\":4294967295,\"scale\":4294967295}}}"))
                .containsExactly(Struct.of("TasksMaxScale", Variant.of("u", 0xFFFFFFFFL)));
    }
}
