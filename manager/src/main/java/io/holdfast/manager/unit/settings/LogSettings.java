package io.holdfast.manager.unit.settings;

import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.value.SyslogPriority;
import java.util.Optional;

/**
 * What a unit's processes write to the journal, as the unit describes it to the receiver.
 *
 * @param identifier the name of the writer; empty: the file name of the program
 * @param facility of syslog(3), 0 to 127
 * @param level of lines without a prefix, 0 (emerg) to 7 (debug)
 * @param levelPrefix whether a line may begin with its level, as {@code <3>}
 */
public record LogSettings(
        Optional<String> identifier, int facility, int level, boolean levelPrefix) {
    private static final int LEVELS = 8;

    /** {@return facility and level as one number} */
    public int priority() {
        return facility * LEVELS + level;
    }

    /** Reads the settings. */
    static final class Reader implements SectionReader {
        private Optional<String> identifier = Optional.empty();
        private int facility = SyslogPriority.DAEMON;
        private int level = SyslogPriority.INFO;
        private boolean levelPrefix = true;

        @Override
        public boolean assign(Assignment a) {
            switch (a.key()) {
                case "SyslogIdentifier" -> identifier = a.text(identifier);
                case "SyslogFacility" -> facility = a.value(facility, SyslogPriority::facility);
                case "SyslogLevel" -> level = a.value(level, SyslogPriority::level);
                case "SyslogLevelPrefix" -> levelPrefix = a.bool(levelPrefix);
                default -> {
                    return false;
                }
            }
            return true;
        }

        LogSettings build() {
            return new LogSettings(identifier, facility, level, levelPrefix);
        }
    }
}
