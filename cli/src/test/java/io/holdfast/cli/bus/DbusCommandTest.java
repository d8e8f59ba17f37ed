package io.holdfast.cli.bus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.cli.Invocation;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.ExportedObject;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.testkit.CompiledSources;
import io.holdfast.dbus.typed.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests {@code holdfast dbus generate}. */
@Timeout(60)
class DbusCommandTest {
    private static final String XML =
            "<node><interface name='org.example.Clock'><method name='At'/></interface>"
                    + "<interface name='org.example.Alarm'/>"
                    + "<interface name='org.freedesktop.DBus.Peer'/></node>";

    @TempDir private Path folder;

    private Path file(String xml) throws Exception {
        return Files.writeString(folder.resolve("clock.xml"), xml);
    }

    @Test
    void aFilesInterfacesAreWrittenToTheirPackages() throws Exception {
        Path out = folder.resolve("src");
        Invocation generated =
                Invocation.of("dbus", "generate", file(XML).toString(), "--output", out.toString());

        assertThat(generated.err()).isEmpty();
        assertThat(generated.out().lines())
                .containsExactly(
                        out.resolve("org/example/Clock.java").toString(),
                        out.resolve("org/example/Alarm.java").toString());
        assertThat(out.resolve("org/example/Clock.java"))
                .content()
                .startsWith("package org.example;\n")
                .contains("void at();");
    }

    @Test
    void onlyWhatIsAskedForIsWrittenToTheGivenPackage() throws Exception {
        Invocation generated =
                Invocation.of(
                        "dbus",
                        "generate",
                        file(XML).toString(),
                        "org.freedesktop.DBus.Peer",
                        "--package",
                        "com.example.bus",
                        "--output",
                        folder.toString());

        assertThat(generated.err()).isEmpty();
        assertThat(generated.out()).isEqualTo(folder.resolve("com/example/bus/Peer.java") + "\n");
        assertThat(folder.resolve("com/example/bus/Peer.java"))
                .content()
                .contains("@DBusName(\"org.freedesktop.DBus.Peer\")");
    }

    @Test
    void theBusItselfIsCalledByWhatIsGeneratedFromIt() throws Exception {
        BusAddress address = BusAddress.parse("unix:path=" + folder.resolve("bus"));
        try (Bus _ = Bus.open(address, BusConfig.permissive());
                BusConnection client = BusConnection.connect(address.toString());
                ExportedObject _ =
                        client.export("/it", BusInterface.named("org.example.It").build())) {
            Invocation generated =
                    Invocation.of(
                            "dbus",
                            "generate",
                            "--bus",
                            address.toString(),
                            "org.freedesktop.DBus",
                            "/org/freedesktop/DBus",
                            "--package",
                            "driver",
                            "--output",
                            folder.toString());
            assertThat(generated.err()).isEmpty();
            List<Path> sources = generated.out().lines().map(Path::of).toList();
            assertThat(sources).contains(folder.resolve("driver/DBus.java"));
            Path classes = Files.createDirectory(folder.resolve("classes"));
            try (CompiledSources compiled = CompiledSources.ofFiles(classes, folder, sources)) {
                Class<?> type = compiled.type("driver.DBus");
                Object bus = Proxy.of(client.bus(), type);
                assertThat(type.getMethod("listNames").invoke(bus))
                        .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.LIST)
                        .contains("org.freedesktop.DBus", client.uniqueName());
                assertThat(
                                type.getMethod("getConnectionUnixProcessID", String.class)
                                        .invoke(bus, client.uniqueName()))
                        .isEqualTo(ProcessHandle.current().pid());
                assertThat(type.getMethod("features").invoke(bus)).isInstanceOf(List.class);
            }
            Invocation none =
                    Invocation.of(
                            "dbus", "generate", "--bus", address.toString(), "no.body", "/none");
            assertThat(none.code()).isEqualTo(ExitCode.FAILURE);
            assertThat(none.err()).startsWith("holdfast: no.body/none: ").hasLineCount(1);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    <node><interface name='x'/></node> | clock.xml:1: no name of a D-Bus interface
                    <node>                             | clock.xml:1: not well-formed XML
                    <node/>                            | clock.xml: no interfaces except the standard
                    """)
    void badXmlIsRefusedInOneLine(String xml, String complaint) throws Exception {
        Invocation refused = Invocation.of("dbus", "generate", file(xml).toString());

        assertThat(refused.code()).isEqualTo(ExitCode.FAILURE);
        assertThat(refused.out()).isEmpty();
        assertThat(refused.err()).contains(complaint).hasLineCount(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    dbus                                             | missing required
                    dbus frobnicate                                  | expected: generate
                    dbus generate                                    | missing FILE
                    dbus generate --session --system a.b /           | exclude each other
                    dbus generate --bus unix:path=/none a.b          | missing NAME and PATH
                    dbus generate --bus unix:path=/none nodot /      | not a bus name
                    dbus generate --bus unix:path=/none a.b up       | not the path
                    """)
    void whatDoesNotMakeSenseIsRefused(String line, String complaint) {
        Invocation refused = Invocation.of(line.split(" "));

        assertThat(refused.code()).isEqualTo(ExitCode.USAGE);
        assertThat(refused.err()).contains(complaint).hasLineCount(1);
    }

    @Test
    void whatIsNotThereIsNamed() throws Exception {
        assertThat(Invocation.of("dbus", "generate", folder.resolve("none.xml").toString()).err())
                .contains("none.xml: ")
                .hasLineCount(1);
        assertThat(Invocation.of("dbus", "generate", file(XML).toString(), "a.b").err())
                .contains("clock.xml: no such interface: a.b")
                .hasLineCount(1);
        assertThat(
                        Invocation.of(
                                        "dbus",
                                        "generate",
                                        file(XML).toString(),
                                        "--package",
                                        "a.class")
                                .err())
                .contains("not the name of a package: a.class")
                .hasLineCount(1);
    }
}
