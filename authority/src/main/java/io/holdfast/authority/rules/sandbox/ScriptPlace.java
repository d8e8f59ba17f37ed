package io.holdfast.authority.rules.sandbox;

import io.holdfast.authority.action.SourceLine;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.ErrorReporter;
import org.mozilla.javascript.EvaluatorException;
import org.mozilla.javascript.RhinoException;
import org.mozilla.javascript.ScriptStackElement;

/** Finds the file and line of a running script or of an exception. */
public final class ScriptPlace {
    public static final SourceLine UNKNOWN = new SourceLine(Path.of("rules"), 0);

    private ScriptPlace() {}

    /** Returns the place of the innermost call in a rules file on this thread. */
    public static SourceLine ofCaller() {
        RuleSandbox.Cell cell = RuleSandbox.current();
        Finder finder = new Finder();
        ErrorReporter reporter = cell.setErrorReporter(finder);
        try {
            Context.reportWarning("");
        } finally {
            ErrorReporter _ = cell.setErrorReporter(reporter);
        }
        return finder.place;
    }

    /** Receives the place of a warning: the cheapest way to find it, without a stack trace. */
    private static final class Finder implements ErrorReporter {
        SourceLine place = UNKNOWN;

        @Override
        public void warning(
                String message, @Nullable String file, int line, @Nullable String source, int at) {
            place = ScriptPlace.place(file, line);
        }

        @Override
        public void error(
                String message, @Nullable String file, int line, @Nullable String source, int at) {
            throw runtimeError(message, file, line, source, at);
        }

        @Override
        public EvaluatorException runtimeError(
                String message, @Nullable String file, int line, @Nullable String source, int at) {
            return new EvaluatorException(message, file, line, source, at);
        }
    }

    /** Returns the place at which an exception was thrown. */
    public static SourceLine of(RhinoException thrown) {
        for (ScriptStackElement frame : thrown.getScriptStack()) {
            if (frame.fileName != null && !frame.fileName.equals(Prelude.NAME)) {
                return place(frame.fileName, frame.lineNumber);
            }
        }
        return place(thrown.sourceName(), thrown.lineNumber());
    }

    /** Returns the message of an exception. Converting a script's own object may run scripts. */
    public static String details(RhinoException thrown) {
        try {
            return String.valueOf(thrown.details());
        } catch (RuntimeException | Error e) {
            return "exception without a readable message: " + e.getMessage();
        }
    }

    private static SourceLine place(@Nullable String file, int line) {
        if (file == null) {
            return UNKNOWN;
        }
        try {
            return new SourceLine(Path.of(file), Math.max(line, 0));
        } catch (InvalidPathException e) {
            return UNKNOWN;
        }
    }
}
