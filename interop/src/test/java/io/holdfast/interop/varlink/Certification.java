package io.holdfast.interop.varlink;

import static java.util.Map.entry;

import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.server.Call;
import io.holdfast.varlink.server.Service;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;

/**
 * The service {@code org.varlink.certification}: a client passes the reply of each method to the
 * next one, and learns at the end whether all of them arrived intact.
 */
final class Certification {
    static final String NAME = "org.varlink.certification";

    /** The methods in their order, each with its reply. */
    static final List<Map.Entry<String, JsonObject>> STEPS =
            List.of(
                    entry("Test01", JsonObject.of("bool", true)),
                    entry("Test02", JsonObject.of("int", 1)),
                    entry("Test03", JsonObject.of("float", Json.of(1.0))),
                    entry("Test04", JsonObject.of("string", "ping")),
                    entry("Test05", scalars()),
                    entry("Test06", JsonObject.of("struct", scalars())),
                    entry("Test07", JsonObject.of("map", texts("foo", "Foo", "bar", "Bar"))),
                    entry("Test08", JsonObject.of("set", set())),
                    entry("Test09", JsonObject.of("mytype", myType())));

    private static final int REPLIES = 10;

    private final Set<String> clients = ConcurrentHashMap.newKeySet();
    private final Set<String> certified = ConcurrentHashMap.newKeySet();

    private static JsonObject scalars() {
        return JsonObject.builder()
                .put("bool", false)
                .put("int", 2)
                .put("float", Math.PI)
                .put("string", "a lot of string")
                .build();
    }

    private static JsonObject texts(String... pairs) {
        JsonObject.Builder all = JsonObject.builder();
        for (int i = 0; i < pairs.length; i += 2) {
            all.put(pairs[i], pairs[i + 1]);
        }
        return all.build();
    }

    private static JsonObject set() {
        return JsonObject.builder()
                .put("one", JsonObject.EMPTY)
                .put("two", JsonObject.EMPTY)
                .put("three", JsonObject.EMPTY)
                .build();
    }

    private static JsonObject myType() {
        JsonObject texts = texts("foo", "Foo", "bar", "Bar");
        return JsonObject.builder()
                .put(
                        "object",
                        JsonObject.builder()
                                .put("method", NAME + ".Test09")
                                .put("parameters", JsonObject.of("map", texts))
                                .build())
                .put("enum", "two")
                .put("struct", JsonObject.builder().put("first", 1).put("second", "2").build())
                .putStrings("array", List.of("one", "two", "three"))
                .put("dictionary", texts)
                .put("stringset", set())
                .put("nullable", Json.Null.NULL)
                .put("nullable_array_struct", Json.Null.NULL)
                .put(
                        "interface",
                        JsonObject.builder()
                                .put(
                                        "foo",
                                        List.of(
                                                Json.Null.NULL,
                                                texts("Foo", "foo", "Bar", "bar"),
                                                Json.Null.NULL,
                                                texts("one", "foo", "two", "bar")))
                                .put(
                                        "anon",
                                        JsonObject.builder()
                                                .put("foo", true)
                                                .put("bar", false)
                                                .build())
                                .build())
                .build();
    }

    private static List<String> replies() {
        return IntStream.rangeClosed(1, REPLIES).mapToObj(i -> "Reply number " + i).toList();
    }

    /** Returns the service. */
    Service service(Interface definition) {
        Service.Builder service = Service.of(definition).method("Start", _ -> start());
        JsonObject before = JsonObject.EMPTY;
        for (Map.Entry<String, JsonObject> step : STEPS) {
            JsonObject expected = before;
            service.method(
                    step.getKey(),
                    call -> {
                        expect(call, expected);
                        return step.getValue();
                    });
            before = step.getValue();
        }
        JsonObject last = before;
        return service.method("Test10", call -> sendReplies(call, last))
                .method("Test11", this::takeReplies)
                .method(
                        "End",
                        call -> {
                            String client = client(call);
                            boolean known = clients.remove(client);
                            return JsonObject.of("all_ok", known && certified.remove(client));
                        })
                .build();
    }

    private JsonObject start() {
        String client = UUID.randomUUID().toString();
        boolean _ = clients.add(client);
        return JsonObject.of("client_id", client);
    }

    private static JsonObject sendReplies(Call call, JsonObject before) {
        expect(call, before);
        if (!call.wantsMore()) {
            throw VarlinkException.expectedMore();
        }
        List<String> all = replies();
        all.subList(0, REPLIES - 1)
                .forEach(text -> {
                    boolean _ = call.send(JsonObject.of("string", text));
                });
        return JsonObject.of("string", all.getLast());
    }

    private JsonObject takeReplies(Call call) {
        expect(call, JsonObject.of("last_more_replies", Json.strings(replies())));
        if (call.isOneway() && clients.contains(client(call))) {
            boolean _ = certified.add(client(call));
        }
        return JsonObject.EMPTY;
    }

    private static String client(Call call) {
        return call.parameters().string("client_id");
    }

    private static void expect(Call call, JsonObject wanted) {
        JsonObject.Builder got = JsonObject.builder();
        call.parameters()
                .fields()
                .forEach((name, value) -> {
                    if (!name.equals("client_id")) {
                        got.put(name, value);
                    }
                });
        JsonObject remaining = got.build();
        if (!isSame(remaining, wanted)) {
            throw new VarlinkException(
                    NAME + ".CertificationError",
                    JsonObject.builder().put("wants", wanted).put("got", remaining).build());
        }
    }

    /**
     * Compares values: a number is the same with and without a fraction of zero, and a null is the
     * same as a missing field.
     */
    static boolean isSame(Json one, Json other) {
        return withoutNulls(one).equals(withoutNulls(other));
    }

    private static Json withoutNulls(Json value) {
        return switch (value) {
            case JsonObject(Map<String, Json> fields) -> {
                JsonObject.Builder some = JsonObject.builder();
                fields.forEach((name, field) -> {
                    if (field != Json.Null.NULL) {
                        some.put(name, withoutNulls(field));
                    }
                });
                yield some.build();
            }
            case Json.Array(List<Json> elements) -> {
                List<Json> all = new ArrayList<>();
                elements.forEach(element -> all.add(withoutNulls(element)));
                yield Json.array(all);
            }
            case Json.Int(long number) -> Json.of((double) number);
            default -> value;
        };
    }

    /**
     * Returns the parameters of the next call: the client's id and the reply of the last method.
     */
    static JsonObject with(String client, Optional<JsonObject> answer) {
        JsonObject.Builder parameters = JsonObject.builder().put("client_id", client);
        answer.ifPresent(fields -> fields.fields().forEach(parameters::put));
        return parameters.build();
    }
}
