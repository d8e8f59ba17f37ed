package io.holdfast.manager.view;

import io.holdfast.core.process.ProcessId;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.section.SocketSection.Listen;
import java.util.List;
import java.util.Optional;

/**
 * The state of a socket beyond its {@link UnitStatus}.
 *
 * @param listens in the order of the unit's lines
 * @param accept whether each connection gets an instance
 * @param connections whose instances run now; 0 without {@code Accept=yes}, as are the next two
 * @param accepted connections since the unit was loaded
 * @param refused connections beyond a limit
 * @param control the command that runs
 * @param triggers the services that it activates: its own, or the instances that run now
 */
public record SocketStatus(
        UnitName unit,
        List<Listen> listens,
        boolean accept,
        int connections,
        long accepted,
        long refused,
        Optional<ProcessId> control,
        List<UnitName> triggers)
        implements UnitDetails {
    public SocketStatus {
        listens = List.copyOf(listens);
        triggers = List.copyOf(triggers);
    }

    @Override
    public Optional<List<UnitName>> triggered() {
        return Optional.of(triggers);
    }
}
