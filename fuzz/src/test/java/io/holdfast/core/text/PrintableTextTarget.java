package io.holdfast.core.text;

import static io.holdfast.fuzz.Inputs.require;
import static io.holdfast.fuzz.Inputs.same;

import io.holdfast.fuzz.Bounds;
import io.holdfast.fuzz.Inputs;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;

/**
 * Text from others on its way to a terminal or a log: it becomes one line without control
 * sequences.
 */
public final class PrintableTextTarget {
    private static final List<Byte> BIDIRECTIONAL_CONTROLS =
            List.of(
                    Character.DIRECTIONALITY_LEFT_TO_RIGHT_EMBEDDING,
                    Character.DIRECTIONALITY_LEFT_TO_RIGHT_OVERRIDE,
                    Character.DIRECTIONALITY_RIGHT_TO_LEFT_EMBEDDING,
                    Character.DIRECTIONALITY_RIGHT_TO_LEFT_OVERRIDE,
                    Character.DIRECTIONALITY_POP_DIRECTIONAL_FORMAT,
                    Character.DIRECTIONALITY_LEFT_TO_RIGHT_ISOLATE,
                    Character.DIRECTIONALITY_RIGHT_TO_LEFT_ISOLATE,
                    Character.DIRECTIONALITY_FIRST_STRONG_ISOLATE,
                    Character.DIRECTIONALITY_POP_DIRECTIONAL_ISOLATE);
    private static final Set<Integer> LINE_ENDS = Set.of(0x2028, 0x2029);

    private PrintableTextTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, PrintableTextTarget::check);
    }

    /**
     * The first byte chooses the encoding (UTF-16 can have halves of pairs) and the length limit.
     */
    private static void check(byte[] input) {
        int selector = Inputs.selector(input);
        String text =
                new String(
                        Inputs.rest(input),
                        (selector & 1) == 0 ? StandardCharsets.UTF_8 : StandardCharsets.UTF_16BE);
        String line = PrintableText.of(text);
        line.codePoints().forEach(PrintableTextTarget::harmless);
        same(PrintableText.of(line), line);

        int most = selector >> 1;
        String cut = PrintableText.of(text, most);
        require(cut.length() <= most + PrintableText.CUT.length(), "a bounded line");
        cut.codePoints().forEach(PrintableTextTarget::harmless);
    }

    private static void harmless(int c) {
        require(!Character.isISOControl(c), "no control character");
        require(!LINE_ENDS.contains(c), "one line");
        require(!BIDIRECTIONAL_CONTROLS.contains(Character.getDirectionality(c)), "in order");
        require(c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE, "no half of a pair");
    }
}
