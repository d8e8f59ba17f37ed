package io.holdfast.varlink.wire;

import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.idl.tree.IdlNames;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A reply as a message on the wire.
 *
 * @param error the error's qualified name; null for a success
 * @param continues whether more replies follow
 */
public record ReplyMessage(@Nullable String error, JsonObject parameters, boolean continues) {
    public static ReplyMessage success(JsonObject parameters) {
        return new ReplyMessage(null, parameters, false);
    }

    public static ReplyMessage continuing(JsonObject parameters) {
        return new ReplyMessage(null, parameters, true);
    }

    public static ReplyMessage failure(VarlinkException error) {
        return new ReplyMessage(error.error(), error.parameters(), false);
    }

    /**
     * Reads a reply.
     *
     * @throws MalformedMessageException if the value is no valid reply
     */
    public static ReplyMessage of(Json json) throws MalformedMessageException {
        if (!(json instanceof JsonObject(Map<String, Json> fields))) {
            throw new MalformedMessageException("a reply is an object, not: " + json.kind());
        }
        String error = null;
        JsonObject parameters = JsonObject.EMPTY;
        boolean continues = false;
        for (Map.Entry<String, Json> field : fields.entrySet()) {
            String name = field.getKey();
            switch (name) {
                case "error" -> error = error(field.getValue());
                case "parameters" -> parameters = CallMessage.parameters(field.getValue());
                case "continues" -> {
                    if (!(field.getValue() instanceof Json.Bool(boolean more))) {
                        throw new MalformedMessageException("\"continues\" is no boolean");
                    }
                    continues = more;
                }
                default ->
                        throw new MalformedMessageException(
                                "a reply has no field " + Json.of(name));
            }
        }
        if (error != null && continues) {
            throw new MalformedMessageException("an error cannot continue");
        }
        return new ReplyMessage(error, parameters, continues);
    }

    private static String error(Json value) throws MalformedMessageException {
        if (value instanceof Json.Text(String name) && IdlNames.isQualified(name)) {
            return name;
        }
        throw new MalformedMessageException("\"error\" is no error's name: " + value.kind());
    }

    public JsonObject toJson() {
        JsonObject.Builder reply = JsonObject.builder();
        if (error != null) {
            reply.put("error", error);
        }
        if (error == null || !parameters.isEmpty()) {
            reply.put("parameters", parameters);
        }
        if (continues) {
            reply.put("continues", true);
        }
        return reply.build();
    }
}
