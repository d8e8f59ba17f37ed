package io.holdfast.cli.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The metrics that a daemon serves, read over HTTP and checked line by line: a family begins with
 * its type and its help, its samples follow at once and have its name as prefix, no two have the
 * same labels, and the last line is the end mark.
 */
public final class ServedMetrics {
    private static final Pattern TYPE =
            Pattern.compile("# TYPE (holdfast_[a-z]+_[a-z_]+) (counter|gauge|info)");
    private static final Pattern HELP = Pattern.compile("# HELP ([a-z_]+) [A-Z][^\\n]*\\.");
    private static final Pattern SAMPLE =
            Pattern.compile(
                    "([a-z_]+)(\\{(?:[a-z]+=\"(?:[^\"\\\\\\n]|\\\\[\\\\\"n])*\",?)+})? ([0-9.E]+)");
    private static final Map<String, String> SUFFIXES =
            Map.of("counter", "_total", "gauge", "", "info", "_info");

    private final Map<String, Double> samples = new HashMap<>();

    private ServedMetrics() {}

    /**
     * Requests the metrics once.
     *
     * @throws io.holdfast.core.ErrnoException if no daemon listens there
     */
    public static ServedMetrics of(Path socket) {
        try (UnixSocket client = UnixSocket.connect(UnixAddress.path(socket), SocketType.STREAM)) {
            client.sendFully(
                    ByteBuffer.wrap(
                            "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                    .getBytes(StandardCharsets.US_ASCII)));
            String answer = new String(client.inputStream().readAllBytes(), StandardCharsets.UTF_8);
            int end = answer.indexOf("\r\n\r\n");
            assertThat(answer).startsWith("HTTP/1.1 200 OK\r\n");
            ServedMetrics metrics = new ServedMetrics();
            metrics.read(answer.substring(end + 4));
            return metrics;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private void read(String text) {
        assertThat(text).endsWith("\n# EOF\n");
        List<String> lines = text.lines().toList();
        Set<String> families = new HashSet<>();
        int at = 0;
        while (at < lines.size() - 1) {
            Matcher type = matched(TYPE, lines.get(at));
            Matcher help = matched(HELP, lines.get(at + 1));
            assertThat(help.group(1)).isEqualTo(type.group(1));
            assertThat(families.add(type.group(1))).as(type.group(1)).isTrue();
            String name = type.group(1) + SUFFIXES.get(type.group(2));
            at += 2;
            int first = at;
            while (!lines.get(at).startsWith("#")) {
                Matcher sample = matched(SAMPLE, lines.get(at));
                assertThat(sample.group(1)).isEqualTo(name);
                String labels = sample.group(2) == null ? "" : sample.group(2);
                assertThat(samples.put(name + labels, Double.valueOf(sample.group(3))))
                        .as(lines.get(at))
                        .isNull();
                at++;
            }
            assertThat(at).as("samples of " + name).isGreaterThan(first);
        }
    }

    private static Matcher matched(Pattern pattern, String line) {
        Matcher matcher = pattern.matcher(line);
        assertThat(matcher.matches()).as(line).isTrue();
        return matcher;
    }

    /**
     * Returns the value of a sample.
     *
     * @param sample the name with the labels, as served
     */
    public double value(String sample) {
        Double value = samples.get(sample);
        if (value == null) {
            throw new AssertionError(sample + " is not among " + samples.keySet());
        }
        return value;
    }

    /** Returns the names of all samples, with their labels. */
    public Set<String> names() {
        return samples.keySet();
    }
}
