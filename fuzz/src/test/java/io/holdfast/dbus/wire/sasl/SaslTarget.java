package io.holdfast.dbus.wire.sasl;

import static io.holdfast.fuzz.Inputs.require;
import static io.holdfast.fuzz.Inputs.same;

import io.holdfast.fuzz.Bounds;
import io.holdfast.fuzz.Inputs;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.ToIntBiFunction;

/**
 * Authentication, on both sides: no bytes make either side throw, the result does not depend on how
 * they are split, and a wrong user is never accepted.
 */
public final class SaslTarget {
    private static final String GUID = "0123456789abcdef0123456789abcdef";
    private static final long UID = 1000;

    private SaslTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, SaslTarget::check);
    }

    private static void check(byte[] input) {
        int selector = Inputs.selector(input);
        byte[] bytes = Inputs.rest(input);
        int piece = 1 + selector / 8;
        if ((selector & 1) == 0) {
            server(bytes, piece, (selector & 2) == 0, (selector & 4) == 0);
        } else {
            client(bytes, piece, (selector & 2) == 0);
        }
    }

    private static void server(byte[] bytes, int piece, boolean anonymous, boolean descriptors) {
        SaslServer.Config config =
                new SaslServer.Config(
                        GUID, true, anonymous, OptionalLong.of(UID), descriptors, 6, 256);
        SaslServer whole = new SaslServer(config);
        SaslServer cut = new SaslServer(config);
        int used = whole.read(MemorySegment.ofArray(bytes), 0, bytes.length);
        same(
                inPieces(
                        bytes,
                        piece,
                        cut,
                        (server, range) ->
                                server.read(MemorySegment.ofArray(bytes), range[0], range[1])),
                used);
        same(cut.state(), whole.state());
        same(cut.refusal(), whole.refusal());
        same(cut.identity(), whole.identity());
        same(cut.descriptorsAgreed(), whole.descriptorsAgreed());
        byte[] answers = whole.takeAnswers();
        require(Arrays.equals(cut.takeAnswers(), answers), "the answers are the same");
        require(answers.length < 1 << 16, "the answers are bounded");
        require(used == bytes.length || whole.state() == SaslServer.State.BEGUN, "all is read");
        require(whole.identity().isEmpty() || whole.identity().getAsLong() == UID, "the client's");
        require(!whole.isAnonymous() || anonymous, "anonymous only where offered");
        require(!whole.descriptorsAgreed() || descriptors, "descriptors only where offered");
    }

    private static void client(byte[] bytes, int piece, boolean descriptors) {
        SaslClient whole =
                new SaslClient(SaslClient.Mechanism.EXTERNAL, descriptors, Optional.of(GUID));
        SaslClient cut =
                new SaslClient(SaslClient.Mechanism.EXTERNAL, descriptors, Optional.of(GUID));
        int used = whole.read(MemorySegment.ofArray(bytes), 0, bytes.length);
        same(
                inPieces(
                        bytes,
                        piece,
                        cut,
                        (client, range) ->
                                client.read(MemorySegment.ofArray(bytes), range[0], range[1])),
                used);
        same(cut.state(), whole.state());
        same(cut.refusal(), whole.refusal());
        same(cut.descriptorsAgreed(), whole.descriptorsAgreed());
        require(
                whole.state() != SaslClient.State.DONE || whole.guid().equals(GUID),
                "the expected server");
    }

    /** Returns how many bytes are used when they arrive in pieces. */
    private static <T> int inPieces(
            byte[] bytes, int piece, T side, ToIntBiFunction<T, int[]> read) {
        int at = 0;
        while (at < bytes.length) {
            int length = Math.min(piece, bytes.length - at);
            int taken = read.applyAsInt(side, new int[] {at, length});
            at += taken;
            if (taken < length) {
                break;
            }
        }
        return at;
    }
}
