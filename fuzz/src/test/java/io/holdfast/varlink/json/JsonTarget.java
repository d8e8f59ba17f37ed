package io.holdfast.varlink.json;

import static io.holdfast.fuzz.Inputs.require;
import static io.holdfast.fuzz.Inputs.same;

import io.holdfast.fuzz.Bounds;
import io.holdfast.fuzz.Inputs;
import io.holdfast.varlink.wire.CallMessage;
import io.holdfast.varlink.wire.MalformedMessageException;
import io.holdfast.varlink.wire.ReplyMessage;

/** JSON: refused with an offset, or equal after writing and parsing; then calls and replies. */
public final class JsonTarget {
    private static final JsonLimits LIMITS = new JsonLimits(4096, 128, 1000);

    private JsonTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, JsonTarget::check);
    }

    private static void check(byte[] input) {
        Json value;
        try {
            value = Json.parse(input, LIMITS);
        } catch (JsonException e) {
            require(e.getMessage() != null, "a refusal says why");
            return;
        }
        same(Json.parse(value.toString()), value);
        same(Json.parse(Inputs.text(input)), value);
        for (byte b : value.toBytes()) {
            require(b != 0, "no NUL within a frame");
        }
        try {
            CallMessage call = CallMessage.of(value);
            same(CallMessage.of(call.toJson()), call);
        } catch (MalformedMessageException e) {
            require(e.getMessage() != null, "a refusal says why");
        }
        try {
            ReplyMessage reply = ReplyMessage.of(value);
            same(ReplyMessage.of(reply.toJson()), reply);
        } catch (MalformedMessageException e) {
            require(e.getMessage() != null, "a refusal says why");
        }
    }
}
