package io.holdfast.dbus.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Gen;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Messages that are valid, nearly valid, and noise: the view accepts exactly what the reference
 * accepts, throws nothing but ProtocolException, and what it accepts can be read in full, written
 * again, and relayed.
 */
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class MessageFuzzTest {
    private static final int ORIGINALS = 200;
    private static final int MUTANTS = 40;

    private final MessageView view = new MessageView();
    private final SenderField sender = new SenderField(":1.99");

    /** 25 cases of 8,200 messages each; a hundred times as many in the long suite. */
    static Stream<Gen> cases() {
        return Gen.cases(25);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void theViewAcceptsWhatTheRulesAccept(Gen gen) throws Exception {
        int accepted = 0;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(1 << 16);
            for (int i = 0; i < ORIGINALS; i++) {
                byte[] original = GeneratedMessage.any(gen);
                ReferenceMessage.parse(original);
                agrees(original, memory, gen);
                for (int j = 0; j < MUTANTS; j++) {
                    if (gen.chance(0.5)) { // so that the mutant meets a header that is known
                        read(original, memory, gen);
                    }
                    if (agrees(GeneratedMessage.mutate(gen, original), memory, gen)) {
                        accepted++;
                    }
                }
            }
        }
        assertThat(accepted).isBetween(ORIGINALS, ORIGINALS * MUTANTS);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void noiseIsRefused(Gen gen) {
        for (int i = 0; i < 2_000; i++) {
            byte[] noise = Arrays.copyOf(gen.bytes(200), 200);
            noise[0] = (byte) (gen.chance(0.5) ? 'l' : 'B');
            noise[3] = 1;
            if (gen.chance(0.9)) {
                GeneratedMessage.frame(noise, gen.between(0, 180));
            }
            agrees(noise, MemorySegment.ofArray(new byte[300]), gen);
        }
    }

    /** Whether the message is valid; fails unless view and reference say the same. */
    private boolean agrees(byte[] message, MemorySegment memory, Gen gen) {
        ProtocolException refusal = null;
        try {
            read(message, memory, gen);
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

    private void read(byte[] message, MemorySegment memory, Gen gen) {
        int offset = gen.between(0, 9);
        MemorySegment.copy(message, 0, memory, ValueLayout.JAVA_BYTE, offset, message.length);
        view.read(memory, offset, message.length);
    }

    /** Plain, since AssertJ would take most of the time. */
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
        same(view.hasSignature(), reference.field(HeaderField.SIGNATURE) != null);
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
                    Text.utf8(view.bytes(), view.argOffset(n), view.argLength(n)),
                    reference.body.get(n));
        } else {
            same(view.argOffset(n), -1);
        }
    }

    private void writtenAgain(ReferenceMessage reference) {
        Message read = Message.of(view);
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
