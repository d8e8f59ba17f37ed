package io.holdfast.manager.unit.settings;

import io.holdfast.manager.unit.SharedParts;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.value.Scalars;
import java.util.OptionalInt;

/**
 * The actions when a unit ends.
 *
 * @param successAction for the machine or the manager when the unit ends successfully
 * @param failureAction the same when it fails
 * @param startLimitAction the same when its start limit is hit
 * @param jobTimeoutAction the same when a job of it times out
 * @param successStatus the exit status of the manager for {@code successAction}; empty for that of
 *     the unit's main process
 * @param failureStatus the same for {@code failureAction}
 * @param onSuccessMode how the units of {@code OnSuccess=} are started
 * @param onFailureMode how the units of {@code OnFailure=} are started
 * @param stopWhenUnneeded whether it is stopped when no active unit needs it any more
 */
public record EndSettings(
        EmergencyAction successAction,
        EmergencyAction failureAction,
        EmergencyAction startLimitAction,
        EmergencyAction jobTimeoutAction,
        OptionalInt successStatus,
        OptionalInt failureStatus,
        HandlerMode onSuccessMode,
        HandlerMode onFailureMode,
        boolean stopWhenUnneeded) {

    private static final int MAX_STATUS = 255;

    /** The job modes by which a unit that handles another unit's end can be started. */
    public enum HandlerMode {
        FAIL,
        REPLACE,
        REPLACE_IRREVERSIBLY,
        ISOLATE,
        FLUSH,
        IGNORE_DEPENDENCIES,
        IGNORE_REQUIREMENTS
    }

    public static final class Reader implements SectionReader {
        private EmergencyAction successAction = EmergencyAction.NONE;
        private EmergencyAction failureAction = EmergencyAction.NONE;
        private EmergencyAction startLimitAction = EmergencyAction.NONE;
        private EmergencyAction jobTimeoutAction = EmergencyAction.NONE;
        private OptionalInt successStatus = OptionalInt.empty();
        private OptionalInt failureStatus = OptionalInt.empty();
        private HandlerMode onSuccessMode = HandlerMode.FAIL;
        private HandlerMode onFailureMode = HandlerMode.REPLACE;
        private boolean stopWhenUnneeded;

        /** Creates a reader with the defaults. */
        public Reader() {}

        @Override
        public boolean assign(Assignment a) {
            switch (a.key()) {
                case "SuccessAction" -> successAction = action(a, successAction);
                case "FailureAction" -> failureAction = action(a, failureAction);
                case "StartLimitAction" -> startLimitAction = action(a, startLimitAction);
                case "JobTimeoutAction" -> jobTimeoutAction = action(a, jobTimeoutAction);
                case "SuccessActionExitStatus" -> successStatus = status(a, successStatus);
                case "FailureActionExitStatus" -> failureStatus = status(a, failureStatus);
                case "OnSuccessJobMode" ->
                        onSuccessMode = a.word(onSuccessMode, HandlerMode.values());
                case "OnFailureJobMode" ->
                        onFailureMode = a.word(onFailureMode, HandlerMode.values());
                case "OnFailureIsolate" ->
                        onFailureMode =
                                a.bool(onFailureMode == HandlerMode.ISOLATE)
                                        ? HandlerMode.ISOLATE
                                        : HandlerMode.REPLACE;
                case "StopWhenUnneeded" -> stopWhenUnneeded = a.bool(stopWhenUnneeded);
                default -> {
                    return false;
                }
            }
            return true;
        }

        private static EmergencyAction action(Assignment a, EmergencyAction before) {
            return a.word(before, EmergencyAction.values());
        }

        private static OptionalInt status(Assignment a, OptionalInt before) {
            return a.isEmpty()
                    ? OptionalInt.empty()
                    : a.value(
                            before, text -> OptionalInt.of(Scalars.parseInt(text, 0, MAX_STATUS)));
        }

        public EndSettings build() {
            return SharedParts.of(
                    new EndSettings(
                            successAction,
                            failureAction,
                            startLimitAction,
                            jobTimeoutAction,
                            successStatus,
                            failureStatus,
                            onSuccessMode,
                            onFailureMode,
                            stopWhenUnneeded));
        }
    }
}
