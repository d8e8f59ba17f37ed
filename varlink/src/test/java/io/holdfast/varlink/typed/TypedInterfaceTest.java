package io.holdfast.varlink.typed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.server.Service;
import io.holdfast.varlink.server.VarlinkServer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Java interfaces as Varlink interfaces: the definition, proxies and services. */
@Timeout(60)
class TypedInterfaceTest {
    /** A word, of which one has another name in Varlink. */
    public enum Colour {
        RED,
        @VarlinkName("dark_blue")
        BLUE
    }

    /** A struct that contains itself. */
    public record Tree(String name, List<Tree> children, Optional<Tree> twin) {}

    /** One component of every type. */
    public record All(
            boolean flag,
            byte small,
            short medium,
            int number,
            long large,
            float approximate,
            double exact,
            String text,
            Colour colour,
            Tree tree,
            List<Long> list,
            Map<String, List<Colour>> map,
            Optional<String> maybe,
            OptionalInt maybeInt,
            OptionalLong maybeLong,
            OptionalDouble maybeDouble,
            JsonObject object,
            Json any) {}

    /** Parameters. */
    public record Query(@VarlinkName("zone_name") String zone, Optional<Integer> limit) {}

    /** A reply. */
    public record Found(List<String> names, long caller) {}

    /** An error. */
    public record NoZone(int at) {}

    /** Another error. */
    public record Busy() {}

    /** The interface. */
    @VarlinkName("org.example.Test")
    public interface Example {
        All echo(All all);

        Found find(Query query);

        @VarlinkName("Forget")
        void drop();

        default String twice(String zone) {
            return find(new Query(zone, Optional.empty())).names() + zone;
        }
    }

    private static final TypedInterface<Example> EXAMPLE =
            TypedInterface.of(Example.class, NoZone.class, Busy.class);

    private static All all() {
        return new All(
                true,
                Byte.MIN_VALUE,
                Short.MAX_VALUE,
                Integer.MIN_VALUE,
                Long.MAX_VALUE,
                0.5f,
                -1e300,
                "ä\n",
                Colour.BLUE,
                new Tree(
                        "a",
                        List.of(new Tree("b", List.of(), Optional.empty())),
                        Optional.of(new Tree("c", List.of(), Optional.empty()))),
                List.of(1L, 2L),
                Map.of("x", List.of(Colour.RED, Colour.BLUE)),
                Optional.of("m"),
                OptionalInt.empty(),
                OptionalLong.of(7),
                OptionalDouble.empty(),
                JsonObject.of("k", 1),
                Json.of("any"));
    }

    /** Serves the interface at a socket, and lends the test a client. */
    private interface Use {
        void run(VarlinkClient client) throws Exception;
    }

    private static void serving(Path folder, Service service, Use use) throws Exception {
        Path path = folder.resolve("socket");
        try (VarlinkServer server =
                VarlinkServer.builder()
                        .identity("Example", "test", "1", "https://example.org")
                        .service(service)
                        .build()) {
            server.serve(UnixListener.listen(UnixAddress.path(path), SocketType.STREAM, 10, 0600));
            try (VarlinkClient client = VarlinkClient.connect("unix:" + path)) {
                use.run(client);
            }
        }
    }

    private static final class Served implements Example {
        @Override
        public All echo(All all) {
            return all;
        }

        @Override
        public Found find(Query query) {
            if (query.zone().isEmpty()) {
                throw EXAMPLE.exception(new NoZone(3));
            }
            return new Found(
                    List.of(query.zone(), query.limit().toString()),
                    TypedInterface.currentCall().peer().uid());
        }

        @Override
        public void drop() {}
    }

    @Test
    void theDefinitionIsGenerated() {
        assertThat(EXAMPLE.definition().toString().replaceAll("\\s+", " "))
                .contains("interface org.example.Test")
                .contains("method Forget() -> ()", "error NoZone (", "at: int", "error Busy")
                .contains(
                        "Find( zone_name: string, limit: ?int ) -> ( names: []string, caller: int )")
                .contains("type Colour (", "RED", "dark_blue")
                .contains("children: []Tree", "twin: ?Tree", "map: [string][]Colour")
                .contains("maybeInt: ?int", "maybeDouble: ?float", "object: object", "any: any");
        assertThat(Interface.parse(EXAMPLE.definition().toString()))
                .isEqualTo(EXAMPLE.definition());
    }

    @Test
    void recordsGoThereAndBack(@TempDir Path folder) throws Exception {
        serving(
                folder,
                EXAMPLE.service(new Served()),
                client -> {
                    Example remote = EXAMPLE.proxy(client);
                    assertThat(remote.echo(all())).isEqualTo(all());
                    remote.drop();
                    assertThat(remote.find(new Query("z", Optional.of(3))).names())
                            .containsExactly("z", "Optional[3]");
                    assertThat(remote.twice("z")).isEqualTo("[z, Optional.empty]z");
                    assertThat(remote)
                            .isNotEqualTo(EXAMPLE.proxy(client))
                            .hasToString("org.example.Test proxy");
                    assertThat(client.getInterfaceDescription("org.example.Test"))
                            .isEqualTo(EXAMPLE.definition());
                });
    }

    @Test
    void anErrorIsThrownOnBothSides(@TempDir Path folder) throws Exception {
        serving(
                folder,
                EXAMPLE.service(new Served()),
                client ->
                        assertThatExceptionOfType(VarlinkException.class)
                                .isThrownBy(() ->
                                        EXAMPLE.proxy(client).find(new Query("", Optional.empty())))
                                .matches(e -> e.error().equals("org.example.Test.NoZone"))
                                .matches(e -> e.parameters().integer("at") == 3)
                                .satisfies(e -> {
                                    assertThat(EXAMPLE.error(e, NoZone.class))
                                            .contains(new NoZone(3));
                                    assertThat(EXAMPLE.error(e, Busy.class)).isEmpty();
                                }));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"zone_name\":\"z\",\"limit\":2147483648}",
                "{\"zone_name\":\"z\",\"limit\":-9000000000}",
                "{\"zone_name\":\"z\",\"limit\":\"x\"}"
            })
    void aParameterThatDoesNotFitIsRefused(String parameters, @TempDir Path folder)
            throws Exception {
        serving(
                folder,
                EXAMPLE.service(new Served()),
                client ->
                        assertThatExceptionOfType(VarlinkException.class)
                                .isThrownBy(() ->
                                        client.call(
                                                "org.example.Test.Find",
                                                (JsonObject) Json.parse(parameters)))
                                .matches(e -> e.error().endsWith(".InvalidParameter"))
                                .matches(e -> e.parameters().string("parameter").equals("limit")));
    }

    @Test
    void aReplyThatDoesNotFitIsNamed(@TempDir Path folder) throws Exception {
        Service other =
                Service.of(
                                Interface.parse(
                                        "interface org.example.Test\n"
                                                + "method Find(zone_name: string, limit: ?int)"
                                                + " -> (names: []any, new: int)\n"))
                        .method(
                                "Find",
                                call ->
                                        JsonObject.builder()
                                                .put("names", List.of(Json.of("a"), Json.of(1)))
                                                .put("new", 1)
                                                .build())
                        .build();
        serving(
                folder,
                other,
                client ->
                        assertThatIllegalStateException()
                                .isThrownBy(() ->
                                        EXAMPLE.proxy(client)
                                                .find(new Query("z", Optional.empty())))
                                .withMessage(
                                        "org.example.Test.Find: reply: names[1]: expected string,"
                                                + " found integer"));
    }

    @Test
    @SuppressWarnings("NullAway") // nulls that are refused
    void aValueWithoutAFormIsRefusedBeforeItIsSent(@TempDir Path folder) throws Exception {
        serving(
                folder,
                EXAMPLE.service(new Served()),
                client -> {
                    Example remote = EXAMPLE.proxy(client);
                    assertThatIllegalArgumentException()
                            .isThrownBy(() -> remote.find(new Query(null, Optional.empty())))
                            .withMessage("org.example.Test.Find: zone_name: is null");
                    assertThatIllegalArgumentException().isThrownBy(() -> remote.find(null));
                    All all = all();
                    Tree broken = new Tree("a", Arrays.asList((Tree) null), Optional.empty());
                    assertThatIllegalArgumentException()
                            .isThrownBy(() -> remote.echo(with(all, broken, 1)))
                            .withMessage("org.example.Test.Echo: tree.children[0]: is null");
                    assertThatIllegalArgumentException()
                            .isThrownBy(() -> remote.echo(with(all, all.tree(), Double.NaN)))
                            .withMessage("org.example.Test.Echo: exact: JSON has no number NaN");
                });
    }

    private static All with(All all, Tree tree, double exact) {
        return new All(
                all.flag(),
                all.small(),
                all.medium(),
                all.number(),
                all.large(),
                all.approximate(),
                exact,
                all.text(),
                all.colour(),
                tree,
                all.list(),
                all.map(),
                all.maybe(),
                all.maybeInt(),
                all.maybeLong(),
                all.maybeDouble(),
                all.object(),
                all.any());
    }

    /** Takes no record. */
    @VarlinkName("a.b")
    public interface NoRecord {
        void set(String name);
    }

    /** Returns no record. */
    @VarlinkName("a.b")
    public interface NoReply {
        String get();
    }

    /** Has no Varlink name. */
    @VarlinkName("nodot")
    public interface BadName {}

    /** Uses a type that Varlink does not have. */
    public record Sets(Set<String> names) {}

    /** Takes a set. */
    @VarlinkName("a.b")
    public interface BadType {
        void set(Sets sets);
    }

    /** Two methods of one name. */
    @VarlinkName("a.b")
    public interface Twice {
        void set();

        void set(Query query);
    }

    @VarlinkName("a.b")
    interface Hidden {}

    @Test
    void anInterfaceThatIsNoneIsRefusedWithItsPlace() {
        isRefused(NoRecord.class, "NoRecord.set: its parameters must be the components of one");
        isRefused(NoReply.class, "NoReply.get: it must return void or a record");
        isRefused(BadName.class, "\"nodot\" is not a valid name of an interface");
        isRefused(BadType.class, "Sets.names: no Varlink type for java.util.Set<java.lang.String>");
        isRefused(Twice.class, "\"Set\" is defined twice");
        isRefused(Hidden.class, "Hidden is not public");
        isRefused(String.class, "is not an interface");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TypedInterface.of(Example.class, String.class))
                .withMessage("java.lang.String: an error is a record");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EXAMPLE.exception(new Query("z", Optional.empty())))
                .withMessageContaining("has no error Query");
    }

    private static void isRefused(Class<?> type, String reason) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TypedInterface.of(type))
                .withMessageContaining(reason);
    }

    @Test
    void aThreadThatAnswersNoCallHasNone() {
        assertThatIllegalStateException().isThrownBy(TypedInterface::currentCall);
    }
}
