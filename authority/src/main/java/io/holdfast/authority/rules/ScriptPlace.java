package io.holdfast.authority.rules;

import io.holdfast.authority.action.Place;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.mozilla.javascript.EvaluatorException;
import org.mozilla.javascript.RhinoException;
import org.mozilla.javascript.ScriptStackElement;

/** Where scripts are. */
final class ScriptPlace {
    static final Place UNKNOWN = new Place(Path.of("rules"), 0);

    private ScriptPlace() {}

    /** Of the innermost call of a rules file on this thread. */
    static Place ofCaller() {
        return of(new EvaluatorException("here"));
    }

    /** Of what was thrown. */
    static Place of(RhinoException thrown) {
        for (ScriptStackElement frame : thrown.getScriptStack()) {
            if (frame.fileName != null && !frame.fileName.equals(Prelude.NAME)) {
                return place(frame.fileName, frame.lineNumber);
            }
        }
        return place(thrown.sourceName(), thrown.lineNumber());
    }

    private static Place place(@Nullable String file, int line) {
        if (file == null) {
            return UNKNOWN;
        }
        try {
            return new Place(Path.of(file), Math.max(line, 0));
        } catch (InvalidPathException e) {
            return UNKNOWN;
        }
    }
}
