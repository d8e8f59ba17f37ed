package io.holdfast.interop.hostility;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Gen;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.idl.tree.Definition;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * All interfaces that a Varlink socket serves.
 *
 * @param probe the method that innocent callers call
 * @param parameters its parameters
 */
record VarlinkFace(String name, Daemon daemon, String socket, String probe, JsonObject parameters)
        implements EntryPoint {
    @Override
    public List<Method> methods(StackUnderAttack stack) {
        List<Method> methods = new ArrayList<>();
        try (VarlinkClient client = VarlinkClient.connect("unix:" + stack.file(socket))) {
            List<String> names = client.getInfo().interfaces();
            Words words = new Words(stack.units(), names, List.of());
            for (String name : names) {
                Definition described = Definition.of(client.getInterfaceDescription(name));
                described
                        .methods()
                        .map(method -> new VarlinkMethod(described, method, words))
                        .forEach(methods::add);
            }
        }
        return methods;
    }

    @Override
    public byte[] greeting() {
        return new byte[0];
    }

    @Override
    public Optional<Call> question() {
        return Optional.of(
                new Call(
                        bytes(
                                JsonObject.builder()
                                        .put("method", probe)
                                        .put("parameters", parameters)
                                        .build()),
                        0));
    }

    private static byte[] bytes(JsonObject message) {
        return (message + "\0").getBytes(UTF_8);
    }

    @Override
    public Dialogue dialogue(UnixSocket socket) {
        return (call, some) -> {
            call.send(socket, some, 0);
            String answer = read(socket);
            String error =
                    Json.parse(answer) instanceof JsonObject object
                            ? object.optionalString("error").map(_ -> answer).orElse("")
                            : "no object";
            return new Answer(answer.length(), error);
        };
    }

    /** Reads one message, which no other follows. */
    private static String read(UnixSocket socket) throws InterruptedException {
        StringBuilder answer = new StringBuilder();
        ByteBuffer part = ByteBuffer.allocate(64 << 10);
        while (answer.isEmpty() || answer.charAt(answer.length() - 1) != '\0') {
            part.clear();
            if (socket.receive(part) == UnixSocket.END) {
                throw new IllegalStateException("disconnected after " + answer);
            }
            answer.append(UTF_8.decode(part.flip()));
        }
        return answer.substring(0, answer.length() - 1);
    }

    private record VarlinkMethod(Definition described, Definition.Method method, Words words)
            implements Method {
        @Override
        public String name() {
            return described.name() + "." + method.name();
        }

        @Override
        public Call call(int serial, int arguments, int descriptors) {
            Gen gen = new Gen(arguments);
            JsonObject.Builder message =
                    JsonObject.builder()
                            .put("method", name())
                            .put(
                                    "parameters",
                                    new VarlinkArguments(described, words, gen)
                                            .object(method.input(), 0));
            if (gen.chance(0.2)) {
                message.put("more", true);
            }
            return new Call(bytes(message.build()), Math.max(1, descriptors));
        }
    }
}
