package io.holdfast.manager.systemd1;

import io.holdfast.core.Fd;
import io.holdfast.core.FdChannel;
import io.holdfast.core.limit.RateLimit;
import io.holdfast.core.sys.process.SysMemfd;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.MethodCall;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.access.Permission;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.systemd1.caller.Operations;
import io.holdfast.manager.systemd1.format.Errors;
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
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The methods by which {@code systemd-analyze dump} describes units, as text for people. A dump is
 * large, so users other than root and the manager's own get few of them.
 */
final class DumpMethods {
    private static final int USERS = 1024; // that are counted

    private final ManagerView manager;
    private final Operations operations;
    private final RateLimit<Long> dumps =
            RateLimit.in(
                    ManagerLimits.DUMP_INTERVAL.duration(), ManagerLimits.DUMPS.intValue(), USERS);

    DumpMethods(ManagerView manager, Operations operations) {
        this.manager = manager;
        this.operations = operations;
    }

    void addTo(BusInterface.Builder builder) {
        builder.asyncMethod(
                        "Dump",
                        "",
                        "s",
                        (call, reply) -> counted(call, reply, this::dump),
                        "output")
                .asyncMethod(
                        "DumpUnitsMatchingPatterns",
                        "as",
                        "s",
                        (call, reply) -> counted(call, reply, () -> matching(call)),
                        "patterns",
                        "output")
                .asyncMethod(
                        "DumpUnitsMatchingPatternsByFileDescriptor",
                        "as",
                        "h",
                        (call, reply) -> counted(call, reply, () -> file(matching(call))),
                        "patterns",
                        "fd");
    }

    private void counted(MethodCall call, CompletableFuture<List<?>> reply, Supplier<?> dump) {
        operations.identified(
                call,
                reply,
                user -> {
                    if (!Permission.isOwner(user) && !dumps.tryPass(user)) {
                        throw Errors.limit(
                                "User %d has had %s dumps of units recently; wait, or %s"
                                        .formatted(
                                                user,
                                                ManagerLimits.DUMPS.intValue(),
                                                ManagerLimits.DUMPS.remedy()));
                    }
                    reply.complete(List.of(dump.get()));
                });
    }

    private String dump() {
        return "Manager: holdfast\nUnits: %d\nJobs: %d\n"
                        .formatted(manager.names().size(), manager.jobs().all().size())
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
