package io.holdfast.cli;

import io.holdfast.core.linux.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.Credentials;
import io.holdfast.core.process.Members;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessInfo;
import io.holdfast.manager.JobResult;
import io.holdfast.manager.Manager;
import io.holdfast.manager.ManagerListener;
import io.holdfast.manager.ManagerOptions;
import io.holdfast.manager.UnitStatus;
import io.holdfast.manager.unit.UnitName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/**
 * Shows in a minute what this is about: the attack on numbers, the refusal, and a service's
 * identity.
 */
final class TourCommand implements Command {
    private static final UnitName UNIT = UnitName.of("tour.service");
    private static final long PATIENCE = 30;
    private static final Duration PAUSE = Duration.ofMillis(2500);
    private static final String SERVICE =
            """
            [Unit]
            Description=A service of the tour
            [Service]
            ExecStart=/bin/sleep 300
            NoNewPrivileges=yes
            """;

    @Override
    public CommandSpec spec() {
        CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
        spec.usageMessage()
                .header("See in a minute what this is about.")
                .description(
                        "%nA process's number is given to another process, as it happens on every machine; what goes by"
                                + " number is fooled, what holds a pidfd is not. Then a service is started, and asked who it"
                                + " is. Needs root for the first part; leaves nothing behind.%n")
                .footer("%nExamples:", "  holdfast tour");
        return spec;
    }

    @Override
    public int run(ParseResult line, Output output) throws Exception {
        attack(output);
        identity(output);
        return ExitCode.OK;
    }

    private static void attack(Output output) throws InterruptedException {
        title(output, "1. A number is not a process");
        Optional<NumberAttack> attack = NumberAttack.run();
        if (attack.isEmpty()) {
            output.line(
                    "   (the kernel gives numbers away on demand only to root: run this as root to see it)");
            return;
        }
        try (NumberAttack recycled = attack.get()) {
            PidFd victim = recycled.victim();
            int number = recycled.number();
            output.line(
                    "   A worker ran as process "
                            + number
                            + ". It is dead, and its number went to a stranger:");
            output.line(
                    "   "
                            + number
                            + " is now "
                            + recycled.stranger().pidFd()
                            + ", held by descriptor.");
            title(output, "2. What goes by number is fooled");
            output.line(
                    "   ProcessHandle says the worker is alive: "
                            + bad(output, recycled.handle().isAlive()));
            boolean sent = recycled.handle().destroyForcibly();
            output.line(
                    "   ProcessHandle.destroyForcibly() of the dead worker: "
                            + (sent
                                    ? output.style(
                                            "the stranger " + recycled.stranger().await(), "31")
                                    : "refused"));
            title(output, "3. What holds a pidfd is not");
            output.line(
                    "   the worker is "
                            + good(
                                    output,
                                    victim.state().toString().toLowerCase(java.util.Locale.ROOT)));
            output.line(
                    "   how it ended: "
                            + good(
                                    output,
                                    victim.info()
                                            .exit()
                                            .map(Object::toString)
                                            .orElse("nobody tells")));
            output.line(
                    "   KILL to it: "
                            + (victim.signal(Signal.KILL)
                                    ? bad(output, true)
                                    : good(output, "not sent, there is nobody")));
            output.line(
                    "   is the stranger the worker? "
                            + good(
                                    output,
                                    victim.equals(recycled.stranger().pidFd()) ? "yes" : "no"));
        }
    }

    private static void identity(Output output) throws Exception {
        title(output, "4. Who is this? A service, asked through its descriptor");
        Path folder = Files.createTempDirectory("holdfast-tour");
        try {
            Path ignored = Files.writeString(folder.resolve(UNIT.text()), SERVICE);
            ManagerOptions options =
                    ManagerSocket.ofCaller(false)
                            .withUnits(List.of(folder))
                            .withRuntimeDirectory(folder)
                            .withSlice(
                                    UnitName.of(
                                            "holdfasttour"
                                                    + ProcessHandle.current().pid()
                                                    + ".slice"));
            try (Manager manager = Manager.open(options, new Silent())) {
                Thread loop = Thread.ofPlatform().name("holdfast-tour").start(manager::run);
                try {
                    Map<UnitName, JobResult> started = answer(manager.start(List.of(UNIT)));
                    if (started.get(UNIT) != JobResult.DONE) {
                        throw new CommandException("the service of the tour did not start");
                    }
                    tell(answer(manager.status(UNIT)), output);
                } finally {
                    Map<UnitName, JobResult> stopped = answer(manager.shutdown());
                    loop.join();
                    JobResult result = stopped.get(UNIT);
                    output.line(
                            "   stopped: "
                                    + (result == null ? "no answer" : result.word())
                                    + "; nothing is left behind");
                }
            }
        } finally {
            remove(folder);
        }
    }

    private static void tell(UnitStatus status, Output output) {
        try (PidFd process = PidFd.restore(status.mainProcess().orElseThrow())) {
            ProcessInfo info = process.info();
            Credentials ids = info.credentials().orElseThrow();
            row(
                    output,
                    "pidfd → process",
                    process + ", by its id of this boot, from " + info.source());
            row(output, "pidfd → pid", info.pid().orElseThrow() + " (for people)");
            row(
                    output,
                    "pidfd → credentials",
                    "user "
                            + ids.effectiveUid()
                            + ", group "
                            + ids.effectiveGid()
                            + ", no new privileges: "
                            + process.proc().noNewPrivileges());
            CgroupPath path = process.cgroupPath();
            row(output, "pidfd → cgroup", path.path());
            row(output, "cgroup → unit", path.unit().orElse(status.name()) + " in " + path.slice());
            row(output, "unit → invocation", status.invocationId());
            if (status.cgroup().isPresent()) {
                try (Cgroup cgroup = process.cgroup();
                        Members members = cgroup.members()) {
                    row(output, "cgroup → pidfds", members.size() + " held, each verified");
                }
            }
        }
    }

    private static <T> T answer(java.util.concurrent.Future<T> future)
            throws InterruptedException, ExecutionException, TimeoutException {
        return future.get(PATIENCE, TimeUnit.SECONDS);
    }

    private static void remove(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }

    /** A heading, after time to read what stands above it if somebody does. */
    private static void title(Output output, String text) throws InterruptedException {
        if (output.isTerminal()) {
            Thread.sleep(PAUSE);
        }
        output.line("");
        output.line(output.style(text, "1"));
    }

    private static void row(Output output, String title, String text) {
        output.line("   " + title + " ".repeat(Math.max(1, 22 - title.length())) + text);
    }

    private static String good(Output output, String text) {
        return output.style(text, "32");
    }

    private static String bad(Output output, boolean fooled) {
        return output.style(fooled ? "yes – fooled" : "no", fooled ? "31" : "32");
    }

    /** The tour tells what matters by itself. */
    private static final class Silent implements ManagerListener {
        @Override
        public void event(UnitName unit, Level level, String text) {}

        @Override
        public void output(UnitName unit, String line) {}

        @Override
        public void event(Level level, String text) {}
    }
}
