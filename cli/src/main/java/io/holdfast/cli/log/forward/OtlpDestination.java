package io.holdfast.cli.log.forward;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.cli.command.ForwardLimits;
import io.holdfast.journal.Entry;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonException;
import io.holdfast.varlink.json.JsonLimits;
import io.holdfast.varlink.json.JsonObject;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLContext;

/**
 * A collector that speaks OTLP over HTTP, with JSON. It confirms a batch by 200. After 400 and 413
 * it would refuse the same batch again; every other failure may pass, those that OTLP calls
 * retryable (429, 502, 503, 504) and those that an administrator has to remove (401, 404, 500): the
 * messages wait in the journal meanwhile.
 */
final class OtlpDestination implements Destination, AutoCloseable {
    private static final int OK = 200;
    private static final int REDIRECTION = 300;
    private static final int BAD_REQUEST = 400;
    private static final int TOO_LARGE = 413;
    private static final int LONGEST_ANSWER = 64 << 10;
    private static final int LONGEST_REASON = 200;

    private final HttpClient client;
    private final URI address;
    private final Map<String, String> headers;

    OtlpDestination(URI address, SSLContext trust, Map<String, String> headers) {
        this.address = address;
        this.headers = headers;
        this.client =
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .connectTimeout(ForwardLimits.ANSWER.duration())
                        .sslContext(trust)
                        .build();
    }

    @Override
    public Outcome send(List<Entry> batch) throws InterruptedException {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(address)
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(OtlpRecords.text(batch)));
        headers.forEach(request::setHeader);
        CompletableFuture<HttpResponse<byte[]>> answer =
                client.sendAsync(
                        request.build(),
                        BodyHandlers.limiting(BodyHandlers.ofByteArray(), LONGEST_ANSWER));
        try { // the timeout of a request would end with the head of the answer
            return outcome(
                    answer.get(ForwardLimits.ANSWER.duration().toMillis(), TimeUnit.MILLISECONDS));
        } catch (ExecutionException e) {
            return new Retry(String.valueOf(e.getCause()), Duration.ZERO);
        } catch (TimeoutException e) {
            return new Retry(
                    "no answer within " + ForwardLimits.ANSWER.duration().toSeconds() + " s",
                    Duration.ZERO);
        } finally {
            boolean _ = answer.cancel(true);
        }
    }

    private static Outcome outcome(HttpResponse<byte[]> answer) {
        int status = answer.statusCode();
        if (status >= OK && status < REDIRECTION) {
            return delivered(answer.body());
        }
        String text = new String(answer.body(), UTF_8).strip();
        String reason =
                "HTTP status "
                        + status
                        + (text.isEmpty()
                                ? ""
                                : ": "
                                        + text.substring(
                                                0, Math.min(LONGEST_REASON, text.length())));
        if (status == BAD_REQUEST || status == TOO_LARGE) {
            return new Refused(reason);
        }
        return new Retry(
                reason,
                answer.headers()
                        .firstValue("Retry-After")
                        .filter(value -> value.matches("[0-9]{1,9}"))
                        .map(Long::parseLong)
                        .map(Duration::ofSeconds)
                        .map(OtlpDestination::bounded)
                        .orElse(Duration.ZERO));
    }

    /** A collector that is wrong about its time must not stop the log for days. */
    private static Duration bounded(Duration asked) {
        Duration most = ForwardLimits.RETRY_AFTER.duration();
        return asked.compareTo(most) > 0 ? most : asked;
    }

    /** Reads how many messages were refused; an answer that does not say it has refused none. */
    private static Outcome delivered(byte[] body) {
        try {
            JsonObject partial =
                    body.length > 0
                                    && Json.parse(body, JsonLimits.DEFAULT)
                                            instanceof JsonObject all
                            ? all.optionalObject("partialSuccess").orElse(JsonObject.EMPTY)
                            : JsonObject.EMPTY;
            long rejected = // 64-bit numbers are strings in the JSON of Protobuf, and others are
                    // read
                    switch (partial.find("rejectedLogRecords").orElse(new Json.Int(0))) {
                        case Json.Int(long number) -> number;
                        case Json.Text(String text) when text.matches("[0-9]{1,9}") ->
                                Long.parseLong(text);
                        default -> 0;
                    };
            return new Delivered(rejected, partial.optionalString("errorMessage").orElse(""));
        } catch (JsonException e) {
            return new Delivered(0, "");
        }
    }

    /** Ends the client; a request that is under way is given up. */
    @Override
    public void close() {
        client.shutdownNow();
    }
}
