package io.holdfast.authority.rules.evaluation;

import io.holdfast.authority.rules.sandbox.Abort;
import java.util.List;
import org.mozilla.javascript.ScriptRuntime;
import org.mozilla.javascript.ScriptableObject;

/** The outcome of a program; a script receives it as the result of the prelude's {@code start}. */
public sealed interface ProgramOutcome {
    /**
     * The program exited with status 0.
     *
     * @param output its stdout
     */
    record Succeeded(String output) implements ProgramOutcome {}

    /**
     * The program failed.
     *
     * @param message of the Error that the script gets
     */
    record Failed(String message) implements ProgramOutcome {}

    /**
     * The program was not run, because its user has too many under way. Rules never see this as an
     * outcome, or users could provoke it to change an answer: the evaluation ends with "no".
     *
     * @param why for people
     */
    record Refused(String why) implements ProgramOutcome {}

    /**
     * A command with its outcome.
     *
     * @param command the program's name and arguments
     */
    record OfCommand(List<String> command, ProgramOutcome outcome) {}

    /**
     * Converts the outcome to a value for scripts.
     *
     * @throws Abort if the program was refused
     */
    default Object toScript() {
        return switch (this) {
            case Succeeded(String output) -> output;
            case Failed(String message) -> new Failure(message);
            case Refused(String why) -> throw Abort.of(why);
        };
    }

    /** Returns the output, or throws an Error in the script. */
    static Object result(Object value) {
        if (value instanceof Failure failure) {
            throw ScriptRuntime.constructError("Error", failure.message);
        }
        return value;
    }

    /** A failure as a value for scripts; only the prelude sees it. */
    final class Failure extends ScriptableObject {
        private static final long serialVersionUID = 1L;

        private final String message;

        private Failure(String message) {
            this.message = message;
        }

        @Override
        public String getClassName() {
            return "Failure";
        }
    }
}
