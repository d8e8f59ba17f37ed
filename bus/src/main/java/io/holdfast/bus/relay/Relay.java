package io.holdfast.bus.relay;

import io.holdfast.dbus.marshal.HeaderField;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.marshal.SenderField;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A message as its receivers get it: with the true SENDER, all else byte for byte.
 *
 * <p>In nearly all messages the field only has to be added. Then the header is moved to the left,
 * over bytes that are already handled, so that it ends where the body begins: the message is whole
 * again where it was read, and no byte of the body was touched. The view of it is invalid from then
 * on.
 */
public final class Relay {
    /** Bytes that are free, or already handled, before a message: more than a header grows. */
    public static final int HEADROOM = 96;

    private final Buffers buffers;
    private Buffers.@Nullable Buffer rewritten;
    private MemorySegment bytes = MemorySegment.NULL;
    private int offset;
    private int length;

    public Relay(Buffers buffers) {
        this.buffers = buffers;
    }

    public MemorySegment bytes() {
        return bytes;
    }

    public int offset() {
        return offset;
    }

    public int length() {
        return length;
    }

    /** Makes the message from what was read. */
    public void stamp(MessageView view, SenderField sender) {
        int header = sender.headerLength(view);
        length = header + view.bodyLength();
        if (view.has(HeaderField.SENDER) || view.hasForeignFields()) {
            rewrite(view, sender, header);
        } else {
            bytes = view.bytes();
            offset = view.bodyOffset() - header;
            int ignored = sender.writeHeader(view, bytes, offset);
        }
    }

    private void rewrite(MessageView view, SenderField sender, int header) {
        release();
        Buffers.Buffer into = buffers.take(length);
        rewritten = into;
        bytes = into.memory;
        offset = 0;
        int ignored = sender.writeHeader(view, bytes, 0);
        MemorySegment.copy(view.bytes(), view.bodyOffset(), bytes, header, view.bodyLength());
    }

    /** Gives back the buffer of a rewritten message. */
    public void release() {
        if (rewritten != null) {
            buffers.release(rewritten);
            rewritten = null;
        }
    }
}
