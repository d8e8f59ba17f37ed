package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitSource;
import java.util.List;
import java.util.Set;

/** A socket: the addresses that it listens on, and the service that traffic starts. */
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

    @Override
    public SocketUnit with(UnitSection section) {
        return new SocketUnit(source, section, socket, install, diagnostics);
    }

    @Override
    public Set<UnitName> triggers() {
        return socket.accept() ? Set.of() : Set.of(socket.service());
    }

    @Override
    public boolean passesDescriptors() {
        return !socket.accept();
    }

    /** Returns the service, or the template whose instances the connections get. */
    @Override
    public Set<UnitName> unitsThatMustExist() {
        return isRefused() ? Set.of() : Set.of(socket.service());
    }

    @Override
    public List<String> servedPaths() {
        return socket.nodes();
    }
}
