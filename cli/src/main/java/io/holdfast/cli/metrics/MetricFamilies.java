package io.holdfast.cli.metrics;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Writes the metric families of one request in the format of OpenMetrics 1.0. Families without
 * samples are left out; labels are sorted by their names.
 */
final class MetricFamilies {
    private final String prefix;
    private final StringBuilder text = new StringBuilder();

    /**
     * @param prefix the prefix of all names, such as {@code holdfast_bus_}
     */
    MetricFamilies(String prefix) {
        this.prefix = prefix;
    }

    /** Receives the samples of a family. */
    interface Samples {
        /**
         * Adds a sample.
         *
         * @param labels names and values in turn; no two samples of a family have the same labels
         */
        void add(Number value, String... labels);
    }

    /** Adds a counter; the names of its samples end in {@code _total}. */
    void counter(String name, String help, Consumer<Samples> samples) {
        family("counter", "_total", name, help, samples);
    }

    void counter(String name, String help, long value) {
        counter(name, help, samples -> samples.add(value));
    }

    void gauge(String name, String help, Consumer<Samples> samples) {
        family("gauge", "", name, help, samples);
    }

    void gauge(String name, String help, long value) {
        gauge(name, help, samples -> samples.add(value));
    }

    /** Adds an info family, whose samples are only labels; their names end in {@code _info}. */
    void info(String name, String help, List<String[]> labels) {
        family("info", "_info", name, help, samples -> labels.forEach(all -> samples.add(1, all)));
    }

    private void family(
            String type, String suffix, String name, String help, Consumer<Samples> samples) {
        int begin = text.length();
        text.append("# TYPE %1$s%2$s %3$s\n# HELP %1$s%2$s ".formatted(prefix, name, type));
        escape(help);
        text.append('\n');
        int end = text.length();
        samples.accept((value, labels) -> {
            text.append(prefix).append(name).append(suffix);
            SortedMap<String, String> sorted = new TreeMap<>();
            for (int i = 0; i < labels.length; i += 2) {
                sorted.put(labels[i], labels[i + 1]);
            }
            char before = '{';
            for (Map.Entry<String, String> label : sorted.entrySet()) {
                text.append(before).append(label.getKey()).append("=\"");
                escape(label.getValue());
                text.append('"');
                before = ',';
            }
            text.append(sorted.isEmpty() ? " " : "} ").append(value).append('\n');
        });
        if (text.length() == end) {
            text.setLength(begin);
        }
    }

    private void escape(String value) {
        text.append(value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n"));
    }

    String text() {
        return text + "# EOF\n";
    }
}
