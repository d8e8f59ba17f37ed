package io.holdfast.dbus.marshal;

import io.holdfast.dbus.wire.Message;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Compares a view with {@link ReferenceMessage}: the view must accept exactly what the reference
 * accepts and throw nothing but ProtocolException, and an accepted message can be read in full,
 * written again, and relayed. One view reads all messages, so that it knows the header of the one
 * before.
 */
final class MessageOracle {
    private final MessageView view = new MessageView();
    private final SenderField sender = new SenderField(":1.99");

    /** Returns whether the message is valid; fails unless the view and the reference agree. */
    boolean agrees(byte[] message, MemorySegment memory, int offset) {
        ProtocolException refusal = null;
        try {
            read(message, memory, offset);
        } catch (ProtocolException e) {
            refusal = e;
            same(e.offset() >= 0 && e.offset() <= message.length, true);
        }
        ReferenceMessage reference;
        try {
            reference = ReferenceMessage.parse(message);
        } catch (ReferenceMessage.Refused e) {
            if (refusal == null) {
                throw new AssertionError("accepted against the rules: " + e.getMessage());
            }
            return false;
        }
        if (refusal != null) {
            throw new AssertionError("refused against the rules", refusal);
        }
        sameContent(reference);
        writtenAgain(reference);
        relayed(reference);
        return true;
    }

    /**
     * Reads a message.
     *
     * @param memory the memory for the message, which starts at {@code offset}
     */
    void read(byte[] message, MemorySegment memory, int offset) {
        MemorySegment.copy(message, 0, memory, ValueLayout.JAVA_BYTE, offset, message.length);
        view.read(memory, offset, message.length);
    }

    /** Compares plainly, since AssertJ would take most of the time. */
    private static void same(@Nullable Object actual, @Nullable Object expected) {
        if (!Objects.equals(actual, expected)) {
            throw new AssertionError("expected " + expected + ", was " + actual);
        }
    }

    private void sameContent(ReferenceMessage reference) {
        same(view.type(), reference.type);
        same(view.flags(), reference.flags);
        same(view.serial(), reference.serial);
        same(view.order(), reference.order());
        same(view.path(), reference.field(HeaderField.PATH));
        same(view.interfaceName(), reference.field(HeaderField.INTERFACE));
        same(view.member(), reference.field(HeaderField.MEMBER));
        same(view.errorName(), reference.field(HeaderField.ERROR_NAME));
        same(view.destination(), reference.field(HeaderField.DESTINATION));
        same(view.sender(), reference.field(HeaderField.SENDER));
        same(view.has(HeaderField.SIGNATURE), reference.field(HeaderField.SIGNATURE) != null);
        same(number(view.replySerial()), reference.field(HeaderField.REPLY_SERIAL));
        same(view.bodyLength(), reference.bodyBytes.length);
        for (int n = 0; n <= Math.min(63, reference.bodyTypes.size()); n++) {
            sameArgument(reference, n);
        }
    }

    private static @Nullable Integer number(int number) {
        return number == 0 ? null : number;
    }

    private void sameArgument(ReferenceMessage reference, int n) {
        if (n == reference.bodyTypes.size()) {
            same(view.argKind(n), 0);
            return;
        }
        char kind = reference.bodyTypes.get(n).code();
        same(view.argKind(n), (int) kind);
        if (kind == 's' || kind == 'o' || kind == 'g') {
            same(
                    TextBytes.utf8(view.bytes(), view.argOffset(n), view.argLength(n)),
                    reference.body.get(n));
        } else {
            same(view.argOffset(n), -1);
        }
    }

    private void writtenAgain(ReferenceMessage reference) {
        Message read = ReceivedMessage.of(view);
        MessageWriter writer = new MessageWriter(reference.order());
        Values.writeAll(writer.begin(9).serial(1).body(read.signature()), read.values());
        byte[] whole = writer.finish().toArray(ValueLayout.JAVA_BYTE);
        if (!GeneratedMessage.hasDictTwice(reference)) {
            int start = whole.length - view.bodyLength();
            same(
                    Arrays.equals(
                            Arrays.copyOfRange(whole, start, whole.length), reference.bodyBytes),
                    true);
        }
    }

    private void relayed(ReferenceMessage before) {
        byte[] target = new byte[sender.relayedLength(view)];
        MemorySegment memory = MemorySegment.ofArray(target);
        int header = sender.writeHeader(view, memory, 0);
        MemorySegment.copy(view.bytes(), view.bodyOffset(), memory, header, view.bodyLength());
        ReferenceMessage after;
        try {
            after = ReferenceMessage.parse(target);
        } catch (ReferenceMessage.Refused e) {
            throw new AssertionError("the relayed message is invalid", e);
        }
        same(after.field(HeaderField.SENDER), ":1.99");
        before.fields.removeIf(f -> f.code() == HeaderField.SENDER || f.code() > 9);
        after.fields.removeLast();
        same(after.fields, before.fields);
        same(Arrays.equals(after.bodyBytes, before.bodyBytes), true);
    }
}
