package io.holdfast.interop.varlink;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.run.Run;
import io.holdfast.core.run.RunResult;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.varlink.client.ReplyStream;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.server.VarlinkServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * The client of the Go implementation certifies our server, and its server our client. Both are
 * built from Debian's sources.
 */
@Timeout(300)
@EnabledIfSystemProperty(named = "holdfast.long", matches = "true")
@Needs(programs = "go")
class VarlinkCertificationTest {
    private static final Path SOURCES =
            Path.of("/usr/share/gocode/src/github.com/varlink/go/cmd/varlink-go-certification");

    @TempDir private static Path folder;
    private static Path program;

    @BeforeAll
    static void build() throws InterruptedException {
        program = folder.resolve("certification");
        Spawn build =
                Spawn.of("go", "build", "-o", program.toString(), ".")
                        .directory(SOURCES)
                        .environment("GO111MODULE", "off")
                        .environment("GOPATH", "/usr/share/gocode")
                        .environment("GOCACHE", folder.resolve("cache").toString());
        RunResult _ = Run.of(build).timeout(Duration.ofMinutes(4)).run().requireSuccess();
    }

    private static Interface definition() throws IOException {
        return Interface.parse(
                Files.readString(
                        SOURCES.resolve(
                                "orgvarlinkcertification/org.varlink.certification.varlink")));
    }

    @Test
    void ourServerPassesTheirClient() throws Exception {
        Path socket = folder.resolve("ours");
        try (VarlinkServer server =
                VarlinkServer.builder()
                        .service(new Certification().service(definition()))
                        .build()) {
            server.listen(UnixAddress.path(socket));
            RunResult client =
                    Run.of(program.toString(), "-client", "-varlink", "unix:" + socket)
                            .timeout(Duration.ofSeconds(60))
                            .run()
                            .requireSuccess();
            assertThat(client.output()).contains("Test11: ''").endsWith("End: 'true'\n");
        }
    }

    @Test
    void ourClientPassesTheirServer() throws Exception {
        Path socket = folder.resolve("theirs");
        try (var server = Spawn.of(program.toString(), "-varlink", "unix:" + socket).start();
                VarlinkClient client = connected(socket)) {
            String id = call(client, "Start", JsonObject.EMPTY).string("client_id");
            Optional<JsonObject> answer = Optional.empty();
            for (Map.Entry<String, JsonObject> step : Certification.STEPS) {
                JsonObject got = call(client, step.getKey(), Certification.with(id, answer));
                assertThat(Certification.isSame(got, step.getValue()))
                        .as("%s answers %s", step.getKey(), got)
                        .isTrue();
                answer = Optional.of(got);
            }
            List<String> replies = new ArrayList<>();
            try (ReplyStream stream =
                    client.more(Certification.NAME + ".Test10", Certification.with(id, answer))) {
                stream.forEachRemaining(reply -> replies.add(reply.parameters().string("string")));
            }
            assertThat(replies).hasSize(10).endsWith("Reply number 10");
            client.oneway(
                    Certification.NAME + ".Test11",
                    Certification.with(
                            id,
                            Optional.of(
                                    JsonObject.of("last_more_replies", Json.strings(replies)))));
            assertThat(call(client, "End", JsonObject.of("client_id", id)).bool("all_ok")).isTrue();
            boolean _ = server.signal(Signal.KILL);
        }
    }

    private static JsonObject call(VarlinkClient client, String method, JsonObject parameters) {
        return client.call(Certification.NAME + "." + method, parameters);
    }

    /** Returns a client, as soon as the service listens. */
    private static VarlinkClient connected(Path socket) {
        AtomicReference<VarlinkClient> client = new AtomicReference<>();
        Await.until(() -> {
            try {
                client.set(VarlinkClient.connect("unix:" + socket));
                return true;
            } catch (ErrnoException e) {
                if (e.errno() == Errno.ENOENT || e.errno() == Errno.ECONNREFUSED) {
                    return false;
                }
                throw e;
            }
        });
        return client.get();
    }
}
