package io.holdfast.cli.tour;

import io.holdfast.authority.AuthorityEngine;
import io.holdfast.authority.EmbeddedAuthority;
import io.holdfast.authority.client.Authority;
import io.holdfast.authority.client.Decision;
import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.output.Output;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.CgroupPlace;
import io.holdfast.core.process.Credentials;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Members;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessInfo;
import io.holdfast.core.sys.Unistd;
import io.holdfast.manager.view.UnitStatus;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/**
 * Shows in one minute what Holdfast is for: an attack through a reused PID, its refusal by pidfd,
 * the identity of a service, and an authority's decision about that service.
 */
public final class TourCommand implements Command {
    private static final String ATTACK = "--attack-here";
    private static final Duration PAUSE = Duration.ofMillis(2500);

    /** The exit code of {@code --attack-here} if the kernel does not permit the attack. */
    private static final int NOT_SHOWN = 3;

    @Override
    public CommandSpec spec() {
        return Grammar.of(this, "Show in one minute what Holdfast is for.")
                .description(
                        "%nReuses the PID of a process, as happens on every machine: a program that"
                                + " identifies processes by PID is deceived, a program that holds a"
                                + " pidfd is not. Then starts a service, prints its identity, and"
                                + " asks an authority whether the service is authorized for an"
                                + " action that no other process may perform. The PID is reused in"
                                + " a private PID namespace, if permitted. The tour leaves nothing"
                                + " behind, even if it is interrupted.%n")
                .footer("%nExamples:", "  holdfast tour")
                .option(
                        OptionSpec.builder(ATTACK)
                                .paramLabel("SCRATCH")
                                .type(Path.class)
                                .hidden(true))
                .spec();
    }

    @Override
    public int run(ParseResult line, Output output) throws Exception {
        Path given = line.matchedOptionValue(ATTACK, null);
        if (given != null) {
            return attack(given, output) ? ExitCode.OK : NOT_SHOWN;
        }
        try (TourScratch scratch = TourScratch.make()) {
            Optional<Exit> shown =
                    OwnNamespace.run("tour", "tour", ATTACK + "=" + scratch.folder());
            awaitShutdownHooks();
            if (!shown.map(Exit::isSuccess).orElse(false) && !attack(scratch.folder(), output)) {
                title(output, "1. A PID is not a process");
                output.line(
                        "   (not shown: only root or a user namespace may choose the next PID, and"
                                + " this kernel does not permit you to create a user namespace; run"
                                + " this as root)");
            }
            service(scratch.folder(), output);
            return ExitCode.OK;
        } finally {
            awaitShutdownHooks();
        }
    }

    /** Waits forever if the JVM is shutting down, so that the shutdown hooks can clean up. */
    private static void awaitShutdownHooks() throws InterruptedException {
        Thread probe = new Thread(() -> {});
        try {
            Runtime.getRuntime().addShutdownHook(probe);
            boolean ignored = Runtime.getRuntime().removeShutdownHook(probe);
        } catch (IllegalStateException e) {
            new CountDownLatch(1).await();
        }
    }

    /** Shows the attack; false if the kernel does not permit it. */
    private static boolean attack(Path scratch, Output output)
            throws IOException, InterruptedException {
        Optional<NumberAttack> attack = NumberAttack.run();
        if (attack.isEmpty()) {
            return false;
        }
        title(output, "1. A PID is not a process");
        try (NumberAttack recycled = attack.get()) {
            PidFd victim = recycled.victim();
            int number = recycled.number();
            output.line(
                    "   A worker ran as process "
                            + number
                            + ". It was killed, and its PID was reused by another process:");
            output.line(
                    "   "
                            + number
                            + " is now "
                            + recycled.successor().pidFd()
                            + ", held by descriptor.");
            title(output, "2. A program that uses the PID is deceived");
            output.line(
                    "   ProcessHandle says the worker is alive: ",
                    bad(output, recycled.handle().isAlive()));
            boolean sent = recycled.handle().destroyForcibly();
            output.line(
                    "   ProcessHandle.destroyForcibly() of the dead worker: ",
                    sent
                            ? output.bad("the other process was " + recycled.successor().await())
                            : "refused");
            title(output, "3. A program that holds a pidfd is not");
            output.line(
                    "   the worker is ",
                    output.good(victim.state().toString().toLowerCase(java.util.Locale.ROOT)));
            output.line(
                    "   how it ended: ",
                    output.good(victim.info().exit().map(Object::toString).orElse("unknown")));
            output.line(
                    "   KILL to it: ",
                    victim.signal(Signal.KILL)
                            ? bad(output, true)
                            : output.good("not sent, the process is gone"));
            output.line(
                    "   is the other process the worker? ",
                    output.good(victim.equals(recycled.successor().pidFd()) ? "yes" : "no"));
            try (AuthorityEngine engine = TourScratch.engine(scratch);
                    Authority authority = EmbeddedAuthority.of(engine)) {
                output.line("   is the dead worker authorized for an action that all may perform?");
                explain(check(authority, victim, TourScratch.OPEN_ACTION), output);
            }
        }
        return true;
    }

    private static void service(Path scratch, Output output) throws Exception {
        title(output, "4. Identity: a service, read through its pidfd");
        try (TourStage stage = new TourStage()) {
            UnitStatus status = stage.start();
            printIdentity(status, output);
            title(
                    output,
                    "5. Authorization: an authority checks a pidfd, and explains its decision");
            authorize(scratch, status, output);
        }
        output.line("   stopped; nothing is left behind");
    }

    private static void authorize(Path scratch, UnitStatus status, Output output)
            throws IOException, InterruptedException {
        output.line("   a rule says: " + TourScratch.rule());
        try (AuthorityEngine engine = TourScratch.engine(scratch);
                Authority authority = EmbeddedAuthority.of(engine);
                PidFd service = PidFd.restore(status.mainProcess().orElseThrow());
                PidFd self = PidFd.self()) {
            output.line("   check of a process of that service:");
            explain(check(authority, service, TourScratch.GUARDED_ACTION), output);
            if (status.cgroup().isEmpty()) {
                output.line(
                        "   (not granted: without its own cgroup the unit of the process is"
                                + " unknown; run this as root)");
            }
            output.line("   check of this tour, which is not part of that service:");
            explain(check(authority, self, TourScratch.GUARDED_ACTION), output);
        }
    }

    /**
     * Checks a process, which acts for the user of the tour. The rules are evaluated for root, too,
     * because root would be authorized without them.
     */
    private static Decision check(Authority authority, PidFd process, String action)
            throws InterruptedException {
        try {
            return authority
                    .check(
                            process,
                            Unistd.geteuid(),
                            action,
                            Map.of(),
                            Authority.Option.ALWAYS,
                            Authority.Option.EXPLAIN)
                    .get();
        } catch (ExecutionException e) {
            throw new CommandException(String.valueOf(e.getCause()), e);
        }
    }

    private static void explain(Decision decision, Output output) {
        row(
                output,
                "  " + (decision.isAuthorized() ? "granted" : "refused"),
                decision.failure().orElse(""));
        decision.explanation()
                .ifPresent(explanation ->
                        explanation
                                .steps()
                                .forEach(step ->
                                        row(
                                                output,
                                                "    " + step.topic(),
                                                step.text(),
                                                output.faint(
                                                        step.place().isEmpty()
                                                                ? ""
                                                                : " " + step.place()))));
    }

    private static void printIdentity(UnitStatus status, Output output) {
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
            row(output, "pidfd → cgroup", process.cgroupPath().path());
            Optional<CgroupPath> place = CgroupPlace.of(process);
            Optional<String> unit = place.flatMap(CgroupPath::unit);
            row(
                    output,
                    unit.isPresent() ? "cgroup → unit" : "manager → unit",
                    unit.orElse(status.name())
                            + place.map(path -> " in " + path.slice()).orElse(""));
            row(output, "unit → invocation", status.invocationId());
            if (status.cgroup().isPresent()) {
                try (Cgroup cgroup = process.cgroup();
                        Members members = cgroup.members()) {
                    row(output, "cgroup → pidfds", members.size() + " held, each verified");
                }
            } else {
                output.line(
                        "   (not shown: a cgroup of the service; only root may create one here)");
            }
        }
    }

    /** Prints a heading; on a terminal after a pause, to read the text above it. */
    private static void title(Output output, String text) throws InterruptedException {
        if (output.isTerminal()) {
            Thread.sleep(PAUSE);
        }
        output.line("");
        output.line(output.strong(text));
    }

    private static void row(Output output, String title, String text) {
        row(output, title, text, output.faint(""));
    }

    private static void row(Output output, String title, String text, Output.Styled detail) {
        output.line("   " + title + " ".repeat(Math.max(1, 22 - title.length())) + text, detail);
    }

    private static Output.Styled bad(Output output, boolean deceived) {
        return deceived ? output.bad("yes – deceived") : output.good("no");
    }
}
