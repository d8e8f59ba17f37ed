package io.holdfast.varlink.wire;

import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import java.util.Map;

/** A call as a message on the wire. */
public record CallMessage(String method, JsonObject parameters, Mode mode) {
    /** The replies that the client expects; the flags exclude one another. */
    public enum Mode {
        /** One reply. */
        PLAIN(""),
        /** Any number of replies. */
        MORE("more"),
        /** No reply. */
        ONEWAY("oneway"),
        /** One reply, then another protocol. */
        UPGRADE("upgrade");

        private final String flag;

        Mode(String flag) {
            this.flag = flag;
        }
    }

    /**
     * Reads a call.
     *
     * @throws MalformedMessageException if the value is no valid call
     */
    public static CallMessage of(Json json) throws MalformedMessageException {
        if (!(json instanceof JsonObject(Map<String, Json> fields))) {
            throw new MalformedMessageException("a call is an object, not: " + json.kind());
        }
        String method = null;
        JsonObject parameters = JsonObject.EMPTY;
        Mode mode = Mode.PLAIN;
        for (Map.Entry<String, Json> field : fields.entrySet()) {
            String name = field.getKey();
            switch (name) {
                case "method" -> {
                    if (!(field.getValue() instanceof Json.Text(String text))) {
                        throw new MalformedMessageException("\"method\" is no string");
                    }
                    method = text;
                }
                case "parameters" -> parameters = parameters(field.getValue());
                case "more" -> mode = with(mode, Mode.MORE, field.getValue());
                case "oneway" -> mode = with(mode, Mode.ONEWAY, field.getValue());
                case "upgrade" -> mode = with(mode, Mode.UPGRADE, field.getValue());
                default ->
                        throw new MalformedMessageException("a call has no field " + Json.of(name));
            }
        }
        if (method == null) {
            throw new MalformedMessageException("\"method\" is missing");
        }
        return new CallMessage(method, parameters, mode);
    }

    private static Mode with(Mode mode, Mode flag, Json value) throws MalformedMessageException {
        if (!(value instanceof Json.Bool(boolean set))) {
            throw new MalformedMessageException("\"" + flag.flag + "\" is no boolean");
        }
        if (!set) {
            return mode;
        }
        if (mode != Mode.PLAIN) {
            throw new MalformedMessageException(
                    "\"" + mode.flag + "\" and \"" + flag.flag + "\" exclude one another");
        }
        return flag;
    }

    /** Returns the parameters of a call or reply; null stands for no parameters. */
    static JsonObject parameters(Json value) throws MalformedMessageException {
        return switch (value) {
            case JsonObject object -> object;
            case Json.Null _ -> JsonObject.EMPTY;
            default ->
                    throw new MalformedMessageException(
                            "\"parameters\" are an object, not: " + value.kind());
        };
    }

    public JsonObject toJson() {
        JsonObject.Builder call = JsonObject.builder().put("method", method);
        if (!parameters.isEmpty()) {
            call.put("parameters", parameters);
        }
        if (mode != Mode.PLAIN) {
            call.put(mode.flag, true);
        }
        return call.build();
    }
}
