package io.holdfast.authority.rules.evaluation;

import io.holdfast.authority.rules.sandbox.Abort;
import java.util.List;
import org.mozilla.javascript.ScriptRuntime;
import org.mozilla.javascript.ScriptableObject;

/** What came of a program; given to a script in place of what {@code start} returned. */
public sealed interface ProgramOutcome {
    /**
     * @param output as it wrote it
     */
    record Succeeded(String output) implements ProgramOutcome {}

    /**
     * @param message of the Error that the script gets
     */
    record Failed(String message) implements ProgramOutcome {}

    /**
     * It was not run, for its user has too many: no outcome that a rule may go by, or users would
     * choose it.
     *
     * @param why for people
     */
    record Refused(String why) implements ProgramOutcome {}

    /**
     * The outcome of a program.
     *
     * @param command its name and arguments
     */
    record OfCommand(List<String> command, ProgramOutcome outcome) {}

    /**
     * As a value of scripts.
     *
     * @throws Abort if it was refused
     */
    default Object toScript() {
        return switch (this) {
            case Succeeded(String output) -> output;
            case Failed(String message) -> new Failure(message);
            case Refused(String why) -> throw Abort.of(why);
        };
    }

    /** The output; or throws in the script. */
    static Object result(Object value) {
        if (value instanceof Failure failure) {
            throw ScriptRuntime.constructError("Error", failure.message);
        }
        return value;
    }

    /** Seen by the prelude only. */
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
