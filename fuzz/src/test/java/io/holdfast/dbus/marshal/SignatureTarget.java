package io.holdfast.dbus.marshal;

import static io.holdfast.fuzz.Inputs.require;
import static io.holdfast.fuzz.Inputs.same;

import io.holdfast.dbus.wire.Signature;
import io.holdfast.fuzz.Bounds;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.stream.Collectors;

/** Signatures: valid exactly where the reference says so. */
public final class SignatureTarget {
    private SignatureTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, SignatureTarget::check);
    }

    private static void check(byte[] input) {
        String text = new String(input, StandardCharsets.ISO_8859_1);
        boolean valid;
        try {
            valid = ReferenceMessage.signature(text) != null;
        } catch (ReferenceMessage.Refused _) {
            valid = false;
        }
        int fault = SignatureCheck.check(MemorySegment.ofArray(input), 0, input.length);
        same(fault < 0, valid);
        require(fault <= input.length, "the fault lies within the signature");
        if (valid) {
            Signature signature = Signature.of(text);
            same(signature.toString(), text);
            same(
                    signature.types().stream().map(Object::toString).collect(Collectors.joining()),
                    text);
        } else {
            try {
                throw new AssertionError("accepted against the rules: " + Signature.of(text));
            } catch (IllegalArgumentException e) {
                require(e.getMessage() != null, "a refusal says why");
            }
        }
    }
}
