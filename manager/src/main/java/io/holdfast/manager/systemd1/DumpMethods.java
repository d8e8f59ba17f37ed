package io.holdfast.manager.systemd1;

import io.holdfast.core.Fd;
import io.holdfast.core.FdChannel;
import io.holdfast.core.sys.process.SysMemfd;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.MethodCall;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.view.UnitView;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** The methods by which {@code systemd-analyze dump} describes units, as text for people. */
final class DumpMethods {
    private final ManagerView manager;

    DumpMethods(ManagerView manager) {
        this.manager = manager;
    }

    void addTo(BusInterface.Builder builder) {
        builder.method("Dump", "", "s", _ -> List.of(dump()), "output")
                .method(
                        "DumpUnitsMatchingPatterns",
                        "as",
                        "s",
                        call -> List.of(matching(call)),
                        "patterns",
                        "output")
                .method(
                        "DumpUnitsMatchingPatternsByFileDescriptor",
                        "as",
                        "h",
                        call -> List.of(file(matching(call))),
                        "patterns",
                        "fd");
    }

    private String dump() {
        return "Manager: holdfast\nUnits: %d\nJobs: %d\n"
                        .formatted(manager.names().size(), manager.jobs().size())
                + describe(UnitFilter.ALL);
    }

    private String matching(MethodCall call) {
        List<String> patterns = ManagerObject.texts(call, 0);
        return describe(UnitFilter.of(List.of(), patterns));
    }

    private String describe(UnitFilter filter) {
        StringBuilder text = new StringBuilder();
        manager.units().stream()
                .filter(filter::admits)
                .sorted(Comparator.comparing(unit -> unit.unit().name().text()))
                .forEach(unit -> describe(unit, text));
        return text.toString();
    }

    /** Returns a file in memory with a text, at its beginning. */
    private static Fd file(String text) {
        Fd file = SysMemfd.make("units");
        try (FileChannel channel = FdChannel.file(file, StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                int _ = channel.write(bytes);
            }
            return file;
        } catch (IOException e) {
            file.close();
            throw new UncheckedIOException(e);
        }
    }

    private static void describe(UnitView unit, StringBuilder text) {
        text.append("-> Unit ").append(unit.unit().name()).append(":\n");
        line(text, "Description", unit.unit().unit().description());
        line(text, "Unit Load State", unit.status().loadState());
        String state = unit.status().activeState().word();
        line(text, "Unit Active State", state + " (" + unit.status().subState() + ")");
        line(text, "Invocation ID", unit.status().invocationId());
        line(text, "CGroup", unit.status().cgroup().orElse(""));
        unit.job().ifPresent(job -> line(text, "Job", String.valueOf(job.id())));
        Stream.concat(
                        unit.unit().source().fragment().stream(),
                        unit.unit().source().dropIns().stream())
                .map(Path::toString)
                .forEach(file -> line(text, "File", file));
        for (Dependency kind : Dependency.values()) {
            unit.unit()
                    .unit()
                    .dependencies()
                    .of(kind)
                    .forEach(other -> line(text, kind.directive(), other.text()));
        }
    }

    private static void line(StringBuilder text, String name, String value) {
        if (!value.isEmpty()) {
            text.append('\t').append(name).append(": ").append(value).append('\n');
        }
    }
}
