package io.holdfast.fuzz;

import java.util.Arrays;
import java.util.List;

/**
 * All targets in one: the first byte chooses the target that reads the rest. A JVM with Jazzer
 * takes seconds to start, so the short run of {@code ./test} fuzzes all targets in one JVM.
 */
public final class EveryTarget {
    private static final List<Target> TARGETS = List.of(Target.values());

    private EveryTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        if (input.length > 0) {
            of(input).run(Arrays.copyOfRange(input, 1, input.length));
        }
    }

    /** Returns the target that an input is for. */
    static Target of(byte[] input) {
        return TARGETS.get((input[0] & 0xff) % TARGETS.size());
    }

    /** Returns the input that passes these bytes to a target. */
    static byte[] input(Target target, byte[] bytes) {
        byte[] input = new byte[bytes.length + 1];
        input[0] = (byte) TARGETS.indexOf(target);
        System.arraycopy(bytes, 0, input, 1, bytes.length);
        return input;
    }
}
