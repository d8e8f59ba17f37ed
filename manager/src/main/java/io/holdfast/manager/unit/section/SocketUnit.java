package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.settings.CgroupSettings;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.settings.ExecSettingsReader;
import io.holdfast.manager.unit.settings.KillSettings;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A socket: the addresses that it listens on, the service that traffic starts, and the commands
 * that run before and after it listens.
 *
 * @param timeout of each command
 */
public record SocketUnit(
        UnitParts parts,
        SocketSection socket,
        Commands commands,
        TimeSpan timeout,
        ExecSettings exec,
        KillSettings kill,
        CgroupSettings cgroup)
        implements Unit {
    private static final UnitName SOCKETS = UnitName.of("sockets.target");

    /** The commands, each list in the order in which it runs. */
    public record Commands(
            List<ExecCommand> startPre,
            List<ExecCommand> startPost,
            List<ExecCommand> stopPre,
            List<ExecCommand> stopPost) {
        public Commands {
            startPre = List.copyOf(startPre);
            startPost = List.copyOf(startPost);
            stopPre = List.copyOf(stopPre);
            stopPost = List.copyOf(stopPost);
        }

        /** {@return whether it has any} */
        public boolean exist() {
            return Stream.of(startPre, startPost, stopPre, stopPost)
                    .anyMatch(list -> !list.isEmpty());
        }
    }

    static UnitFormat.OwnSection begin(
            UnitName name, UnitSection.Reader unit, ManagerScope scope, ManagerDefaults defaults) {
        SocketSectionReader socket = new SocketSectionReader();
        SocketCommandsReader commands = new SocketCommandsReader(defaults);
        ExecSettingsReader exec = new ExecSettingsReader(scope, defaults);
        KillSettings.Reader kill = new KillSettings.Reader();
        CgroupSettings.Reader cgroup = new CgroupSettings.Reader(defaults);
        return new UnitFormat.OwnSection(
                List.of(socket, commands, exec, kill, cgroup),
                draft -> {
                    SocketSection section = socket.build(draft.source().name());
                    if (draft.isWhole()) {
                        socket.check(section, draft::refuse);
                    }
                    ExecSettings execution = exec.build();
                    KillSettings signals = kill.build();
                    ExecChecks.check(draft, execution, signals, scope);
                    draft.refuseTemplate();
                    return new SocketUnit(
                            draft.parts(),
                            section,
                            commands.commands(),
                            commands.timeout(),
                            execution,
                            signals,
                            cgroup.build(execution.sandbox()));
                });
    }

    @Override
    public SocketUnit with(UnitParts other) {
        return new SocketUnit(other, socket, commands, timeout, exec, kill, cgroup);
    }

    @Override
    public Optional<ExecSettings> execution() {
        return commands.exist() ? Optional.of(exec) : Optional.empty();
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
        ImpliedDependencies.needs(implied, cgroup.sliceOf(name(), scope));
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
