package io.holdfast.varlink;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.socket.UnixAddress;
import io.holdfast.varlink.Varlinkctl.Result;
import io.holdfast.varlink.idl.tree.Definition;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** systemd's client against our server. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class VarlinkctlTest {
    private static final String TEST = "io.holdfast.test.";

    private final TestService service = new TestService();

    @BeforeAll
    static void needsVarlinkctl() {
        Varlinkctl.assumePresent();
    }

    @AfterEach
    void close() {
        service.close();
    }

    private Result run(String... arguments) throws Exception {
        return Varlinkctl.run(arguments);
    }

    @Test
    void itReadsWhoServes() throws Exception {
        assertThat(Varlinkctl.output("info", service.address()))
                .contains("Vendor: Holdfast", "Product: Test", "Version: 1.0")
                .contains("io.holdfast.test", "org.varlink.service");
        assertThat(Varlinkctl.output("list-interfaces", service.address()).lines())
                .containsExactly("io.holdfast.test", "org.varlink.service");
        assertThat(Varlinkctl.output("list-methods", service.address(), "io.holdfast.test").lines())
                .contains(TEST + "Echo", TEST + "Unserved");
    }

    @Test
    void itIntrospectsOnASocketInTheFileSystemToo() throws Exception {
        Path folder = Files.createTempDirectory("varlink");
        try {
            Path socket = folder.resolve("socket");
            service.server.listen(UnixAddress.path(socket));
            Definition theirs =
                    Definition.parse(
                            Varlinkctl.output("introspect", socket.toString(), "io.holdfast.test"));
            assertThat(theirs.methods().map(Definition.Method::name))
                    .containsExactlyInAnyOrderElementsOf(
                            Definition.of(TestService.DEFINITION)
                                    .methods()
                                    .map(Definition.Method::name)
                                    .toList());
            assertThat(theirs.method("Echo").orElseThrow().input())
                    .isEqualTo(
                            Definition.of(TestService.DEFINITION)
                                    .method("Echo")
                                    .orElseThrow()
                                    .input());
        } finally {
            service.close();
            Files.delete(folder);
        }
    }

    @Test
    void itCalls() throws Exception {
        String parameters = "{\"text\":\"ünï\",\"number\":9007199254740993,\"kind\":\"two\"}";
        String reply =
                Varlinkctl.output("-j", "call", service.address(), TEST + "Echo", parameters);
        assertThat(Json.parse(reply.strip())).isEqualTo(Json.parse(parameters));
    }

    @Test
    void itReadsAStream() throws Exception {
        String replies =
                Varlinkctl.output(
                        "--more", "-j", "call", service.address(), TEST + "Count", "{\"to\":100}");
        // json-seq: each reply follows a record separator
        List<Long> values =
                replies.lines()
                        .map(line -> line.replace("\u001e", "").strip())
                        .filter(line -> !line.isEmpty())
                        .map(line -> Json.parse(line).asObject().integer("value"))
                        .toList();
        assertThat(values).hasSize(100).startsWith(1L, 2L).endsWith(100L);
    }

    @Test
    void itCallsOneway() throws Exception {
        Result result =
                run("--oneway", "call", service.address(), TEST + "Note", "{\"text\":\"gone\"}");
        assertThat(result.status()).as(result.errors()).isZero();
        assertThat(service.notes.poll(30, TimeUnit.SECONDS)).isEqualTo("gone");
    }

    @Test
    void itIsToldOfErrors() throws Exception {
        Result declared = run("call", service.address(), TEST + "Fail", "{\"how\":\"declared\"}");
        assertThat(declared.status()).isNotZero();
        assertThat(declared.errors()).contains("io.holdfast.test.NotThere");
        Result errno = run("call", service.address(), TEST + "Fail", "{\"how\":\"errno\"}");
        assertThat(errno.status()).isNotZero();
        assertThat(errno.errors()).contains("io.systemd.System");
        Result invalid = run("call", service.address(), TEST + "Echo", "{\"number\":\"x\"}");
        assertThat(invalid.errors()).contains("org.varlink.service.InvalidParameter");
        Result more = run("call", service.address(), TEST + "Count", "{\"to\":1}");
        assertThat(more.errors()).contains("org.varlink.service.ExpectedMore");
        Result unknown = run("call", service.address(), TEST + "Nope", "{}");
        assertThat(unknown.errors()).contains("org.varlink.service.MethodNotFound");
    }

    @Test
    void ourServerIsItsPeer() throws Exception {
        String reply = Varlinkctl.output("-j", "call", service.address(), TEST + "Peer", "{}");
        JsonObject peer = Json.parse(reply.strip()).asObject();
        assertThat(peer.integer("pid")).isPositive().isNotEqualTo(ProcessHandle.current().pid());
    }
}
