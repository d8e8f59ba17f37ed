package io.holdfast.cli.command;

import io.holdfast.authority.AuthorityLimits;
import io.holdfast.authority.client.limit.AuthorityClientLimits;
import io.holdfast.cli.output.LineQueue;
import io.holdfast.core.limit.CoreLimits;
import io.holdfast.core.limit.Limit;
import io.holdfast.dbus.marshal.DBusLimits;
import io.holdfast.manager.Manager;
import io.holdfast.receiver.Receiver;
import io.holdfast.varlink.wire.VarlinkLimits;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The limits of the daemons that system properties set. The limits of a bus are in its
 * configuration.
 */
public final class ProcessLimits {
    private ProcessLimits() {}

    /** Returns all limits, by module. */
    public static List<Limit> all() {
        return Stream.of(
                        CoreLimits.all(),
                        VarlinkLimits.all(),
                        DBusLimits.all(),
                        Manager.limits(),
                        Receiver.limits(),
                        AuthorityClientLimits.all(),
                        AuthorityLimits.all(),
                        ForwardLimits.all(),
                        List.of(
                                LineQueue.LINES,
                                LineQueue.CHARACTERS,
                                Candidate.TIMEOUT,
                                ReplyLimits.TIMEOUT))
                .flatMap(List::stream)
                .toList();
    }

    /**
     * Refuses properties with invalid limits: a daemon must not run with limits other than the
     * configured ones.
     *
     * @throws CommandException if a property is invalid; names each invalid property
     */
    static void requireValid() {
        String problems =
                all().stream()
                        .map(Limit::problem)
                        .flatMap(Optional::stream)
                        .collect(Collectors.joining("; "));
        if (!problems.isEmpty()) {
            throw new CommandException(problems, ExitCode.USAGE);
        }
    }
}
