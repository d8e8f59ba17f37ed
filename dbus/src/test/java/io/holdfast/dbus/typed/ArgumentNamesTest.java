package io.holdfast.dbus.typed;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.dbus.testkit.CompiledSources;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The names of arguments in introspection data. */
@SameOnEveryKernel
class ArgumentNamesTest {
    @Test
    void parametersHaveTheirNamesWhereTheCompilerKeptThem(@TempDir Path folder) throws Exception {
        String xml =
                "<node><interface name='org.example.Clock'><method name='At'><arg name='with_zone'"
                        + " type='b'/><arg type='x'/><arg type='s'"
                        + " direction='out'/></method></interface></node>";
        try (CompiledSources compiled = CompiledSources.ofXml(folder, xml)) {
            TypedMethod at =
                    TypedInterface.of(compiled.type("org.example.Clock")).methods().getFirst();
            assertThat(at.names()).containsExactly("withZone", "arg1", "result");
        }
    }

    /** Names that are not valid in D-Bus. */
    public interface Foreign {
        record Size(int $length, int width_in_mm) implements Outputs {}

        Size size();
    }

    @Test
    void aNameThatDBusDoesNotHaveIsANumber() {
        TypedMethod size = TypedInterface.of(Foreign.class).methods().getFirst();
        assertThat(size.names()).containsExactly("arg0", "width_in_mm");
    }
}
