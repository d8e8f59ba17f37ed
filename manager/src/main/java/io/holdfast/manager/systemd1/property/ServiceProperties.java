package io.holdfast.manager.systemd1.property;

import static io.holdfast.manager.systemd1.property.SettableProperty.bool;
import static io.holdfast.manager.systemd1.property.SettableProperty.number;
import static io.holdfast.manager.systemd1.property.SettableProperty.text;
import static io.holdfast.manager.systemd1.property.SettableProperty.time;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.ProcessId;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.manager.loop.DualTimestamp;
import io.holdfast.manager.systemd1.format.Micros;
import io.holdfast.manager.systemd1.property.UnitProperties.Subject;
import io.holdfast.manager.unit.section.ServiceSection;
import io.holdfast.manager.unit.section.ServiceSection.Commands;
import io.holdfast.manager.unit.section.ServiceSection.NotifyAccess;
import io.holdfast.manager.unit.section.ServiceSection.Restart;
import io.holdfast.manager.unit.section.ServiceSection.RestartMode;
import io.holdfast.manager.unit.section.ServiceSection.Store;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.settings.KillSettings;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.ExitStatusSet;
import io.holdfast.manager.unit.value.ServiceType;
import io.holdfast.manager.unit.value.StandardDescriptor;
import io.holdfast.manager.view.ReportedErrors;
import io.holdfast.manager.view.ServiceView;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

/** The properties of {@code org.freedesktop.systemd1.Service}. */
final class ServiceProperties {
    private static final int CLD_EXITED = 1; // linux/siginfo.h
    private static final int CLD_KILLED = 2;
    private static final int CLD_DUMPED = 3;

    private static final long NO_ID = 0xFFFFFFFFL; // (uid_t) -1

    record Service(Subject subject, ServiceUnit unit) {
        static Service of(Subject subject) {
            return new Service(subject, (ServiceUnit) subject.view().unit());
        }

        ServiceSection section() {
            return unit.service();
        }

        /** Returns the definition that it was started with. */
        ServiceUnit inForce() {
            return (ServiceUnit) subject.view().inForce();
        }

        KillSettings kill() {
            return unit.kill();
        }

        Optional<ServiceView> view() {
            return subject.view().details(ServiceView.class);
        }

        NotifyAccess notifyAccess() {
            return view().map(ServiceView::notifyAccess).orElse(section().notifyAccess());
        }

        ReportedErrors reported() {
            return view().map(ServiceView::reported).orElse(ReportedErrors.NONE);
        }
    }

    static final PropertyTable<Service> TABLE = table();

    private ServiceProperties() {}

    private static PropertyTable<Service> table() {
        PropertyTable<Service> table = new PropertyTable<>();
        addLife(table);
        addProcesses(table);
        addSettings(table);
        addCommands(table);
        addDescriptors(table);
        ExecProperties.addTo(table, s -> s.unit.exec());
        KillProperties.addTo(table, Service::kill);
        CgroupProperties.addTo(table, Service::subject, s -> s.unit.cgroup());
        return table;
    }

    private static void addLife(PropertyTable<Service> table) {
        table.settable(
                        "Type",
                        SettableProperty.word("Type", ServiceType.values()),
                        s -> UnitProperties.word(s.section().type()))
                .fixed("ExitType", "s", _ -> "main") // ExitType=cgroup is not applied
                .changing("Result", "s", s -> s.subject.view().status().result())
                .changing(
                        "ReloadResult",
                        "s",
                        s -> s.view().map(ServiceView::reloadResult).orElse("success"))
                .changing("CleanResult", "s", _ -> "success")
                .changing("StatusText", "s", s -> s.subject.view().status().statusText())
                .changing("StatusErrno", "i", s -> s.reported().errno())
                .changing("StatusBusError", "s", s -> s.reported().bus())
                .changing("StatusVarlinkError", "s", s -> s.reported().varlink())
                .changing("NRestarts", "u", s -> s.subject.view().status().restarts())
                .unsignalled(
                        "RestartUSecNext",
                        "t",
                        s ->
                                Micros.of(
                                        s.view()
                                                .map(ServiceView::nextPause)
                                                .orElse(s.section().restart().delay())));
    }

    private static void addProcesses(PropertyTable<Service> table) {
        table.changing("MainPID", "u", s -> pid(s.subject.view().status().mainProcess()))
                .changing("ControlPID", "u", s -> pid(s.view().flatMap(ServiceView::control)))
                .changing("ExecMainPID", "u", s -> pid(s.view().flatMap(ServiceView::lastMain)))
                .changing("ExecMainCode", "i", s -> code(s.subject.view().status().mainExit()))
                .changing("ExecMainStatus", "i", s -> status(s.subject.view().status().mainExit()));
        PropertyTimes.add(
                table,
                "ExecMainStart",
                s -> s.view().map(ServiceView::mainStart).orElse(DualTimestamp.NEVER),
                true);
        PropertyTimes.add(
                table,
                "ExecMainExit",
                s -> s.view().map(ServiceView::mainExit).orElse(DualTimestamp.NEVER),
                true);
        table.changing("UID", "u", s -> id(s.view().map(ServiceView::uid)))
                .changing("GID", "u", s -> id(s.view().map(ServiceView::gid)));
    }

    private static long id(Optional<OptionalLong> number) {
        return number.orElse(OptionalLong.empty()).orElse(NO_ID);
    }

    private static int pid(Optional<ProcessId> process) {
        return process.map(ProcessId::pid).orElse(0);
    }

    private static int code(Optional<Exit> exit) {
        return exit.map(how ->
                        switch (how) {
                            case Exit.Exited _ -> CLD_EXITED;
                            case Exit.Killed(_, boolean dumped) -> dumped ? CLD_DUMPED : CLD_KILLED;
                            case Exit.Unknown _ -> 0;
                        })
                .orElse(0);
    }

    private static int status(Optional<Exit> exit) {
        return exit.map(how ->
                        switch (how) {
                            case Exit.Exited(int status) -> status;
                            case Exit.Killed(Signal signal, _) -> signal.number();
                            case Exit.Unknown _ -> 0;
                        })
                .orElse(0);
    }

    private static void addSettings(PropertyTable<Service> table) {
        addRestart(table);
        addTimeouts(table);
        table.settable(
                        "NotifyAccess",
                        SettableProperty.word("NotifyAccess", NotifyAccess.values()),
                        s -> UnitProperties.word(s.notifyAccess()))
                .settable("PIDFile", text("PIDFile"), s -> s.section().pidFile().orElse(""))
                .settable("BusName", text("BusName"), s -> s.section().busName().orElse(""))
                .settable("GuessMainPID", bool("GuessMainPID"), s -> s.section().guessMainPid())
                .settable(
                        "RemainAfterExit",
                        bool("RemainAfterExit"),
                        s -> s.section().remainAfterExit())
                .settable("NonBlocking", bool("NonBlocking"), s -> s.section().nonBlocking())
                .settable("Sockets", SettableProperty.units("Sockets"))
                .settable(
                        "FileDescriptorStoreMax",
                        number("u", "FileDescriptorStoreMax"),
                        s -> s.section().store().most())
                .settable(
                        "FileDescriptorStorePreserve",
                        SettableProperty.word(
                                "FileDescriptorStorePreserve", Store.Preserve.values()),
                        s -> UnitProperties.word(s.section().store().preserve()))
                .settable(
                        "ReloadSignal",
                        SettableProperty.signal("ReloadSignal"),
                        s -> s.section().reloadSignal().number())
                .settable(
                        "SuccessExitStatus",
                        SettableProperty.statuses("SuccessExitStatus"),
                        s -> set(s.section().successExitStatus()))
                // without it polkit reports no unit of a subject
                .fixed("NoNewPrivileges", "b", s -> s.inForce().exec().noNewPrivileges());
    }

    private static void addRestart(PropertyTable<Service> table) {
        table.settable(
                        "Restart",
                        SettableProperty.word("Restart", Restart.values()),
                        s -> UnitProperties.word(s.section().restart().when()))
                .settable(
                        "RestartMode",
                        SettableProperty.word("RestartMode", RestartMode.values()),
                        s -> UnitProperties.word(s.section().restart().mode()))
                .settable(
                        "RestartUSec",
                        time("RestartSec"),
                        s -> Micros.of(s.section().restart().delay()))
                .settable(
                        "RestartSteps",
                        number("u", "RestartSteps"),
                        s -> s.section().restart().steps())
                .settable(
                        "RestartMaxDelayUSec",
                        time("RestartMaxDelaySec"),
                        s -> Micros.of(s.section().restart().maxDelay()))
                .settable(
                        "RestartPreventExitStatus",
                        SettableProperty.statuses("RestartPreventExitStatus"),
                        s -> set(s.section().restart().prevent()))
                .settable(
                        "RestartForceExitStatus",
                        SettableProperty.statuses("RestartForceExitStatus"),
                        s -> set(s.section().restart().force()));
    }

    private static void addTimeouts(PropertyTable<Service> table) {
        table.settable("TimeoutUSec", time("TimeoutSec"))
                .settable(
                        "TimeoutStartUSec",
                        time("TimeoutStartSec"),
                        s -> Micros.of(s.section().timeouts().start()))
                .settable(
                        "TimeoutStopUSec",
                        time("TimeoutStopSec"),
                        s -> Micros.of(s.section().timeouts().stop()))
                .settable(
                        "TimeoutAbortUSec",
                        time("TimeoutAbortSec"),
                        s -> Micros.of(s.section().timeouts().abort()))
                .settable(
                        "RuntimeMaxUSec",
                        time("RuntimeMaxSec"),
                        s -> Micros.of(s.section().timeouts().runtimeMax()))
                .settable("WatchdogUSec", time("WatchdogSec"))
                .unsignalled("WatchdogUSec", "t", ServiceProperties::watchdog);
    }

    /** The descriptors that the caller of StartTransientUnit passes to its service. */
    private static void addDescriptors(PropertyTable<Service> table) {
        addStream(table, "StandardInputFileDescriptor", StandardDescriptor.INPUT);
        addStream(table, "StandardOutputFileDescriptor", StandardDescriptor.OUTPUT);
        addStream(table, "StandardErrorFileDescriptor", StandardDescriptor.ERROR);
        table.settable(
                        "ExtraFileDescriptors",
                        new SettableProperty(
                                "a(hs)",
                                (unit, _, value) -> {
                                    for (Object each : (List<?>) value) {
                                        Struct named = (Struct) each;
                                        unit.descriptor(
                                                (Handle) named.get(0), (String) named.get(1));
                                    }
                                }))
                .unsignalled(
                        "ExtraFileDescriptorNames",
                        "as",
                        s -> s.view().map(ServiceView::givenNames).orElse(List.of()));
    }

    private static void addStream(
            PropertyTable<Service> table, String property, StandardDescriptor which) {
        table.settable(
                property,
                new SettableProperty("h", (unit, _, fd) -> unit.stream(which, (Handle) fd)));
    }

    /**
     * Returns infinity for a service that was never started: the timeout takes effect at a start.
     */
    private static long watchdog(Service service) {
        boolean started =
                !service.subject.view().times().inactiveExit().equals(DualTimestamp.NEVER);
        return started
                ? Micros.of(
                        service.view()
                                .map(ServiceView::watchdog)
                                .orElse(service.section().timeouts().watchdog()))
                : Micros.INFINITY;
    }

    private static List<?> set(ExitStatusSet set) {
        return List.of(List.copyOf(set.statuses()), List.copyOf(set.signals()));
    }

    private static void addCommands(PropertyTable<Service> table) {
        addCommands(table, "ExecCondition", Commands::condition);
        addCommands(table, "ExecStartPre", Commands::startPre);
        addCommands(table, "ExecStart", Commands::start);
        addCommands(table, "ExecStartPost", Commands::startPost);
        addCommands(table, "ExecReload", Commands::reload);
        addCommands(table, "ExecStop", Commands::stop);
        addCommands(table, "ExecStopPost", Commands::stopPost);
    }

    private static void addCommands(
            PropertyTable<Service> table, String name, Function<Commands, List<ExecCommand>> of) {
        boolean isMain = name.equals("ExecStart");
        table.settable(name, CommandProperties.plain(name))
                .settable(name + "Ex", CommandProperties.withFlags(name))
                .unsignalled(
                        name,
                        "a(sasbttttuii)",
                        s -> commands(s, of.apply(s.section().commands()), isMain, false))
                .unsignalled(
                        name + "Ex",
                        "a(sasasttttuii)",
                        s -> commands(s, of.apply(s.section().commands()), isMain, true));
    }

    /** Only the main process has recorded start and exit times. */
    private static List<?> commands(
            Service service, List<ExecCommand> commands, boolean isMain, boolean withFlags) {
        List<List<?>> all = new ArrayList<>();
        for (ExecCommand command : commands) {
            boolean last = isMain && command.equals(commands.getLast());
            Optional<ServiceView> run = last ? service.view() : Optional.empty();
            Optional<Exit> exit =
                    last ? service.subject.view().status().mainExit() : Optional.empty();
            DualTimestamp start = run.map(ServiceView::mainStart).orElse(DualTimestamp.NEVER);
            DualTimestamp end = run.map(ServiceView::mainExit).orElse(DualTimestamp.NEVER);
            all.add(
                    List.of(
                            command.executable(),
                            command.arguments(),
                            withFlags
                                    ? flags(command)
                                    : command.has(ExecCommand.Flag.IGNORE_FAILURE),
                            start.realtime(),
                            start.monotonic(),
                            end.realtime(),
                            end.monotonic(),
                            pid(run.flatMap(ServiceView::lastMain)),
                            code(exit),
                            status(exit)));
        }
        return all;
    }

    private static List<String> flags(ExecCommand command) {
        return command.flags().stream().map(CommandProperties.WORDS::get).toList();
    }
}
