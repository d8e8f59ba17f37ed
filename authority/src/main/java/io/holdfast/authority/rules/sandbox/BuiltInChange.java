package io.holdfast.authority.rules.sandbox;

import org.jspecify.annotations.Nullable;
import org.mozilla.javascript.ErrorReporter;
import org.mozilla.javascript.EvaluatorException;
import org.mozilla.javascript.ScriptRuntime;

/**
 * A script has tried to change a built-in object that all evaluations share. It has to run with
 * {@link BuiltIns#own} instead. An Error, so that no script can catch it.
 */
public final class BuiltInChange extends Error {
    private static final long serialVersionUID = 1L;

    BuiltInChange() {
        super("a change of a built-in object", null, false, false);
    }

    /** Receives the errors of the interpreter, of which one says that an object is sealed. */
    static final class Reporter implements ErrorReporter {
        private static final String SEALED = beginning();

        private static String beginning() {
            String message = ScriptRuntime.getMessageById("msg.modify.sealed", "\0", "\0");
            return message.substring(0, message.indexOf('\0'));
        }

        @Override
        public void warning(
                String message, @Nullable String file, int line, @Nullable String source, int at) {}

        @Override
        public void error(
                String message, @Nullable String file, int line, @Nullable String source, int at) {
            throw runtimeError(message, file, line, source, at);
        }

        @Override
        public EvaluatorException runtimeError(
                String message, @Nullable String file, int line, @Nullable String source, int at) {
            if (message.startsWith(SEALED)) {
                throw new BuiltInChange();
            }
            return new EvaluatorException(message, file, line, source, at);
        }
    }
}
