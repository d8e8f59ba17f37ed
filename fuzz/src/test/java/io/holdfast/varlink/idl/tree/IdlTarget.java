package io.holdfast.varlink.idl.tree;

import static io.holdfast.fuzz.Inputs.require;
import static io.holdfast.fuzz.Inputs.same;

import io.holdfast.fuzz.Bounds;
import io.holdfast.fuzz.Inputs;
import io.holdfast.varlink.idl.IdlException;

/**
 * Definition definitions: refused with the place in the text, or equal after printing and parsing.
 */
public final class IdlTarget {
    private IdlTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, IdlTarget::check);
    }

    private static void check(byte[] input) {
        String text = Inputs.text(input);
        Definition definition;
        try {
            definition = Definition.parse(text);
        } catch (IdlException e) {
            String[] lines = text.split("\n", -1);
            require(e.line() >= 1 && e.line() <= lines.length, "the line is in the text");
            int length = lines[e.line() - 1].length();
            require(e.column() >= 1 && e.column() <= length + 1, "the column is in the line");
            return;
        }
        same(Definition.parse(definition.toString()), definition);
    }
}
