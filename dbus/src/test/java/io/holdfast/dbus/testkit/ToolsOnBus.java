package io.holdfast.dbus.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.ExportedObject;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.wire.Variant;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** Our objects as other implementations see them: sd-bus, GDBus and libdbus. */
@SuppressWarnings("try") // exported objects are only kept open
public abstract class ToolsOnBus extends OnBus {
    private static final String NAME = "org.example.Tools";

    private final AtomicReference<String> zone = new AtomicReference<>("UTC");
    private final BusInterface described =
            test().method(
                            "Add",
                            "ii",
                            "i",
                            call ->
                                    List.of(
                                            call.argument(0, Integer.class)
                                                    + call.argument(1, Integer.class)),
                            "a",
                            "b",
                            "sum")
                    .method("Echo", "a{sv}as(id)", "a{sv}as(id)", MethodCall::arguments)
                    .property("Zone", "s", zone::get, value -> zone.set((String) value))
                    .property("Info", "a{sv}", () -> Map.of("load", Variant.of("d", 0.5)))
                    .signal("Tick", "xs", "time", "name")
                    .build();

    private ExportedObject exported() throws InterruptedException {
        ExportedObject exported = service().export(PATH, described);
        service().requestName(NAME);
        return exported;
    }

    /** Runs a tool that must succeed, and returns its output. */
    private static String output(String... command) throws Exception {
        try (Child child =
                Spawn.of(Arrays.asList(command))
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.merged())
                        .start()) {
            String output = new String(child.stdout().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(child.await()).as(output).isEqualTo(new Exit.Exited(0));
            return output.strip();
        }
    }

    private String busctl(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("busctl", "--address=" + bus().address()));
        command.addAll(Arrays.asList(arguments));
        return output(command.toArray(String[]::new));
    }

    private String gdbus(String verb, String... arguments) throws Exception {
        List<String> command =
                new ArrayList<>(List.of("gdbus", verb, "--address", bus().address()));
        command.addAll(Arrays.asList(arguments));
        return output(command.toArray(String[]::new));
    }

    @Test
    @Needs(programs = "busctl")
    void busctlCallsReadsAndSets() throws Exception {
        try (ExportedObject exported = exported()) {
            assertThat(busctl("call", NAME, PATH, TEST, "Add", "ii", "20", "22")).isEqualTo("i 42");
            assertThat(
                            busctl(
                                    "call",
                                    NAME,
                                    PATH,
                                    TEST,
                                    "Echo",
                                    "a{sv}as(id)",
                                    "1",
                                    "k",
                                    "s",
                                    "v",
                                    "2",
                                    "x",
                                    "y z",
                                    "7",
                                    "0.5"))
                    .isEqualTo("a{sv}as(id) 1 \"k\" s \"v\" 2 \"x\" \"y z\" 7 0.5");
            assertThat(busctl("get-property", NAME, PATH, TEST, "Zone")).isEqualTo("s \"UTC\"");
            assertThat(busctl("set-property", NAME, PATH, TEST, "Zone", "s", "CET")).isEmpty();
            assertThat(zone).hasValue("CET");
        }
    }

    @Test
    @Needs(programs = "busctl")
    void busctlIntrospectsAndWalksTheTree() throws Exception {
        try (ExportedObject exported = exported();
                ExportedObject below = service().export(PATH + "/below", described)) {
            assertThat(busctl("introspect", NAME, PATH, TEST))
                    .containsPattern("\\.Add +method +ii +i ")
                    .containsPattern("\\.Zone +property +s +\"UTC\" +emits-change writable")
                    .containsPattern("\\.Tick +signal +xs ");
            assertThat(busctl("tree", "--list", NAME)).contains(PATH, PATH + "/below");
            assertThat(busctl("status", NAME)).contains("PID=" + ProcessHandle.current().pid());
        }
    }

    @Test
    @Needs(programs = "gdbus")
    void gdbusCallsReadsAndIntrospects() throws Exception {
        try (ExportedObject exported = exported()) {
            String[] object = {"--dest", NAME, "--object-path", PATH};
            assertThat(
                            gdbus(
                                    "call",
                                    object[0],
                                    object[1],
                                    object[2],
                                    object[3],
                                    "--method",
                                    TEST + ".Add",
                                    "20",
                                    "22"))
                    .isEqualTo("(42,)");
            assertThat(
                            gdbus(
                                    "call",
                                    object[0],
                                    object[1],
                                    object[2],
                                    object[3],
                                    "--method",
                                    "org.freedesktop.DBus.Properties.GetAll",
                                    TEST))
                    .isEqualTo("({'Zone': <'UTC'>, 'Info': <{'load': <0.5>}>},)");
            assertThat(gdbus("introspect", object))
                    .contains("interface " + TEST)
                    .contains("Add(in  i a,")
                    .contains("readwrite s Zone = 'UTC'");
        }
    }

    @Test
    @Needs(programs = "gdbus")
    void gdbusHearsOurSignals() throws Exception {
        try (ExportedObject exported = exported();
                Child monitor =
                        Spawn.of("gdbus", "monitor", "--address", bus().address())
                                .arguments(List.of("--dest", NAME, "--object-path", PATH))
                                .stdout(Stdio.pipe())
                                .start();
                BufferedReader lines =
                        new BufferedReader(
                                new InputStreamReader(monitor.stdout(), StandardCharsets.UTF_8))) {
            AtomicBoolean heard = new AtomicBoolean();
            Thread ticking = Thread.startVirtualThread(() -> tickUntil(heard, exported));
            assertThat(lineWith(lines, "Tick"))
                    .isEqualTo(PATH + ": " + TEST + ".Tick (int64 5, 'five')");
            heard.set(true);
            ticking.join();
            exported.changed(TEST, "Zone");
            assertThat(lineWith(lines, "PropertiesChanged")).contains("'Zone': <'UTC'>");
            boolean ignored = monitor.signal(Signal.TERM);
            var _ = monitor.await();
        }
    }

    /**
     * Emits signals until one arrives: the monitor reports its start before it receives all
     * messages.
     */
    private static void tickUntil(AtomicBoolean heard, ExportedObject exported) {
        try {
            while (!heard.get()) {
                exported.emit(TEST, "Tick", 5L, "five");
                LockSupport.parkNanos(1_000_000);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static String lineWith(BufferedReader lines, String text) throws IOException {
        String line = lines.readLine();
        while (line != null && !line.contains(text)) {
            line = lines.readLine();
        }
        return String.valueOf(line);
    }

    @Test
    @Needs(programs = "dbus-send")
    void dbusSendCallsAndGetsErrors() throws Exception {
        try (ExportedObject exported = exported()) {
            String to = "--dest=" + NAME;
            assertThat(
                            output(
                                    "dbus-send",
                                    "--bus=" + bus().address(),
                                    "--print-reply=literal",
                                    to,
                                    PATH,
                                    TEST + ".Add",
                                    "int32:1",
                                    "int32:2"))
                    .isEqualTo("int32 3");
            try (Child child =
                    Spawn.of("dbus-send", "--bus=" + bus().address(), "--print-reply", to)
                            .arguments(List.of(PATH, TEST + ".None"))
                            .stdout(Stdio.devNull())
                            .stderr(Stdio.pipe())
                            .start()) {
                assertThat(new String(child.stderr().readAllBytes(), StandardCharsets.UTF_8))
                        .contains("UnknownMethod")
                        .contains("has no method None");
                assertThat(child.await()).isEqualTo(new Exit.Exited(1));
            }
        }
    }
}
