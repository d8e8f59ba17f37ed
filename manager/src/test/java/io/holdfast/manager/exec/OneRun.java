package io.holdfast.manager.exec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Fd;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.settings.CgroupSettings;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import io.holdfast.manager.unit.value.ExecCommand;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One run of a service that tests describe by the lines of its {@code [Service]} section. */
final class OneRun implements AutoCloseable {
    private final ServiceUnit unit;
    private final Execution execution;
    private final ManagerScope scope;
    private final Path folder;
    private final DynamicUids uids;
    private final Fd readEnd;
    private final Fd output;
    private final List<String> warnings = new ArrayList<>();

    /**
     * Reads the unit, but prepares nothing.
     *
     * @param folder of the manager
     */
    OneRun(ManagerScope scope, Path folder, SandboxSupport support, String... lines) {
        this(scope, folder, new DynamicUids(folder.resolve("uids")), support, lines);
    }

    private OneRun(
            ManagerScope scope,
            Path folder,
            DynamicUids uids,
            SandboxSupport support,
            String... lines) {
        this.scope = scope;
        this.folder = folder;
        this.uids = uids;
        unit = TestUnits.service(scope, lines);
        assertThat(unit.diagnostics())
                .noneMatch(diagnostic -> diagnostic.kind() == Diagnostic.Kind.REFUSED);
        Fd[] pipe = Unistd.pipe2(0);
        readEnd = pipe[0];
        output = pipe[1];
        assertThat(Fcntl.setfl(readEnd, Fcntl.O_NONBLOCK)).isZero();
        execution =
                new Execution(
                        TestUnits.executed(unit),
                        scope,
                        OneRun.surroundings(
                                output,
                                folder,
                                Optional.empty(),
                                "0123456789abcdef0123456789abcdef"),
                        uids,
                        support,
                        warnings::add);
    }

    static OneRun prepared(ManagerScope scope, Path folder, String... lines)
            throws SetupException, InterruptedException {
        return new OneRun(scope, folder, SandboxSupport.find(SandboxSupport.Mode.AS_FOUND), lines)
                .prepare();
    }

    private OneRun prepare() throws SetupException, InterruptedException {
        try {
            execution.prepare();
            return this;
        } catch (SetupException e) {
            closePipe();
            throw e;
        }
    }

    /** Prepares a run of another unit of the same manager. */
    OneRun another(String... lines) throws SetupException, InterruptedException {
        return found(lines).prepare();
    }

    /** Makes a run of another unit of the same manager, but prepares nothing. */
    OneRun found(String... lines) {
        SandboxSupport support = SandboxSupport.find(SandboxSupport.Mode.AS_FOUND);
        return new OneRun(scope, folder, uids, support, lines);
    }

    /** Returns those of a run without a cgroup. */
    static Execution.Surroundings surroundings(
            Fd output, Path folder, Optional<Path> notifySocket, String invocationId) {
        return new Execution.Surroundings(
                Optional.empty(),
                CgroupSettings.NONE,
                output,
                Optional.empty(),
                folder,
                notifySocket,
                invocationId,
                ManagerDefaults.STANDARD,
                false);
    }

    Execution execution() {
        return execution;
    }

    List<String> warnings() {
        return warnings;
    }

    /** Returns the output of the commands before the main one and of that one, which succeed. */
    List<String> all() throws Exception {
        List<ExecCommand> commands = new ArrayList<>(unit.service().commands().startPre());
        commands.addAll(unit.service().commands().start());
        List<String> outputs = new ArrayList<>();
        for (ExecCommand command : commands) {
            outputs.add(run(command, new Exit.Exited(0)));
        }
        return outputs;
    }

    String main() throws Exception {
        return all().getLast();
    }

    private String run(ExecCommand command, Exit expected) throws Exception {
        byte[] bytes = new byte[16384];
        try (Child child = execution.start(command, Map.of(), PassedDescriptors.NONE)) {
            Exit exit = child.await();
            int n = Math.max(0, Unistd.read(readEnd, bytes, 0, bytes.length));
            String text = new String(bytes, 0, n, UTF_8);
            assertThat(exit).as(text).isEqualTo(expected);
            return text.strip();
        }
    }

    private void closePipe() {
        readEnd.close();
        output.close();
    }

    @Override
    public void close() {
        execution.close(false);
        closePipe();
    }
}
