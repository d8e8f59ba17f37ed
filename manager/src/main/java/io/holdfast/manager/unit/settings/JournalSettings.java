package io.holdfast.manager.unit.settings;

import io.holdfast.manager.unit.Quote;
import io.holdfast.manager.unit.SharedParts;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.SyslogPriority;
import io.holdfast.manager.unit.value.TimeSpan;
import io.holdfast.manager.unit.value.WordReader;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * What the receiver of log messages does with those of a unit. The manager only passes it on.
 *
 * @param levelMax the least important level that is stored, 0 (emerg) to 7 (debug)
 * @param extraFields of each entry, {@code NAME=value}
 * @param rateInterval the interval of the rate limit; 0: no limit; empty: the receiver's
 * @param rateBurst messages within one interval; 0: no limit; empty: the receiver's
 * @param allowedPatterns regular expressions: if there are any, a message is stored only if one
 *     matches
 * @param deniedPatterns a message that one of them matches is not stored
 * @see <a
 *     href="https://www.freedesktop.org/software/systemd/man/systemd.exec.html">systemd.exec</a>
 */
public record JournalSettings(
        OptionalInt levelMax,
        List<String> extraFields,
        Optional<TimeSpan> rateInterval,
        OptionalLong rateBurst,
        List<String> allowedPatterns,
        List<String> deniedPatterns) {
    /** Those of a unit that sets nothing. */
    public static final JournalSettings NONE = new Reader().build();

    private static final Pattern FIELD_NAME = Pattern.compile("[A-Z][A-Z0-9_]{0,63}");
    private static final long MOST = 0xffff_ffffL;

    public JournalSettings {
        extraFields = List.copyOf(extraFields);
        allowedPatterns = List.copyOf(allowedPatterns);
        deniedPatterns = List.copyOf(deniedPatterns);
    }

    /** Reads the settings. */
    static final class Reader implements SectionReader {
        private Optional<Integer> levelMax = Optional.empty();
        private final List<String> extraFields = new ArrayList<>();
        private Optional<TimeSpan> interval = Optional.empty();
        private OptionalLong burst = OptionalLong.empty();
        private final Set<String> allowed = new LinkedHashSet<>();
        private final Set<String> denied = new LinkedHashSet<>();

        @Override
        public boolean assign(Assignment a) {
            switch (a.key()) {
                case "LogLevelMax" ->
                        levelMax =
                                a.value(levelMax, text -> Optional.of(SyslogPriority.level(text)));
                case "LogExtraFields" -> extraFields(a);
                case "LogRateLimitIntervalSec" ->
                        interval = a.value(interval, text -> Optional.of(TimeSpan.parse(text)));
                case "LogRateLimitBurst" -> burst = a.value(burst, JournalSettings::burst);
                case "LogFilterPatterns" -> pattern(a);
                case "LogNamespace" -> {
                    a.notActedOn();
                    if (!a.isEmpty()) {
                        a.notApplied(a.key(), "is not supported: all units share one journal");
                    }
                }
                default -> {
                    return false;
                }
            }
            return true;
        }

        private void extraFields(Assignment a) {
            if (a.isEmpty()) {
                extraFields.clear();
            }
            a.words(
                    WordReader.Backslash.C_ESCAPE,
                    word -> {
                        int equals = word.indexOf('=');
                        if (equals < 0
                                || !FIELD_NAME.matcher(word.substring(0, equals)).matches()) {
                            throw Scalars.bad(
                                    "a field NAME=value, its name in capitals, digits and"
                                            + " underscores",
                                    word);
                        }
                        extraFields.add(word);
                    });
        }

        private void pattern(Assignment a) {
            if (a.isEmpty()) {
                allowed.clear();
                denied.clear();
                return;
            }
            boolean isDenied = a.value().startsWith("~");
            String pattern = a.value().substring(isDenied ? 1 : 0);
            if (pattern.isEmpty()) {
                a.ignored("no regular expression after the ~");
                return;
            }
            try {
                Pattern _ = Pattern.compile(pattern);
            } catch (PatternSyntaxException e) {
                a.ignored(Quote.of(pattern) + " is no regular expression: " + e.getDescription());
                return;
            }
            boolean _ = (isDenied ? denied : allowed).add(pattern);
        }

        JournalSettings build() {
            return SharedParts.of(
                    new JournalSettings(
                            levelMax.map(OptionalInt::of).orElse(OptionalInt.empty()),
                            extraFields,
                            interval,
                            burst,
                            List.copyOf(allowed),
                            List.copyOf(denied)));
        }
    }

    private static OptionalLong burst(String text) {
        long burst = Scalars.parseUnsigned(text);
        if (burst < 0 || burst > MOST) {
            throw Scalars.bad("a number from 0 to " + MOST, text);
        }
        return OptionalLong.of(burst);
    }
}
