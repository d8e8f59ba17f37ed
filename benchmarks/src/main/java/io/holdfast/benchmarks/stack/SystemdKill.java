package io.holdfast.benchmarks.stack;

import io.holdfast.benchmarks.frame.Worker;
import io.holdfast.core.Signal;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Kills systemd and reports what happens to it and its services: as PID 1 it has no parent that
 * would restart it.
 */
final class SystemdKill {
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final Duration PAUSE = Duration.ofMillis(10);

    private final Path units;
    private final int services;
    private final String unit;
    private final String program;

    /**
     * @param units a folder of unit files
     * @param services the number of instances that run when it is killed
     * @param unit their template
     * @param program the name of their processes
     */
    SystemdKill(Path units, int services, String unit, String program) {
        this.units = units;
        this.services = services;
        this.unit = unit;
        this.program = program;
    }

    /** Returns the signals that were sent, and what was found after each. */
    String outcome() throws IOException, InterruptedException {
        String inside;
        String crash;
        try (SystemdProcess systemd = started()) {
            systemd.signalFromInside(Signal.KILL);
            inside = after(systemd);
            systemd.signalFromInside(Signal.SEGV);
            crash = after(systemd);
        }
        try (SystemdProcess systemd = started()) {
            systemd.signalFromOutside(Signal.KILL);
            return "SIGKILL from inside: %s; SIGSEGV: %s; SIGKILL from outside: %s"
                    .formatted(inside, crash, after(systemd));
        }
    }

    private SystemdProcess started() throws IOException, InterruptedException {
        SystemdProcess systemd = SystemdProcess.start(units);
        try (Worker generator = systemd.generatorOfPeers()) {
            double[] _ = generator.request("jobs StartUnit %s %2$d %2$d".formatted(unit, services));
            awaitServices(systemd); // a job is done before the service has executed its program
            return systemd;
        } catch (IOException | InterruptedException | RuntimeException e) {
            systemd.close();
            throw e;
        }
    }

    private void awaitServices(SystemdProcess systemd) throws IOException, InterruptedException {
        for (long end = System.nanoTime() + TIMEOUT.toNanos();
                systemd.running(program) < services; ) {
            if (System.nanoTime() > end) {
                throw new IOException("systemd did not start " + services + " services");
            }
            Thread.sleep(PAUSE);
        }
    }

    private String after(SystemdProcess systemd) throws IOException, InterruptedException {
        boolean answers = systemd.answers(TIMEOUT);
        boolean ended = !answers && systemd.awaitEnd(TIMEOUT);
        return "%d of %d run on, %s"
                .formatted(
                        systemd.running(program),
                        services,
                        answers ? "it answers" : ended ? "it has ended" : "it does not answer");
    }
}
