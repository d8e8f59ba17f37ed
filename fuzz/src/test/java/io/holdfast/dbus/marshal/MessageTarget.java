package io.holdfast.dbus.marshal;

import static io.holdfast.fuzz.Inputs.require;

import io.holdfast.dbus.wire.Signature;
import io.holdfast.fuzz.Bounds;
import io.holdfast.fuzz.Inputs;
import java.lang.foreign.MemorySegment;

/**
 * Messages, and headers that nearly repeat. A view that knows the header of the previous message
 * (and so compares instead of checking) always agrees with the reference.
 */
public final class MessageTarget {
    private static final int FIT = 0x80;

    private MessageTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, MessageTarget::check);
    }

    /**
     * The first byte chooses the position of the message in memory, and whether its length fields
     * are corrected; the next two choose which byte changes, and how, before the second read.
     */
    private static void check(byte[] input) {
        if (input.length < 3) {
            return;
        }
        int offset = input[0] & 7;
        boolean fit = (input[0] & FIT) != 0;
        byte[] message = Inputs.rest(Inputs.rest(Inputs.rest(input)));
        if (fit && message.length >= MessageView.FIXED_LENGTH) {
            GeneratedMessage.fitBody(message);
        }
        MemorySegment memory = MemorySegment.ofArray(new byte[message.length + 8]);
        MessageOracle oracle = new MessageOracle();
        boolean valid = oracle.agrees(message, memory, offset);
        byte[] changed = message.clone();
        if (changed.length > 0) {
            changed[(input[1] & 0xff) % changed.length] ^= input[2];
        }
        boolean _ = oracle.agrees(changed, memory, offset);
        require(oracle.agrees(message, memory, offset) == valid, "the same answer again");
        if (valid) {
            BodyReader values = new BodyReader();
            MessageView view = new MessageView();
            view.read(memory, offset, message.length);
            values.read(view);
            int count = 0;
            while (values.hasNext()) {
                BodyReader _ = values.skip();
                count++;
            }
            require(count == Signature.of(view.signature()).types().size(), "all values skipped");
        }
    }
}
