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

/** The metric families of one request, and their text. Families without samples are left out. */
final class MetricFamilies {
    private final String prefix;
    private final List<MetricSnapshot> families = new ArrayList<>();

    /**
     * @param prefix of all names: {@code holdfast_bus_}
     */
    MetricFamilies(String prefix) {
        this.prefix = prefix;
    }

    /** Takes the samples of a family. */
    interface Samples {
        /**
         * @param labels names and values in turn; no two samples of a family have the same
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

    /** Adds labels that belong together; the library appends {@code _info} to their name. */
    void info(String name, String help, List<Labels> labels) {
        InfoSnapshot.Builder family = InfoSnapshot.builder().name(prefix + name).help(help);
        for (Labels each : labels) {
            family.dataPoint(InfoSnapshot.InfoDataPointSnapshot.builder().labels(each).build());
        }
        families.add(family.build());
    }

    /** The text in the format of OpenMetrics 1.0. */
    String text() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            OpenMetricsTextFormatWriter.create().write(bytes, new MetricSnapshots(families));
        } catch (IOException e) {
            throw new UncheckedIOException(e); // memory does not fail
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
