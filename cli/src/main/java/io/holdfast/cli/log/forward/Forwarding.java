package io.holdfast.cli.log.forward;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.DaemonProcess;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.metrics.ForwardMetrics;
import io.holdfast.cli.metrics.MetricsSocket;
import io.holdfast.cli.output.Output;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Signal;
import io.holdfast.core.socket.Notify;
import io.holdfast.journal.Cursor;
import io.holdfast.journal.Entry;
import io.holdfast.journal.JournalReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import javax.net.ssl.SSLContext;
import picocli.CommandLine.ParseResult;

/** {@code holdfast logs --forward URL}: forwards until SIGINT or SIGTERM. */
public final class Forwarding {
    private static final String URL = "--forward";
    private static final String CURSOR = "--cursor-file";

    private Forwarding() {}

    /** Adds the options. */
    public static void options(Grammar grammar) {
        var _ =
                grammar.option(
                                URL + " URL",
                                "Send the messages to a collector instead, now and as they arrive,"
                                        + " each at least once: OTLP (http://HOST:4318/v1/logs, or"
                                        + " https), syslog (syslog+tcp://HOST:PORT,"
                                        + " syslog+tls://HOST:PORT), or the systemd-journald of this"
                                        + " machine (journal:/run/systemd/journal/socket).")
                        .option(
                                CURSOR + " FILE",
                                "With --forward: keep the position in this file, so that the next"
                                        + " run continues there.")
                        .option(
                                "--ca-file FILE",
                                "With --forward: trust these certificate authorities (PEM; default:"
                                        + " those of the JDK).")
                        .option(
                                "--header-file FILE",
                                "With --forward: send these HTTP headers, one \"Name: value\" a line,"
                                        + " as for an authorization.")
                        .with(MetricsSocket.option("With --forward: counters"));
    }

    /** Returns whether messages are to be forwarded. */
    public static boolean isWanted(ParseResult line) {
        return line.hasMatchedOption(URL);
    }

    /**
     * Forwards until SIGINT or SIGTERM.
     *
     * @param reader before the first message, for a first run
     * @param wanted which messages are sent
     */
    public static void run(
            ParseResult line, JournalReader reader, Predicate<Entry> wanted, Output output)
            throws Exception {
        if (!line.hasMatchedOption(CURSOR)) {
            throw Command.misuse(line, URL + " needs " + CURSOR + ", to continue after a restart");
        }
        DaemonProcess _ = DaemonProcess.begin();
        output.queueLines();
        CursorFile file =
                new CursorFile(Path.of(line.matchedOptionValue(CURSOR, "")).toAbsolutePath());
        Optional<Cursor> before = file.read();
        before.ifPresent(reader::seekAfter);
        Destination destination = destination(line);
        Forwarder forwarder = new Forwarder(reader, wanted, destination, file, output::warn);
        AtomicReference<Exception> failure = new AtomicReference<>();
        try (EventLoop loop = EventLoop.open();
                MetricsSocket<ForwardMetrics> _ =
                        MetricsSocket.of(
                                line,
                                loop,
                                () -> CompletableFuture.completedFuture(forwarder.counters()),
                                ForwardMetrics::text);
                AutoCloseable _ = loop.onSignal(Signal.TERM, loop::stop);
                AutoCloseable _ = loop.onSignal(Signal.INT, loop::stop)) {
            Thread thread = // a virtual one, which an interrupt ends also in a socket
                    Thread.ofVirtual()
                            .unstarted(() -> {
                                try {
                                    forwarder.run();
                                } catch (InterruptedException e) {
                                    // the loop has ended
                                } catch (IOException | RuntimeException e) {
                                    failure.set(e);
                                } finally {
                                    loop.stop();
                                }
                            });
            output.line("forwarding to ", line.matchedOptionValue(URL, ""));
            thread.start();
            boolean _ = Notify.send("READY=1");
            loop.run();
            boolean _ = Notify.send("STOPPING=1");
            thread.interrupt();
            thread.join();
        } finally {
            if (destination instanceof OtlpDestination otlp) {
                otlp.close();
            }
        }
        if (failure.get() != null) {
            throw failure.get();
        }
    }

    private static Destination destination(ParseResult line) throws IOException {
        String text = line.matchedOptionValue(URL, "");
        URI address;
        try {
            address = URI.create(text);
        } catch (IllegalArgumentException e) {
            throw Command.misuse(line, URL + ": " + e.getMessage());
        }
        if ("journal".equals(address.getScheme()) && text.startsWith("journal:/")) {
            return new JournalDestination(Path.of(text.substring("journal:".length())));
        }
        if (address.getHost() == null) {
            throw Command.misuse(line, URL + ": there is no host in " + text);
        }
        String ca = line.matchedOptionValue("--ca-file", "");
        SSLContext trust = ca.isEmpty() ? Trust.standard() : Trust.of(Path.of(ca));
        String scheme = String.valueOf(address.getScheme());
        return switch (scheme) {
            case "http", "https" -> new OtlpDestination(address, trust, headers(line));
            case "syslog+tcp", "syslog+tls" -> {
                if (address.getPort() < 0) {
                    throw Command.misuse(line, URL + ": there is no port in " + text);
                }
                yield new SyslogDestination(address, scheme.equals("syslog+tls"), trust);
            }
            default ->
                    throw Command.misuse(
                            line,
                            URL
                                    + ": no protocol "
                                    + scheme
                                    + "; there are http, https, syslog+tcp, syslog+tls and"
                                    + " journal:/PATH");
        };
    }

    private static Map<String, String> headers(ParseResult line) {
        String file = line.matchedOptionValue("--header-file", "");
        Map<String, String> headers = new LinkedHashMap<>();
        if (!file.isEmpty()) {
            try {
                for (String each : Files.readAllLines(Path.of(file))) {
                    int colon = each.indexOf(':');
                    if (colon > 0) {
                        headers.put(
                                each.substring(0, colon).strip(),
                                each.substring(colon + 1).strip());
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return headers;
    }
}
