package io.holdfast.cli.log.forward;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** An OTLP collector whose answers a test decides; it notes the messages that it has confirmed. */
final class TestCollector implements AutoCloseable {
    private static final Pattern BODY = Pattern.compile("\"body\":\\{\"stringValue\":\"([^\"]*)\"");

    /** Answers a request; a status of 0 closes the connection without an answer. */
    interface Behaviour {
        Reply reply(List<String> messages) throws IOException;
    }

    record Reply(int status, String body, String retryAfter) {
        static final Reply OK = new Reply(200, "{}");

        Reply(int status, String body) {
            this(status, body, "");
        }
    }

    final List<String> confirmed = new CopyOnWriteArrayList<>();
    final List<String> requests = new CopyOnWriteArrayList<>();
    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private volatile Behaviour behaviour;

    TestCollector(Behaviour behaviour) throws IOException {
        this.behaviour = behaviour;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 16);
        server.setExecutor(threads);
        var _ = server.createContext("/v1/logs", this::handle);
        server.start();
    }

    void behave(Behaviour next) {
        behaviour = next;
    }

    String url() {
        return "http://localhost:" + server.getAddress().getPort() + "/v1/logs";
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String request = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
            requests.add(request);
            List<String> messages = new ArrayList<>();
            for (Matcher found = BODY.matcher(request); found.find(); ) {
                messages.add(found.group(1));
            }
            Reply reply = behaviour.reply(messages);
            byte[] body = reply.body().getBytes(UTF_8);
            if (!reply.retryAfter().isEmpty()) {
                exchange.getResponseHeaders().set("Retry-After", reply.retryAfter());
            }
            exchange.sendResponseHeaders(reply.status(), body.length);
            if (reply.status() == 200) {
                confirmed.addAll(messages);
            }
            exchange.getResponseBody().write(body);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
