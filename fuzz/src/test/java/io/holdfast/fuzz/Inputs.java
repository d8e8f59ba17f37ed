package io.holdfast.fuzz;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Reads and compares inputs for targets, without AssertJ, which would take most of the time. */
public final class Inputs {
    private Inputs() {}

    /** Returns the input as text. */
    public static String text(byte[] input) {
        return new String(input, UTF_8);
    }

    /**
     * Returns the first byte, which chooses a variant, as a number from 0 to 255; 0 if there is
     * none.
     */
    public static int selector(byte[] input) {
        return input.length == 0 ? 0 : input[0] & 0xff;
    }

    /** Returns all but the first byte. */
    public static byte[] rest(byte[] input) {
        return Arrays.copyOfRange(input, Math.min(1, input.length), input.length);
    }

    /** Fails unless both are equal. */
    public static void same(@Nullable Object actual, @Nullable Object expected) {
        if (!Objects.equals(actual, expected)) {
            throw new AssertionError("expected " + expected + ", was " + actual);
        }
    }

    /** Fails unless the promise holds. */
    public static void require(boolean holds, String promise) {
        if (!holds) {
            throw new AssertionError("broken promise: " + promise);
        }
    }
}
