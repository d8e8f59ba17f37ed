package io.holdfast.manager.systemd1.property;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.file.UnitFile;
import io.holdfast.manager.unit.section.UnitReader;
import io.holdfast.manager.unit.section.UnitReader.Support;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Each directive that the manager applies can be set at run time, but for the listed ones. */
class SettableDirectivesTest {
    private static final Map<String, List<Object>> SAMPLES =
            Map.ofEntries(
                    Map.entry(
                            "s",
                            List.of(
                                    "no",
                                    "x.slice",
                                    "/x",
                                    "fail",
                                    "simple",
                                    "none",
                                    "main",
                                    "normal",
                                    "control-group",
                                    "stop",
                                    "inactive",
                                    "shared",
                                    "invisible",
                                    "closed",
                                    "pid")),
                    Map.entry("b", List.of(true)),
                    Map.entry("t", List.of(1L, 20L, -1L, 1L << 18)),
                    Map.entry("u", List.of(1L)),
                    Map.entry("i", List.of(1)),
                    Map.entry("q", List.of(1)),
                    Map.entry("x", List.of(1L)),
                    Map.entry("ay", List.of(new byte[] {1})),
                    Map.entry(
                            "aay", List.of(List.of("NAME=value".getBytes(StandardCharsets.UTF_8)))),
                    Map.entry("a(bs)", List.of(List.of(Struct.of(true, "pattern")))),
                    Map.entry("a(sst)", List.of(List.of(Struct.of("/x", "x", 1L)))),
                    Map.entry("as", List.of(List.of("a.service"), List.of("/x"))),
                    Map.entry("(aiai)", List.of(Struct.of(List.of(1), List.of(1)))),
                    Map.entry(
                            "a(ss)",
                            List.of(
                                    listens(),
                                    List.of(Struct.of("OnCalendar", "daily")),
                                    paths(),
                                    List.of(Struct.of("/x", "ro")),
                                    List.of(Struct.of("/dev/null", "rw")),
                                    List.of(Struct.of("x", "/x")))),
                    Map.entry("a(say)", List.of(List.of(Struct.of("x", new byte[] {1})))),
                    Map.entry(
                            "a(iayu)",
                            List.of(List.of(Struct.of(2, new byte[] {127, 0, 0, 1}, 32L)))),
                    Map.entry("a(st)", List.of(bases(), List.of(Struct.of("/x", 20L)))),
                    Map.entry("(bas)", List.of(Struct.of(true, List.of("read", "AF_UNIX")))),
                    Map.entry("a(sb)", List.of(List.of(Struct.of("/x", true)))),
                    Map.entry("a(sbbs)", List.of(List.of())),
                    Map.entry("a(ssbt)", List.of(List.of(Struct.of("/x", "/y", true, 0L)))),
                    Map.entry("a(sasb)", List.of(List.of(Struct.of("/x", List.of("x"), true)))));

    /** Older spellings of other directives, and the service of a socket: systemd sets none. */
    private static final Set<String> NOT_SETTABLE =
            Set.of(
                    "BindTo",
                    "OnFailureIsolate",
                    "PropagateReloadFrom",
                    "PropagateReloadTo",
                    "RequiresOverridable",
                    "RequisiteOverridable",
                    "Unit.StartLimitInterval",
                    "Service.StartLimitInterval",
                    "Service.StartLimitBurst",
                    "Service.StartLimitAction",
                    "Service.FailureAction",
                    "InaccessibleDirectories",
                    "ReadOnlyDirectories",
                    "ReadWriteDirectories",
                    "StandardInputText",
                    "PermissionsStartOnly",
                    "Socket.Service");

    private static List<Object> listens() {
        return List.of(
                Struct.of("Stream", "/x"),
                Struct.of("Datagram", "/x"),
                Struct.of("SequentialPacket", "/x"),
                Struct.of("FIFO", "/x"),
                Struct.of("Netlink", "route 1"),
                Struct.of("Special", "/x"),
                Struct.of("MessageQueue", "/x"));
    }

    private static List<Object> paths() {
        return List.of(
                Struct.of("PathExists", "/x"),
                Struct.of("PathExistsGlob", "/x"),
                Struct.of("PathChanged", "/x"),
                Struct.of("PathModified", "/x"),
                Struct.of("DirectoryNotEmpty", "/x"));
    }

    private static List<Object> bases() {
        return List.of(
                Struct.of("OnActiveUSec", 1L),
                Struct.of("OnBootUSec", 1L),
                Struct.of("OnStartupSec", 1L),
                Struct.of("OnUnitActiveUSec", 1L),
                Struct.of("OnUnitInactiveUSec", 1L));
    }

    private static Set<String> written(UnitType type) {
        Set<String> written = new HashSet<>();
        UnitFaces.settable(type)
                .forEach((name, signature) -> {
                    for (Object sample : SAMPLES.getOrDefault(signature, List.of())) {
                        written.addAll(written(type, name, signature, sample));
                    }
                });
        return written;
    }

    private static Set<String> written(UnitType type, String name, String signature, Object value) {
        Struct property = Struct.of(name, Variant.of(signature, value));
        Set<String> written = new HashSet<>();
        try {
            String text = UnitDescription.of(type, List.of(property)).text();
            UnitFile.parse("x", text)
                    .sections()
                    .forEach(section ->
                            section.entries()
                                    .forEach(entry ->
                                            written.add(section.name() + "." + entry.key())));
        } catch (DBusException e) {
            // another sample fits
        }
        return written;
    }

    private static List<String> missing(UnitType type) {
        Set<String> written = written(type);
        List<String> missing = new ArrayList<>();
        for (String section : List.of("Unit", type.section())) {
            for (String key : UnitReader.directives(type, section, Support.APPLIED)) {
                boolean isCondition = key.startsWith("Condition") || key.startsWith("Assert");
                String name = section + "." + key;
                boolean isExempt = NOT_SETTABLE.contains(key) || NOT_SETTABLE.contains(name);
                if (!isCondition && !isExempt && !written.contains(name)) {
                    missing.add(key);
                }
            }
        }
        return missing;
    }

    @Test
    void allDirectivesOfServices() {
        assertThat(missing(UnitType.SERVICE)).isEmpty();
    }

    @Test
    void allDirectivesOfSockets() {
        assertThat(missing(UnitType.SOCKET)).isEmpty();
    }

    @Test
    void allDirectivesOfTimers() {
        assertThat(missing(UnitType.TIMER)).isEmpty();
    }

    @Test
    void allDirectivesOfPaths() {
        assertThat(missing(UnitType.PATH)).isEmpty();
    }

    @Test
    void allDirectivesOfScopesAndSlices() {
        assertThat(missing(UnitType.SCOPE)).isEmpty();
        assertThat(missing(UnitType.SLICE)).isEmpty();
    }
}
