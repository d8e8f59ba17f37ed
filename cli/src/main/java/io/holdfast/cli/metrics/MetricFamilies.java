package io.holdfast.cli.metrics;

import io.prometheus.metrics.expositionformats.OpenMetricsTextFormatWriter;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Collects the metric families of one request, and writes their text. Families without samples are
 * left out.
 */
final class MetricFamilies {
    private final String prefix;
    private final List<MetricSnapshot> families = new ArrayList<>();

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
        void add(long value, String... labels);
    }

    /** Adds a counter; the library appends {@code _total} to the names of its samples. */
    void counter(String name, String help, Consumer<Samples> samples) {
        CounterSnapshot.Builder family = CounterSnapshot.builder().name(prefix + name).help(help);
        samples.accept((value, labels) ->
                family.dataPoint(
                        CounterSnapshot.CounterDataPointSnapshot.builder()
                                .value((double) value)
                                .labels(Labels.of(labels))
                                .build()));
        families.add(family.build());
    }

    void counter(String name, String help, long value) {
        counter(name, help, samples -> samples.add(value));
    }

    void gauge(String name, String help, Consumer<Samples> samples) {
        GaugeSnapshot.Builder family = GaugeSnapshot.builder().name(prefix + name).help(help);
        samples.accept((value, labels) ->
                family.dataPoint(
                        GaugeSnapshot.GaugeDataPointSnapshot.builder()
                                .value((double) value)
                                .labels(Labels.of(labels))
                                .build()));
        families.add(family.build());
    }

    void gauge(String name, String help, long value) {
        gauge(name, help, samples -> samples.add(value));
    }

    /**
     * Adds an info family, whose samples are only labels; the library appends {@code _info} to the
     * name.
     */
    void info(String name, String help, List<Labels> labels) {
        InfoSnapshot.Builder family = InfoSnapshot.builder().name(prefix + name).help(help);
        for (Labels each : labels) {
            family.dataPoint(InfoSnapshot.InfoDataPointSnapshot.builder().labels(each).build());
        }
        families.add(family.build());
    }

    /** Returns the text in the format of OpenMetrics 1.0. */
    String text() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            OpenMetricsTextFormatWriter.create().write(bytes, new MetricSnapshots(families));
        } catch (IOException e) {
            throw new UncheckedIOException(e); // writing to memory does not fail
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
