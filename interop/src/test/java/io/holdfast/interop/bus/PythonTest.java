package io.holdfast.interop.bus;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.Fd;
import io.holdfast.core.FdInputStream;
import io.holdfast.core.process.Exit;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.ExportedObject;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Services and clients in Python with python3-dbus, which uses libdbus in GLib's loop. */
@Needs(programs = {"dbus-daemon", "dbus-broker"})
class PythonTest extends OnEachBus {
    private static final String PYTHON = "/usr/bin/python3"; // its packages install modules
    private static final String NAME = "org.example.Python";
    private static final String PATH = "/org/example/Python";

    @TempDir private Path folder;

    @BeforeEach
    void modulesAreThere() throws Exception {
        Programs.Ended imports = programs().run(PYTHON, "-c", "import dbus, gi");
        assumeTrue(imports.exit().equals(new Exit.Exited(0)), "needs python3-dbus and python3-gi");
    }

    private Programs.Running python(String script) throws Exception {
        Path file = folder.resolve(script);
        try (InputStream in =
                Objects.requireNonNull(PythonTest.class.getResourceAsStream(script), script)) {
            long ignored = Files.copy(in, file);
        }
        return programs().start(PYTHON, "-u", file.toString());
    }

    private Programs.Running service() throws Exception {
        Programs.Running service = python("service.py");
        assertThat(service.lineWith("ready ")).startsWith("ready :1.");
        return service;
    }

    private RemoteObject shelf() {
        return connection().object(NAME, PATH);
    }

    @Test
    void aServiceAnswersAndSignals() throws Exception {
        var ignored = service();
        try (var swapped =
                connection().subscribe("type='signal',sender='" + NAME + "',member='Swapped'")) {
            assertThat(
                            shelf().call(
                                            NAME,
                                            "Swap",
                                            "a{sv}(ix)",
                                            Map.of("k", Variant.of("s", "v")),
                                            Struct.of(1, 2L)))
                    .containsExactly(
                            Variant.of("(ix)", Struct.of(1, 2L)),
                            Map.of("k", Variant.of("s", "v")));
            try (var signal = swapped.take()) {
                assertThat(signal.path()).isEqualTo(PATH);
                assertThat(signal.values()).containsExactly(1);
            }
        }
        assertThat(
                        shelf().call("org.freedesktop.DBus.Introspectable", "Introspect")
                                .getFirst()
                                .toString())
                .contains("<interface name=\"" + NAME + "\">", "<method name=\"Swap\">");
        assertThat(shelf().call(NAME, "WhoAsks"))
                .containsExactly(connection().uniqueName() + " uid " + uid());
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(() -> shelf().call(NAME, "Fail"))
                .satisfies(e -> assertThat(e.name()).isEqualTo("org.example.Error.Purpose"))
                .withMessageContaining("on purpose");
    }

    private static int uid() throws Exception {
        return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    }

    @Test
    void aServiceTakesAndGivesDescriptors() throws Exception {
        var ignored = service();
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd in = pipe[0]) {
            try (Fd out = pipe[1]) {
                byte[] text = "from java".getBytes(UTF_8);
                assertThat(Unistd.write(out, text, 0, text.length)).isEqualTo(text.length);
            }
            assertThat(shelf().call(NAME, "ReadAll", "h", in)).containsExactly("from java");
        }
        try (Message reply = shelf().exchange(NAME, "Pipe", "s", "from python");
                InputStream in = new FdInputStream(reply.takeDescriptors().getFirst())) {
            assertThat(new String(in.readAllBytes(), UTF_8)).isEqualTo("from python");
        }
    }

    @Test
    void aServiceFollowsNamesAndSignals() throws Exception {
        Programs.Running service = service();

        connection().requestName("org.example.Watched");
        assertThat(service.lineWith("owner"))
                .isEqualTo("owner org.example.Watched - " + connection().uniqueName());
        assertThat(connection().releaseName("org.example.Watched")).isTrue();
        assertThat(service.lineWith("owner"))
                .isEqualTo("owner org.example.Watched " + connection().uniqueName() + " -");
        ExportedObject alarm =
                connection()
                        .export(
                                "/alarm",
                                BusInterface.named("org.example.Alarm")
                                        .signal("Rang", "s")
                                        .build());
        alarm.emit("org.example.Alarm", "Rang", "loud");
        assertThat(service.lineWith("rang")).isEqualTo("rang loud " + connection().uniqueName());
    }

    @Test
    void aClientUsesOurObjectsAndTheBus() throws Exception {
        AtomicInteger level = new AtomicInteger(1);
        ExportedObject ignored =
                connection()
                        .export(
                                "/org/example/Java",
                                BusInterface.named("org.example.Java")
                                        .method(
                                                "Join",
                                                "as(ib)",
                                                "s",
                                                call ->
                                                        List.of(
                                                                call.argument(0, List.class)
                                                                        + " "
                                                                        + call.argument(
                                                                                1, Struct.class)))
                                        .method(
                                                "Fail",
                                                "",
                                                "",
                                                call -> {
                                                    throw new DBusException(
                                                            "org.example.Error.Java", "on purpose");
                                                })
                                        .property(
                                                "Level",
                                                "i",
                                                level::get,
                                                value -> level.set((Integer) value))
                                        .build());
        connection().requestName("org.example.Java");

        Programs.Ended ended = python("client.py").end();

        assertThat(ended.exit()).as(ended.output()).isEqualTo(new Exit.Exited(0));
        assertThat(ended.output().lines())
                .containsExactly(
                        "[a, b] " + Struct.of(1, true),
                        "7",
                        "org.example.Error.Java on purpose",
                        "1 True",
                        "True",
                        "1 False",
                        String.valueOf(uid()));
        assertThat(level).hasValue(7);
    }
}
