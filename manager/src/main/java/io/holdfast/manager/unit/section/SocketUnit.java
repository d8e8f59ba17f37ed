package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.file.UnitSource;
import java.util.List;

/** A socket: what is listened on, and which service is started by what comes in. */
public record SocketUnit(
        UnitSource source,
        UnitSection unit,
        SocketSection socket,
        InstallSection install,
        List<Diagnostic> diagnostics)
        implements Unit {
    public SocketUnit {
        diagnostics = List.copyOf(diagnostics);
    }

    /** Whether it is a socket of this service: by its own word, or by the service's. */
    public boolean triggers(Unit other) {
        boolean named = !socket.accept() && other.source().names().contains(socket.service());
        return named
                || (other instanceof ServiceUnit service
                        && service.service().sockets().stream()
                                .anyMatch(name -> source.names().contains(name)));
    }
}
