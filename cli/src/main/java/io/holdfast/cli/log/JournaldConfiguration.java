package io.holdfast.cli.log;

import io.holdfast.manager.unit.file.ManagerConfigurationFiles;
import io.holdfast.manager.unit.file.UnitFile;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.TimeSpan;
import io.holdfast.receiver.StorageLimits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * What an administrator has decided in journald.conf(5) and its drop-ins, for the receiver of the
 * machine. A setting with a wrong value counts as not made. Used by one thread.
 */
final class JournaldConfiguration {
    /** Where messages are stored. */
    enum Storage {
        AUTO,
        PERSISTENT,
        VOLATILE,
        NONE
    }

    private enum SplitMode {
        UID,
        LOGIN,
        NONE
    }

    private static final Path PERSISTENT = Path.of("/var/log/journal");
    private static final Path VOLATILE = Path.of("/run/log/journal");
    private static final Duration FOREVER = Duration.ofDays(36_500);
    private static final Set<String> SUPPORTED =
            Set.of(
                    "Storage",
                    "SplitMode",
                    "SyncIntervalSec",
                    "RateLimitIntervalSec",
                    "RateLimitBurst",
                    "SystemMaxUse",
                    "SystemKeepFree",
                    "SystemMaxFileSize",
                    "SystemMaxFiles",
                    "RuntimeMaxUse",
                    "RuntimeKeepFree",
                    "RuntimeMaxFileSize",
                    "RuntimeMaxFiles",
                    "MaxRetentionSec",
                    "MaxFileSec");

    /** What the receiver does in any case: such a value needs no mention. */
    private static final Map<String, Boolean> FIXED =
            Map.of(
                    "Compress", true,
                    "Seal", true, // without keys, journald seals nothing either
                    "ReadKMsg", true,
                    "Audit", true,
                    "ForwardToSyslog", true, // if a daemon listens
                    "ForwardToKMsg", false,
                    "ForwardToConsole", false,
                    "ForwardToWall", false);

    private final String name;
    private final Map<String, UnitFile.Entry> settings = new HashMap<>();
    private final Map<String, String> problems = new TreeMap<>(); // by setting
    private final List<String> others = new ArrayList<>();

    private JournaldConfiguration(ManagerConfigurationFiles files) {
        this.name = files.name();
        for (UnitFile file : files.read()) {
            file.diagnostics().forEach(each -> others.add(each.toString()));
            file.sections().stream()
                    .filter(section -> section.name().equals("Journal"))
                    .flatMap(section -> section.entries().stream())
                    .forEach(entry -> settings.put(entry.key(), entry));
        }
    }

    /** Reads the files. Blocking. */
    static JournaldConfiguration read(ManagerConfigurationFiles files) {
        return new JournaldConfiguration(files);
    }

    /** Returns the folder of the files, without that of the machine in it. */
    Path folder() {
        Optional<Storage> wanted = value("Storage", text -> word(Storage.values(), text));
        return switch (wanted.orElse(Storage.AUTO)) {
            case AUTO -> Files.isDirectory(PERSISTENT) ? persistent() : VOLATILE;
            case PERSISTENT -> persistent();
            case VOLATILE -> VOLATILE;
            case NONE -> {
                var _ = problems.put("Storage", name + ": Storage=none is taken as volatile");
                yield VOLATILE;
            }
        };
    }

    /** Returns the persistent folder, or the other one where that cannot be written. */
    private Path persistent() {
        String reason = "it is read-only";
        try {
            Files.createDirectories(PERSISTENT);
            if (Files.isWritable(PERSISTENT)) {
                return PERSISTENT;
            }
        } catch (IOException e) {
            reason = String.valueOf(e.getMessage());
        }
        var _ =
                problems.put(
                        "Storage",
                        "%s cannot be written: %s; messages are stored in %s"
                                .formatted(PERSISTENT, reason, VOLATILE));
        return VOLATILE;
    }

    /** Returns whether each ordinary user gets a file. */
    boolean splitsUsers() {
        return value("SplitMode", text -> word(SplitMode.values(), text)).orElse(SplitMode.UID)
                != SplitMode.NONE;
    }

    private static <E extends Enum<E>> E word(E[] words, String text) {
        return Scalars.parseWord(words, text);
    }

    /**
     * Returns the limits of files.
     *
     * @param folder in which they are: the limits of volatile files are others
     */
    StorageLimits limits(Path folder) {
        String where = folder.equals(VOLATILE) ? "Runtime" : "System";
        return new StorageLimits(
                value(where + "MaxUse", Scalars::parseSize),
                value(where + "KeepFree", Scalars::parseSize),
                value(where + "MaxFileSize", Scalars::parseSize),
                value(where + "MaxFiles", text -> Scalars.parseInt(text, 0, Integer.MAX_VALUE)),
                value("MaxRetentionSec", JournaldConfiguration::age),
                value("MaxFileSec", JournaldConfiguration::age),
                value("SyncIntervalSec", JournaldConfiguration::span),
                value("RateLimitIntervalSec", JournaldConfiguration::span),
                value("RateLimitBurst", text -> Scalars.parseInt(text, 0, Integer.MAX_VALUE)));
    }

    private static Duration span(String text) {
        return TimeSpan.parse(text)
                .duration()
                .filter(span -> span.compareTo(FOREVER) < 0)
                .orElse(FOREVER);
    }

    /** Parses an age; 0 means that there is no limit. */
    private static Duration age(String text) {
        Duration span = span(text);
        return span.isZero() ? FOREVER : span;
    }

    /** Returns a value; empty if it is not set, or wrong. */
    private <T> Optional<T> value(String key, Function<String, T> parser) {
        UnitFile.Entry entry = settings.get(key);
        if (entry == null || entry.value().isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(parser.apply(entry.value()));
        } catch (IllegalArgumentException e) {
            var _ =
                    problems.put(
                            key, entry.place() + ": " + key + "=: " + e.getMessage() + "; ignored");
            return Optional.empty();
        }
    }

    /** Returns a line for each wrong value that was asked for, and one for what has no effect. */
    List<String> problems() {
        List<String> all = new ArrayList<>(others);
        all.addAll(problems.values());
        Set<String> without = new TreeSet<>();
        settings.forEach((key, entry) -> {
            Boolean fixed = FIXED.get(key);
            boolean isSo =
                    fixed != null && Scalars.findBoolean(entry.value()).equals(Optional.of(fixed));
            if (!SUPPORTED.contains(key) && !isSo) {
                without.add(key + "=");
            }
        });
        if (!without.isEmpty()) {
            all.add(name + ": settings have no effect: " + String.join(", ", without));
        }
        return all;
    }
}
