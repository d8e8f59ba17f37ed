package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.ArrayList;
import java.util.List;

/** Reads the commands of a socket, and their time limit. */
final class SocketCommandsReader implements SectionReader {
    private final List<ExecCommand> startPre = new ArrayList<>();
    private final List<ExecCommand> startPost = new ArrayList<>();
    private final List<ExecCommand> stopPre = new ArrayList<>();
    private final List<ExecCommand> stopPost = new ArrayList<>();
    private TimeSpan timeout;

    SocketCommandsReader(ManagerDefaults defaults) {
        timeout = defaults.timeoutStart();
    }

    @Override
    public boolean assign(Assignment a) {
        switch (a.key()) {
            case "ExecStartPre" -> a.commands(startPre);
            case "ExecStartPost" -> a.commands(startPost);
            case "ExecStopPre" -> a.commands(stopPre);
            case "ExecStopPost" -> a.commands(stopPost);
            case "TimeoutSec" -> timeout = a.timeout(timeout);
            default -> {
                return false;
            }
        }
        return true;
    }

    SocketUnit.Commands commands() {
        return new SocketUnit.Commands(startPre, startPost, stopPre, stopPost);
    }

    TimeSpan timeout() {
        return timeout;
    }
}
