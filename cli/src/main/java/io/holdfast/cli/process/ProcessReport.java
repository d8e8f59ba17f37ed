package io.holdfast.cli.process;

import static io.holdfast.cli.process.ProcessIdentity.orNull;

import io.holdfast.cli.command.ExitJson;
import io.holdfast.cli.output.AgeText;
import io.holdfast.cli.output.JsonText;
import io.holdfast.cli.output.Output;
import io.holdfast.cli.output.TimeText;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.CoreDump;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessId;
import io.holdfast.core.process.ProcessInfo;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Locale;

/**
 * A report with everything that is known about one process. Each part was read through the pidfd or
 * verified against it. If the process ended meanwhile, the parts that were read afterwards are
 * missing.
 *
 * @param lasted whether the state of the process was the same before and after
 */
record ProcessReport(ProcessIdentity identity, ProcessAttributes attributes, boolean lasted) {
    static ProcessReport of(PidFd process, Managers managers) {
        ProcessIdentity identity = ProcessIdentity.of(process);
        ProcessAttributes attributes = ProcessAttributes.of(process, managers);
        return new ProcessReport(identity, attributes, process.state() == identity.state());
    }

    /** Prints a line for each known attribute. */
    void print(Output output) {
        ProcessInfo info = identity.info();
        identity.printCredentials(output);
        attributes
                .commandLine()
                .ifPresent(words ->
                        output.field(
                                "command",
                                words.isEmpty()
                                        ? "none (a kernel thread, or a zombie)"
                                        : String.join(" ", words)));
        String unseen =
                identity.state() == PidFd.State.ALIVE
                        ? "none, or not readable"
                        : "none (it has exited)";
        output.field("executable", attributes.executable().map(Path::toString).orElse(unseen));
        output.field("directory", attributes.directory().map(Path::toString).orElse(unseen));
        attributes
                .noNewPrivileges()
                .ifPresent(set ->
                        output.field(
                                "privileges",
                                set
                                        ? "can gain none (no_new_privs)"
                                        : "can gain some by set-uid programs"));
        output.field("parent", attributes.parent().map(ProcessId::toString).orElse("not visible"));
        if (!attributes.children().isEmpty()) {
            output.field("children", String.join(" ", attributes.children()));
        }
        attributes
                .startTime()
                .ifPresent(at ->
                        output.field("started", TimeText.of(at) + ", " + AgeText.of(at) + " ago"));
        identity.printPlace(output);
        attributes.workload().ifPresent(workload -> output.field("manager", text(workload)));
        attributes
                .listening()
                .filter(all -> !all.isEmpty())
                .ifPresent(all -> output.field("listens", String.join(", ", all)));
        if (!attributes.names().isEmpty()) {
            output.field("bus names", String.join(" ", attributes.names()));
        }
        identity.exit().ifPresent(exit -> output.field("exit", exit.toString()));
        info.coreDump().ifPresent(dump -> output.field("core dump", text(dump)));
        if (!lasted) {
            output.field("note", "the process exited while it was read");
        }
        output.field(
                "source",
                switch (info.source()) {
                    case KERNEL -> "one snapshot of the kernel (PIDFD_GET_INFO)";
                    case PROC -> "/proc, verified against the pidfd";
                    case NONE -> "none: the process is reaped";
                });
    }

    private static String text(CoreDump dump) {
        return dump.signal().map(signal -> "by " + signal).orElse("written")
                + (dump.onlyForRoot() ? ", readable by root only" : "");
    }

    /** Returns one object, with null for each unknown attribute. */
    JsonText json() {
        ProcessInfo info = identity.info();
        JsonText text =
                identity.credentialsJson()
                        .put("commandLine", attributes.commandLine())
                        .put("executable", attributes.executable().map(Path::toString))
                        .put("directory", attributes.directory().map(Path::toString))
                        .put("noNewPrivileges", attributes.noNewPrivileges())
                        .put("parent", orNull(info.ppid()))
                        .put("children", attributes.children())
                        .put("startTime", attributes.startTime().map(ProcessReport::timestamp))
                        .put("cgroup", identity.cgroup().map(CgroupPath::path))
                        .put("cgroupId", orNull(info.cgroupId()))
                        .put("exit", identity.exit().map(ExitJson::json))
                        .put("coreDump", info.coreDump().map(ProcessReport::json))
                        .put("source", info.source().name().toLowerCase(Locale.ROOT));
        identity.addPlace(text);
        return text.put("manager", attributes.workload().map(ProcessReport::json))
                .put("listening", attributes.listening())
                .put("busNames", attributes.names());
    }

    private static String text(Managers.Workload workload) {
        return workload.unit() + " of the manager at " + workload.folder();
    }

    private static JsonText json(Managers.Workload workload) {
        return JsonText.object()
                .put("unit", workload.unit())
                .put("invocationId", workload.invocationId())
                .put("runtimeDirectory", workload.folder().toString());
    }

    private static JsonText json(CoreDump dump) {
        return JsonText.object()
                .put("signal", dump.signal().map(Object::toString))
                .put("onlyForRoot", dump.onlyForRoot());
    }

    /**
     * Formats as {@code Instant.toString} does, but without a formatter, which would add 5 ms to
     * the start-up time.
     */
    private static String timestamp(Instant at) {
        return LocalDateTime.ofEpochSecond(at.getEpochSecond(), 0, ZoneOffset.UTC) + "Z";
    }
}
