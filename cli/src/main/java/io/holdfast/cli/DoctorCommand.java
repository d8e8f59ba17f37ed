package io.holdfast.cli;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.HostInit;
import io.holdfast.cli.command.ProcessLimits;
import io.holdfast.cli.output.AccountText;
import io.holdfast.cli.output.JsonText;
import io.holdfast.cli.output.Output;
import io.holdfast.cli.process.ProcessIdentity;
import io.holdfast.core.Feature;
import io.holdfast.core.limit.Limit;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Namespace;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.core.sys.process.SysResource;
import io.holdfast.manager.exec.SandboxSupport;
import io.holdfast.manager.resource.CgroupPrograms;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Lists the features of the kernel and the C library, and the fallback of each missing one. */
final class DoctorCommand implements Command {
    private static final int RLIMIT_NPROC = 6;
    private static final int RLIMIT_NOFILE = 7;

    /** A property of the machine, as text. */
    record Fact(String name, String value) {}

    @Override
    public CommandSpec spec() {
        return Grammar.of(
                        this,
                        "List the features of the kernel and the C library, and the fallback of"
                                + " each missing one.")
                .footer(
                        "%nExit codes: 0 Holdfast can run on this machine, 1 a required feature is"
                                + " missing.",
                        "%nExamples:",
                        "  holdfast doctor",
                        "  holdfast doctor --limits",
                        "  holdfast doctor --json | jq '.features[] | select(.present | not) | .name'")
                .flag(
                        "--limits",
                        "Print the limits of the daemons and the Java system properties that set"
                                + " them: JDK_JAVA_OPTIONS=-DPROPERTY=NUMBER.")
                .json("Print one JSON object.")
                .spec();
    }

    @Override
    public int run(ParseResult line, Output output) throws InterruptedException {
        List<Fact> facts = facts();
        if (line.hasMatchedOption("--json")) {
            output.line(json(facts).toString());
        } else if (line.hasMatchedOption("--limits")) {
            ProcessLimits.all().forEach(limit -> output.line(described(limit)));
        } else {
            print(facts, output);
        }
        return isFit() ? ExitCode.OK : ExitCode.FAILURE;
    }

    private static String described(Limit limit) {
        return limit
                + (limit.value() == limit.standard()
                        ? ""
                        : " (" + limit.standard() + " by default)")
                + ": "
                + limit.what();
    }

    /**
     * Returns the limits that differ from their defaults, and the properties with an invalid limit.
     */
    private static List<Fact> limits() {
        List<Fact> facts = new ArrayList<>();
        for (Limit limit : ProcessLimits.all()) {
            if (limit.value() != limit.standard()) {
                facts.add(new Fact("limit", described(limit)));
            }
            limit.problem().ifPresent(problem -> facts.add(new Fact("limit", problem)));
        }
        return facts;
    }

    /**
     * Returns whether all features are present that every command needs and that have no fallback.
     */
    private static boolean isFit() {
        return Feature.PIDFD_OPEN.isPresent() && Feature.WAIT_PIDFD.isPresent();
    }

    private static void print(List<Fact> facts, Output output) {
        for (Fact fact : facts) {
            output.field(fact.name, fact.value);
        }
        output.line("");
        int missing = 0;
        for (Feature feature : Feature.values()) {
            boolean present = feature.isPresent();
            missing += present ? 0 : 1;
            output.line(
                    present ? output.good("yes") : output.warning("no "),
                    "  " + feature.what(),
                    output.faint(", " + feature.since()));
            if (!present) {
                output.line(
                        "       "
                                + (feature.isHidden() ? "hidden by io.holdfast.without; " : "")
                                + "instead: "
                                + feature.fallback());
            }
        }
        output.line("");
        output.line(
                !isFit()
                        ? output.bad("Holdfast cannot run on this machine: it needs Linux 5.4.")
                        : missing == 0
                                ? output.good("All features are present.")
                                : "Holdfast can run on this machine; "
                                        + missing
                                        + (missing == 1 ? " feature is" : " features are")
                                        + " missing (see \"instead\").");
    }

    private static JsonText json(List<Fact> facts) {
        JsonText machine = JsonText.object();
        facts.forEach(fact -> machine.put(fact.name, fact.value));
        List<JsonText> features = new ArrayList<>();
        for (Feature feature : Feature.values()) {
            features.add(
                    JsonText.object()
                            .put("name", feature.name())
                            .put("what", feature.what())
                            .put("present", feature.isPresent())
                            .put("hidden", feature.isHidden())
                            .put("since", feature.since())
                            .put("fallback", feature.fallback()));
        }
        List<JsonText> limits =
                ProcessLimits.all().stream()
                        .map(limit ->
                                JsonText.object()
                                        .put("property", limit.property())
                                        .put("value", limit.value())
                                        .put("default", limit.standard())
                                        .put("unit", limit.unit().name().toLowerCase(Locale.ROOT))
                                        .put("what", limit.what())
                                        .put("problem", limit.problem().orElse("")))
                        .toList();
        return JsonText.object()
                .put("fit", isFit())
                .put("machine", machine)
                .put("features", features)
                .put("limits", limits);
    }

    private static List<Fact> facts() throws InterruptedException {
        List<Fact> facts = new ArrayList<>();
        facts.add(new Fact("kernel", "Linux " + System.getProperty("os.version")));
        facts.add(new Fact("libc", libc()));
        facts.add(new Fact("java", Runtime.version() + ", " + System.getProperty("os.arch")));
        facts.add(new Fact("user", user()));
        facts.add(new Fact("init", HostInit.isSystemd() ? "systemd" : "not systemd"));
        facts.add(new Fact("cgroup2", cgroup()));
        facts.add(new Fact("open files", limit(RLIMIT_NOFILE) + "; each held process needs one"));
        facts.add(new Fact("processes", limit(RLIMIT_NPROC) + "; PIDs up to " + kernel("pid_max")));
        read("/proc/sys/fs/epoll/max_user_watches")
                .ifPresent(most -> facts.add(new Fact("watches", "at most " + most + " per user")));
        read("/proc/sys/kernel/yama/ptrace_scope")
                .filter(scope -> !scope.equals("0"))
                .ifPresent(scope ->
                        facts.add(
                                new Fact(
                                        "yama",
                                        "ptrace_scope "
                                                + scope
                                                + ": descriptors only of own children")));
        facts.addAll(sandboxes());
        facts.add(filters());
        facts.add(programs());
        facts.addAll(AuthorityFacts.facts());
        facts.addAll(limits());
        return facts;
    }

    /** Returns what the sandboxes of services cannot have here, with the reasons. */
    private static List<Fact> sandboxes() {
        Map<String, Set<Namespace.Kind>> lacking =
                SandboxSupport.find(SandboxSupport.Mode.AS_FOUND).lacking();
        return lacking.isEmpty()
                ? List.of(new Fact("sandboxes", "can have mounts and namespaces of their own"))
                : lacking.entrySet().stream()
                        .map(each ->
                                new Fact(
                                        "sandboxes",
                                        "cannot have namespaces of their own of the kinds "
                                                + each.getValue().stream()
                                                        .map(Namespace.Kind::name)
                                                        .collect(Collectors.joining(", "))
                                                + ": "
                                                + each.getKey()
                                                + "; directives that need one are dropped"))
                        .toList();
    }

    /** Returns whether services can have filters of system calls here. */
    private static Fact filters() {
        String refusal = SandboxSupport.find(SandboxSupport.Mode.AS_FOUND).filterRefusal();
        return new Fact(
                "system calls",
                refusal.isEmpty()
                        ? "services can have filters of them"
                        : "cannot be filtered: " + refusal + "; the directives are dropped");
    }

    /** Returns whether cgroups can have programs that restrict devices and addresses here. */
    private static Fact programs() {
        try (CgroupPrograms programs = CgroupPrograms.attempted()) {
            return new Fact(
                    "bpf",
                    programs.refusal()
                            .map(reason ->
                                    "devices and addresses of services cannot be restricted: "
                                            + reason
                                            + "; the directives are dropped")
                            .orElse("programs can restrict devices and addresses of services"));
        }
    }

    private static String user() {
        try (PidFd self = PidFd.self()) {
            return self.info()
                    .credentials()
                    .map(ids -> AccountText.user(ids.effectiveUid()))
                    .orElse("unknown");
        }
    }

    /**
     * Returns the version of the C library as {@code getconf(1)} prints it; no file contains it.
     */
    private static String libc() throws InterruptedException {
        try (Child getconf =
                Spawn.of("getconf", "GNU_LIBC_VERSION")
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.devNull())
                        .start()) {
            String version =
                    new String(getconf.stdout().readAllBytes(), StandardCharsets.UTF_8).strip();
            return getconf.await().isSuccess() && !version.isEmpty() ? version : "not glibc";
        } catch (IOException | RuntimeException e) {
            return "unknown: getconf(1) is missing";
        }
    }

    private static String cgroup() {
        if (!Cgroup.isMounted()) {
            return "not mounted: processes cannot be spawned into a cgroup, or killed with it";
        }
        return Cgroup.mountPoint()
                + ProcessIdentity.readIfPermitted(Cgroup::own)
                        .map(own -> {
                            try (own) {
                                return ", own cgroup " + own.path() + rights(own);
                            }
                        })
                        .orElse("");
    }

    private static String rights(Cgroup own) {
        Path folder = Path.of(Cgroup.mountPoint() + own.path());
        return Files.isWritable(folder)
                ? ", may create cgroups below it"
                : ", may not create cgroups below it";
    }

    private static String limit(int resource) {
        long[] limits = SysResource.limit(resource);
        return amount(limits[0]) + (limits[0] == limits[1] ? "" : ", hard " + amount(limits[1]));
    }

    private static String amount(long limit) {
        return limit == SysResource.INFINITY ? "unlimited" : Long.toUnsignedString(limit);
    }

    private static String kernel(String name) {
        return read("/proc/sys/kernel/" + name).orElse("?");
    }

    private static Optional<String> read(String file) {
        return ProcessIdentity.readIfPermitted(() -> KernelFile.text(null, file).strip());
    }
}
