package io.holdfast.manager.unit.condition;

import java.io.IOException;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The conditions, each with its evaluation. A row makes a condition known to the parser and to the
 * page of directives, so nothing can be known that is not evaluated. The names are those of the
 * directives without {@code Condition} or {@code Assert}.
 *
 * @see <a
 *     href="https://www.freedesktop.org/software/systemd/man/systemd.unit.html#Conditions%20and%20Asserts">
 *     systemd.unit, Conditions and Asserts</a>
 */
public final class ConditionTable {
    /** Evaluates a condition that is not negated. May block. */
    @FunctionalInterface
    interface Evaluation {
        /**
         * Returns whether the condition holds.
         *
         * @throws IllegalArgumentException if the parameter has no meaning
         * @throws IOException if the machine cannot be read
         */
        boolean holds(String parameter, MachineFacts machine) throws IOException;
    }

    private record Row(boolean takesPath, Evaluation evaluation) {}

    private static final Map<String, Row> ROWS = new TreeMap<>();

    static {
        path("PathExists", PathConditions::exists);
        path("PathExistsGlob", PathConditions::anyMatches);
        path("PathIsDirectory", PathConditions::isDirectory);
        path("PathIsSymbolicLink", PathConditions::isLink);
        path("PathIsMountPoint", PathConditions::isMountPoint);
        path("PathIsReadWrite", PathConditions::isReadWrite);
        path("PathIsEncrypted", EncryptedPath::isEncrypted);
        path("DirectoryNotEmpty", PathConditions::hasEntries);
        path("FileNotEmpty", PathConditions::hasContent);
        path("FileIsExecutable", PathConditions::isExecutable);
        path("NeedsUpdate", PathConditions::needsUpdate);
        text("FirstBoot", SystemConditions::isFirstBoot);
        text("Architecture", SystemConditions::hasArchitecture);
        text("Virtualization", SystemConditions::isVirtual);
        text("Host", SystemConditions::isHost);
        text("KernelCommandLine", SystemConditions::isOnCommandLine);
        text("KernelVersion", VersionConditions::isKernel);
        text("Version", VersionConditions::isVersion);
        text("OSRelease", VersionConditions::isRelease);
        text("KernelModuleLoaded", SystemConditions::isModuleLoaded);
        text("Environment", SystemConditions::isInEnvironment);
        text("Credential", SystemConditions::hasCredential);
        text("Security", SecurityCondition::isUsed);
        text("User", AccountConditions::isUser);
        text("Group", AccountConditions::isInGroup);
        text("Capability", AccountConditions::hasCapability);
        text("Firmware", FirmwareCondition::isFirmware);
        text("ACPower", HardwareConditions::isOnPower);
        text("Memory", HardwareConditions::hasMemory);
        text("CPUs", HardwareConditions::hasProcessors);
        text("CPUFeature", HardwareConditions::hasFeature);
        text("ControlGroupController", CgroupConditions::hasController);
        text("MemoryPressure", CgroupConditions::isMemoryPressureBelow);
        text("CPUPressure", CgroupConditions::isProcessorPressureBelow);
        text("IOPressure", CgroupConditions::isIoPressureBelow);
    }

    private ConditionTable() {}

    private static void path(String name, Evaluation evaluation) {
        ROWS.put(name, new Row(true, evaluation));
    }

    private static void text(String name, Evaluation evaluation) {
        ROWS.put(name, new Row(false, evaluation));
    }

    /** Returns the names of all conditions, in order. */
    public static Set<String> names() {
        return Collections.unmodifiableSet(ROWS.keySet());
    }

    /** Returns whether the parameter of a condition is a path. */
    static boolean takesPath(String name) {
        return row(name).takesPath();
    }

    /**
     * Returns whether a condition holds now. Blocking.
     *
     * @param name without {@code Condition}
     * @throws IOException if that cannot be found out
     */
    public static boolean evaluate(String name, String parameter, MachineFacts machine)
            throws IOException {
        return row(name).evaluation().holds(parameter, machine);
    }

    private static Row row(String name) {
        Row row = ROWS.get(name);
        if (row == null) {
            throw new IllegalArgumentException("there is no Condition" + name + "=");
        }
        return row;
    }
}
