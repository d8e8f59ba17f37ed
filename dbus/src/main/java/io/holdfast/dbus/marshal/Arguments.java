package io.holdfast.dbus.marshal;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

/**
 * The first 64 arguments of a checked body, for match rules: found on request, no further than
 * needed, and only once.
 */
final class Arguments {
    private static final int MOST = 64;

    private final int[] kinds = new int[MOST];
    private final int[] starts = new int[MOST];
    private final int[] lengths = new int[MOST];
    private final BodySkip skip;
    private int known;
    private int program;
    private int at;

    Arguments(BodySkip skip) {
        this.skip = skip;
    }

    void forget() {
        known = 0;
    }

    void walkTo(MessageView view, int n) {
        while (known <= n) {
            walk(view);
        }
    }

    int kind(int n) {
        return kinds[n];
    }

    int start(int n) {
        return starts[n];
    }

    int length(int n) {
        return lengths[n];
    }

    private void walk(MessageView view) {
        skip.begin(view.bytes(), view.offset(), view.isLittleEndian());
        if (known == 0) {
            program = view.offset(HeaderField.SIGNATURE);
            at = view.bodyOffset();
        }
        int n = known++;
        starts[n] = -1;
        lengths[n] = -1;
        if (program < 0
                || program
                        >= view.offset(HeaderField.SIGNATURE)
                                + view.length(HeaderField.SIGNATURE)) {
            kinds[n] = 0;
            return;
        }
        int kind = view.bytes().get(JAVA_BYTE, program);
        kinds[n] = kind;
        if (kind == 's' || kind == 'o') {
            int text = skip.align(at, 4) + 4;
            starts[n] = text;
            lengths[n] = skip.word(text - 4);
            at = text + lengths[n] + 1;
            program++;
            return;
        }
        int end = skip.value(view.bytes(), program, at);
        if (kind == 'g') {
            starts[n] = at + 1;
            lengths[n] = end - 1 - starts[n];
        }
        program = skip.next();
        at = end;
    }
}
