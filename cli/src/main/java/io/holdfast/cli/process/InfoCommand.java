package io.holdfast.cli.process;

import static io.holdfast.cli.process.Identity.orNull;
import static io.holdfast.cli.process.Identity.told;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.ExitText;
import io.holdfast.cli.command.ProcessArgument;
import io.holdfast.cli.output.JsonText;
import io.holdfast.cli.output.Output;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.CoreDump;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Proc;
import io.holdfast.core.process.ProcessId;
import io.holdfast.core.process.ProcessInfo;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Shows what the kernel says about one process. */
public final class InfoCommand implements Command {
    @Override
    public CommandSpec spec() {
        CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
        spec.usageMessage()
                .header("Show what the kernel says about a process.")
                .footer(
                        "%nExamples:",
                        "  holdfast info 1",
                        "  holdfast info --json $$$$ | jq .credentials.effectiveUid",
                        "  name=$$(holdfast info --json $$pid | jq -r .process)   # names that one process for good");
        return spec.addOption(Command.json("Print one JSON object."))
                .addPositional(ProcessArgument.spec());
    }

    @Override
    public int run(ParseResult line, Output output) {
        try (PidFd process = ProcessArgument.open(line.matchedPositionalValue(0, ""), line)) {
            Identity identity = Identity.of(process);
            Attributes attributes = Attributes.of(process);
            if (line.hasMatchedOption("--json")) {
                output.line(json(identity, attributes).toString());
            } else {
                print(identity, attributes, output);
            }
        }
        return ExitCode.OK;
    }

    /** What only /proc has; empty where the process is gone or we may not look. */
    private record Attributes(
            Optional<List<String>> commandLine,
            Optional<Path> executable,
            Optional<Path> directory,
            Optional<Boolean> noNewPrivileges,
            Optional<Instant> startTime,
            Optional<ProcessId> parent,
            List<String> children) {

        static Attributes of(PidFd process) {
            Proc proc = process.proc();
            return new Attributes(
                    told(proc::commandLine),
                    told(proc::executable),
                    told(proc::directory),
                    told(proc::noNewPrivileges),
                    told(proc::startTime),
                    told(process::parent).flatMap(parent -> parent.flatMap(Attributes::named)),
                    children(process));
        }

        private static Optional<ProcessId> named(PidFd process) {
            try (process) {
                return told(process::processId).map(ProcessId::inThisBoot);
            }
        }

        /** One by one: there may be more than descriptors. */
        private static List<String> children(PidFd process) {
            List<String> names = new ArrayList<>();
            boolean _ =
                    told(
                                    () -> {
                                        process.visitChildren((child, _) ->
                                                named(child)
                                                        .ifPresent(id -> names.add(id.toString())));
                                        return true;
                                    })
                            .isPresent();
            return names;
        }
    }

    private static void print(Identity identity, Attributes attributes, Output output) {
        ProcessInfo info = identity.info();
        identity.printPerson(output);
        attributes.commandLine.ifPresent(words ->
                output.field(
                        "command",
                        words.isEmpty()
                                ? "none (a kernel thread, or a zombie)"
                                : String.join(" ", words)));
        String unseen =
                identity.state() == PidFd.State.ALIVE ? "not ours to see" : "none (it has exited)";
        output.field("executable", attributes.executable.map(Path::toString).orElse(unseen));
        output.field("directory", attributes.directory.map(Path::toString).orElse(unseen));
        attributes.noNewPrivileges.ifPresent(set ->
                output.field(
                        "privileges",
                        set
                                ? "can gain none (no_new_privs)"
                                : "can gain some by set-uid programs"));
        output.field("parent", attributes.parent.map(ProcessId::toString).orElse("not visible"));
        if (!attributes.children.isEmpty()) {
            output.field("children", String.join(" ", attributes.children));
        }
        attributes.startTime.ifPresent(
                at -> output.field("started", timestamp(at) + ", " + age(at) + " ago"));
        identity.printCgroup(output);
        identity.exit().ifPresent(exit -> output.field("exit", exit.toString()));
        info.coreDump().ifPresent(dump -> output.field("core dump", text(dump)));
        output.field(
                "source",
                switch (info.source()) {
                    case KERNEL -> "one snapshot of the kernel (PIDFD_GET_INFO)";
                    case PROC -> "/proc, verified against the pidfd";
                    case NONE -> "nothing is left of it";
                });
    }

    private static String text(CoreDump dump) {
        return dump.signal().map(signal -> "by " + signal).orElse("written")
                + (dump.onlyForRoot() ? ", readable by root only" : "");
    }

    private static JsonText json(Identity identity, Attributes attributes) {
        ProcessInfo info = identity.info();
        return identity.personJson()
                .put("commandLine", attributes.commandLine)
                .put("executable", attributes.executable.map(Path::toString))
                .put("directory", attributes.directory.map(Path::toString))
                .put("noNewPrivileges", attributes.noNewPrivileges)
                .put("parent", orNull(info.ppid()))
                .put("children", attributes.children)
                .put("startTime", attributes.startTime.map(InfoCommand::timestamp))
                .put("cgroup", identity.cgroup().map(CgroupPath::path))
                .put("cgroupId", orNull(info.cgroupId()))
                .put("exit", identity.exit().map(ExitText::json))
                .put("coreDump", info.coreDump().map(InfoCommand::json))
                .put("source", info.source().name().toLowerCase(Locale.ROOT));
    }

    private static JsonText json(CoreDump dump) {
        return JsonText.object()
                .put("signal", dump.signal().map(Object::toString))
                .put("onlyForRoot", dump.onlyForRoot());
    }

    /** As {@code Instant.toString} has it, without a formatter: those cost 5 ms of a start. */
    private static String timestamp(Instant at) {
        return LocalDateTime.ofEpochSecond(at.getEpochSecond(), 0, ZoneOffset.UTC) + "Z";
    }

    private static String age(Instant since) {
        long seconds = Math.max(0, System.currentTimeMillis() / 1000 - since.getEpochSecond());
        long minutes = seconds / 60;
        long hours = minutes / 60;
        long days = hours / 24;
        if (days > 0) {
            return days + " d " + hours % 24 + " h";
        }
        if (hours > 0) {
            return hours + " h " + minutes % 60 + " min";
        }
        return minutes > 0 ? minutes + " min " + seconds % 60 + " s" : seconds + " s";
    }
}
