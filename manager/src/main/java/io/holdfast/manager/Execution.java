package io.holdfast.manager;

import io.holdfast.core.linux.Fd;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.manager.unit.ExecCommand;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.ServiceUnit;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

final class Execution {
    record Surroundings(
            Optional<Cgroup> cgroup, Fd output, String notifySocket, String invocationId) {}

    private final Surroundings s;

    Execution(ServiceUnit unit, ManagerScope scope, Surroundings s, Consumer<String> warnings) {
        this.s = s;
    }

    void prepare() {}

    Spawn spawnOf(ExecCommand command, Map<String, String> extra) {
        Spawn spawn =
                Spawn.of(command.executable())
                        .arguments(command.arguments().subList(1, command.arguments().size()))
                        .environment("NOTIFY_SOCKET", s.notifySocket())
                        .newSession()
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.descriptor(s.output()))
                        .stderr(Stdio.merged());
        s.cgroup().ifPresent(spawn::cgroup);
        return spawn;
    }

    void close() {}
}
