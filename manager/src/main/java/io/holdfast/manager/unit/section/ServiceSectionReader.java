package io.holdfast.manager.unit.section;

import io.holdfast.core.Signal;
import io.holdfast.manager.unit.SharedParts;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.section.ServiceSection.NotifyAccess;
import io.holdfast.manager.unit.section.ServiceSection.Restart;
import io.holdfast.manager.unit.section.ServiceSection.RestartMode;
import io.holdfast.manager.unit.section.ServiceSection.Store;
import io.holdfast.manager.unit.section.ServiceSection.Timeouts;
import io.holdfast.manager.unit.settings.EmergencyAction;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.ExitStatusSet;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.ServiceType;
import io.holdfast.manager.unit.value.TimeSpan;
import io.holdfast.manager.unit.value.WordReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Reads {@link ServiceSection}, with the defaults that depend on other directives. */
final class ServiceSectionReader implements SectionReader {
    private final UnitSection.Reader unit;
    private final ManagerDefaults defaults;
    private Optional<ServiceType> type = Optional.empty();
    private final List<ExecCommand> condition = new ArrayList<>();
    private final List<ExecCommand> startPre = new ArrayList<>();
    private final List<ExecCommand> start = new ArrayList<>();
    private final List<ExecCommand> startPost = new ArrayList<>();
    private final List<ExecCommand> reload = new ArrayList<>();
    private final List<ExecCommand> stop = new ArrayList<>();
    private final List<ExecCommand> stopPost = new ArrayList<>();
    private Restart restart = Restart.NO;
    private RestartMode restartMode = RestartMode.NORMAL;
    private TimeSpan restartDelay;
    private int restartSteps;
    private TimeSpan restartMaxDelay = TimeSpan.INFINITY;
    private ExitStatusSet restartPrevent = ExitStatusSet.EMPTY;
    private ExitStatusSet restartForce = ExitStatusSet.EMPTY;
    private Optional<TimeSpan> timeoutStart = Optional.empty();
    private TimeSpan timeoutStop;
    private Optional<TimeSpan> timeoutAbort;
    private TimeSpan runtimeMax = TimeSpan.INFINITY;
    private TimeSpan watchdog = TimeSpan.ZERO;
    private ExitStatusSet success = ExitStatusSet.EMPTY;
    private Optional<String> pidFile = Optional.empty();
    private Optional<String> busName = Optional.empty();
    private boolean remainAfterExit;
    private boolean guessMainPid = true;
    private boolean permissionsStartOnly;
    private NotifyAccess notifyAccess = NotifyAccess.NONE;
    private int storeMost;
    private Store.Preserve storePreserve = Store.Preserve.RESTART;
    private Signal reloadSignal = Signal.HUP;
    private final List<UnitName> sockets = new ArrayList<>();
    private boolean nonBlocking;

    /**
     * @param unit takes the start limits and actions, which older unit files have in this section
     * @param defaults of services that set nothing themselves
     */
    ServiceSectionReader(UnitSection.Reader unit, ManagerDefaults defaults) {
        this.unit = unit;
        this.defaults = defaults;
        restartDelay = defaults.restart();
        timeoutStop = defaults.timeoutStop();
        timeoutAbort = defaults.timeoutAbort();
    }

    @Override
    public boolean assign(Assignment a) {
        switch (a.key()) {
            case "Type" ->
                    type =
                            a.value(
                                    type,
                                    text ->
                                            Optional.of(
                                                    Scalars.parseWord(ServiceType.values(), text)));
            case "ExecCondition" -> a.commands(condition);
            case "ExecStartPre" -> a.commands(startPre);
            case "ExecStart" -> a.commands(start);
            case "ExecStartPost" -> a.commands(startPost);
            case "ExecReload" -> a.commands(reload);
            case "ExecStop" -> a.commands(stop);
            case "ExecStopPost" -> a.commands(stopPost);
            case "Restart" -> restart = a.word(restart, Restart.values());
            case "RestartMode" -> restartMode = a.word(restartMode, RestartMode.values());
            case "RestartSec" -> restartDelay = a.span(restartDelay);
            case "RestartSteps" ->
                    restartSteps =
                            a.value(
                                    restartSteps,
                                    text -> Scalars.parseInt(text, 0, Integer.MAX_VALUE));
            case "RestartMaxDelaySec" -> restartMaxDelay = a.span(restartMaxDelay);
            case "RestartPreventExitStatus" -> restartPrevent = a.statuses(restartPrevent);
            case "RestartForceExitStatus" -> restartForce = a.statuses(restartForce);
            case "SuccessExitStatus" -> success = a.statuses(success);
            case "TimeoutSec" -> {
                timeoutStart = Optional.of(a.timeout(timeoutStart.orElse(defaults.timeoutStart())));
                timeoutStop = a.timeout(timeoutStop);
            }
            case "TimeoutStartSec" ->
                    timeoutStart =
                            Optional.of(a.timeout(timeoutStart.orElse(defaults.timeoutStart())));
            case "TimeoutStopSec" -> timeoutStop = a.timeout(timeoutStop);
            case "TimeoutAbortSec" ->
                    timeoutAbort =
                            a.isEmpty()
                                    ? Optional.empty()
                                    : Optional.of(a.timeout(timeoutAbort.orElse(timeoutStop)));
            case "RuntimeMaxSec" -> runtimeMax = a.timeout(runtimeMax);
            case "WatchdogSec" -> watchdog = a.span(watchdog);
            case "PIDFile" -> pidFile = a.optional(pidFile, text -> pidFile(a, text));
            case "BusName" -> busName = a.text(busName);
            case "RemainAfterExit" -> remainAfterExit = a.bool(remainAfterExit);
            case "GuessMainPID" -> guessMainPid = a.bool(guessMainPid);
            case "PermissionsStartOnly" -> permissionsStartOnly = a.bool(permissionsStartOnly);
            case "NotifyAccess" -> notifyAccess = a.word(notifyAccess, NotifyAccess.values());
            case "FileDescriptorStoreMax" -> storeMost = storeMost(a);
            case "FileDescriptorStorePreserve" ->
                    storePreserve = a.value(storePreserve, ServiceSectionReader::preserve);
            case "ReloadSignal" -> reloadSignal = a.signal(reloadSignal);
            case "Sockets" -> a.words(WordReader.Backslash.KEPT, word -> sockets.add(socket(word)));
            case "NonBlocking" -> nonBlocking = a.bool(nonBlocking);
            default -> {
                return unit.assignInOldPlace(a);
            }
        }
        return true;
    }

    private int storeMost(Assignment a) {
        int wanted = a.value(storeMost, text -> Scalars.parseInt(text, 0, Integer.MAX_VALUE));
        if (wanted > Store.MAX) {
            a.remark("taken as " + Store.MAX + ", the most that a process can be given");
        }
        return Math.min(wanted, Store.MAX);
    }

    private static Store.Preserve preserve(String text) {
        if (text.equals("restart")) {
            return Store.Preserve.RESTART;
        }
        return Scalars.parseBoolean(text) ? Store.Preserve.YES : Store.Preserve.NO;
    }

    /**
     * Completes a path: a relative one is in the runtime folder; the legacy {@code /var/run}
     * becomes {@code /run}.
     */
    private static String pidFile(Assignment a, String text) {
        String path =
                Scalars.parsePath(
                        text.startsWith("/")
                                ? text
                                : a.specifiers().scope().runtimeDirectory() + "/" + text);
        if (path.startsWith("/var/run/")) {
            a.remark("below the legacy folder /var/run; taken as " + path.substring(4));
            return path.substring(4);
        }
        return path;
    }

    private static UnitName socket(String text) {
        UnitName name = UnitName.of(text);
        if (name.type() != UnitType.SOCKET) {
            throw Scalars.bad("the name of a socket", text);
        }
        return name;
    }

    ServiceSection build() {
        ServiceType decided =
                type.orElseGet(() ->
                        busName.isPresent()
                                ? ServiceType.DBUS
                                : start.isEmpty() ? ServiceType.ONESHOT : ServiceType.SIMPLE);
        boolean implied =
                decided == ServiceType.NOTIFY
                        || decided == ServiceType.NOTIFY_RELOAD
                        || watchdog.micros() > 0
                        || storeMost > 0;
        TimeSpan startDefault =
                decided == ServiceType.ONESHOT ? TimeSpan.INFINITY : defaults.timeoutStart();
        return new ServiceSection(
                decided,
                new ServiceSection.Commands(
                        notStart(condition),
                        notStart(startPre),
                        start,
                        notStart(startPost),
                        notStart(reload),
                        notStart(stop),
                        notStart(stopPost)),
                SharedParts.of(
                        new ServiceSection.RestartPolicy(
                                restart,
                                restartMode,
                                restartDelay,
                                restartSteps,
                                restartMaxDelay,
                                restartPrevent,
                                restartForce)),
                SharedParts.of(
                        new Timeouts(
                                timeoutStart.orElse(startDefault),
                                timeoutStop,
                                timeoutAbort.orElse(timeoutStop),
                                runtimeMax,
                                watchdog)),
                success,
                pidFile,
                busName,
                remainAfterExit,
                guessMainPid,
                notifyAccess == NotifyAccess.NONE && implied ? NotifyAccess.MAIN : notifyAccess,
                SharedParts.of(new Store(storeMost, storePreserve)),
                reloadSignal,
                sockets,
                nonBlocking);
    }

    /** Applies PermissionsStartOnly=, the predecessor of the prefix + in older unit files. */
    private List<ExecCommand> notStart(List<ExecCommand> commands) {
        return permissionsStartOnly
                ? commands.stream().map(ExecCommand::fullyPrivileged).toList()
                : commands;
    }

    /** Refuses combinations that are not valid services; systemd refuses these units too. */
    static void check(
            ServiceSection service, EmergencyAction successAction, Consumer<String> refuse) {
        int starts = service.commands().start().size();
        boolean oneshot = service.type() == ServiceType.ONESHOT;
        Restart restart = service.restart().when();
        boolean purpose = successAction != EmergencyAction.NONE;
        if (starts == 0 && service.commands().stop().isEmpty() && !purpose) {
            refuse.accept("the service has neither ExecStart= nor ExecStop=");
        } else if (starts == 0 && !oneshot) {
            refuse.accept("a service without ExecStart= must be Type=oneshot");
        } else if (starts == 0 && !service.remainAfterExit() && !purpose) {
            refuse.accept("a service without ExecStart= needs RemainAfterExit=yes");
        }
        if (starts > 1 && !oneshot) {
            refuse.accept("more than one ExecStart= needs Type=oneshot");
        }
        if (oneshot && (restart == Restart.ALWAYS || restart == Restart.ON_SUCCESS)) {
            refuse.accept("Restart=" + Scalars.word(restart) + " is not for Type=oneshot");
        }
        if (oneshot && !service.restart().force().isEmpty()) {
            refuse.accept("RestartForceExitStatus= is not for Type=oneshot");
        }
        if (service.type() == ServiceType.DBUS && service.busName().isEmpty()) {
            refuse.accept("Type=dbus needs BusName=");
        }
    }
}
