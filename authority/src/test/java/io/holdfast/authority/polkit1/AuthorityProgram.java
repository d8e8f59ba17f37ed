package io.holdfast.authority.polkit1;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.authority.AuthorityEngine;
import io.holdfast.authority.AuthorityOptions;
import io.holdfast.authority.Caller;
import io.holdfast.authority.PolicyFolders;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.dbus.address.BusAddress;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.nio.file.Path;

/**
 * An authority alone in its JVM, which reports what it holds: {@code BUS FOLDER}. For each line of
 * input it collects garbage, and prints a {@link Holding}. With {@code BUS FOLDER STATE} it uses a
 * state folder.
 */
final class AuthorityProgram {
    private static final int COLLECTIONS = 3; // objects that one finalizes, the next one frees

    private static final String ELASTIC = "holdfast-spawn-";

    private AuthorityProgram() {}

    /**
     * What the authority holds.
     *
     * @param heap bytes after garbage collections
     * @param descriptors open descriptors
     * @param threads platform threads, without those of the pool that grows with the work under way
     *     and shrinks again later
     * @param connections connections that have checks, agents or dialogs
     * @param temporary temporary authorizations
     */
    record Holding(long heap, int descriptors, int threads, int connections, int temporary) {
        static Holding parse(String line) {
            String[] words = line.split(" ", -1);
            return new Holding(
                    Long.parseLong(words[0]),
                    Integer.parseInt(words[1]),
                    Integer.parseInt(words[2]),
                    Integer.parseInt(words[3]),
                    Integer.parseInt(words[4]));
        }

        static Holding now(AuthorityEngine engine) {
            int connections = engine.connections().size();
            int temporary = engine.temporaryAuthorizations(Caller.SELF).size();
            MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
            for (int i = 0; i < COLLECTIONS; i++) {
                memory.gc();
            }
            return new Holding(
                    memory.getHeapMemoryUsage().getUsed(),
                    OpenDescriptors.now().count(),
                    (int)
                            Thread.getAllStackTraces().keySet().stream()
                                    .filter(each -> !each.getName().startsWith(ELASTIC))
                                    .count(),
                    connections,
                    temporary);
        }

        /** Returns whether all connections have gone, and at most so many descriptors are open. */
        boolean isIdle(int most) {
            return connections == 0 && temporary == 0 && descriptors <= most;
        }

        String line() {
            return "%d %d %d %d %d".formatted(heap, descriptors, threads, connections, temporary);
        }
    }

    static void main(String[] arguments) throws Exception {
        AuthorityOptions options = new PolicyFolders(Path.of(arguments[1])).options();
        if (arguments.length > 2) {
            options = options.withStateFolder(Path.of(arguments[2]));
        }
        try (BusPresence presence = BusPresence.on(BusAddress.parseList(arguments[0]), false);
                AuthorityEngine engine = AuthorityEngine.open(options.withUnits(presence.units()));
                BufferedReader in = new BufferedReader(new InputStreamReader(System.in, UTF_8))) {
            presence.serve(engine, () -> {});
            System.out.println("ready");
            while (in.readLine() != null) {
                System.out.println(Holding.now(engine).line());
            }
        }
    }
}
