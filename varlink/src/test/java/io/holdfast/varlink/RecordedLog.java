package io.holdfast.varlink;

import java.text.MessageFormat;
import java.util.List;
import java.util.ResourceBundle;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** Keeps log lines of WARNING and above, for tests to read. */
public final class RecordedLog extends System.LoggerFinder {
    private static final List<String> lines = new CopyOnWriteArrayList<>();

    /** For the service loader. */
    public RecordedLog() {}

    public static void clear() {
        lines.clear();
    }

    public static List<String> lines() {
        return List.copyOf(lines);
    }

    @Override
    public System.Logger getLogger(String name, Module module) {
        return new System.Logger() {
            @Override
            public String getName() {
                return name;
            }

            @Override
            public boolean isLoggable(Level level) {
                return level.compareTo(Level.WARNING) >= 0;
            }

            @Override
            public void log(
                    Level level,
                    @Nullable ResourceBundle bundle,
                    @Nullable String message,
                    @Nullable Throwable thrown) {
                if (isLoggable(level)) {
                    lines.add(level + " " + message + (thrown == null ? "" : ": " + thrown));
                }
            }

            @Override
            public void log(
                    Level level,
                    @Nullable ResourceBundle bundle,
                    @Nullable String format,
                    @Nullable Object @Nullable ... parameters) {
                if (isLoggable(level) && format != null) {
                    lines.add(level + " " + MessageFormat.format(format, parameters));
                }
            }
        };
    }
}
