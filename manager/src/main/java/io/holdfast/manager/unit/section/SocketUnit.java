package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.settings.CgroupSettings;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A socket: the addresses that it listens on, and the service that traffic starts. */
public record SocketUnit(UnitParts parts, SocketSection socket) implements Unit {
    private static final UnitName SOCKETS = UnitName.of("sockets.target");

    static UnitFormat.OwnSection begin(
            UnitName name, UnitSection.Reader unit, ManagerScope scope, ManagerDefaults defaults) {
        SocketSectionReader socket = new SocketSectionReader();
        return new UnitFormat.OwnSection(
                List.of(socket),
                draft -> {
                    SocketSection section = socket.build(draft.source().name());
                    if (draft.isWhole()) {
                        socket.check(section, draft::refuse);
                    }
                    draft.refuseTemplate();
                    return new SocketUnit(draft.parts(), section);
                });
    }

    @Override
    public SocketUnit with(UnitParts other) {
        return new SocketUnit(other, socket);
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
    public Map<String, String> otherUsers() {
        return socket.owner().user().map(user -> Map.of("SocketUser", user)).orElse(Map.of());
    }

    @Override
    public Map<String, String> otherGroups() {
        return socket.owner().group().map(group -> Map.of("SocketGroup", group)).orElse(Map.of());
    }

    @Override
    public List<String> servedPaths() {
        return socket.nodes();
    }

    @Override
    public void imply(ManagerScope scope, Dependencies.Builder implied) {
        ImpliedDependencies.needs(implied, CgroupSettings.NONE.sliceOf(name(), scope));
        for (UnitName service : triggers()) {
            implied.add(Dependency.BEFORE, service);
        }
        if (unit().defaultDependencies()) {
            implied.add(Dependency.BEFORE, SOCKETS);
            if (!scope.user()) {
                ImpliedDependencies.needs(implied, ImpliedDependencies.SYSINIT);
            }
        }
    }
}
