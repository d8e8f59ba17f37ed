package io.holdfast.authority.action;

import static io.holdfast.fuzz.Inputs.require;

import io.holdfast.fuzz.Bounds;
import java.nio.file.Path;

/** Policy files: a file is read as far as it is valid, and its problems are listed. */
public final class PolicyFileTarget {
    private static final Path FILE = Path.of("/fuzzed.policy");

    private PolicyFileTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, PolicyFileTarget::check);
    }

    private static void check(byte[] input) {
        PolicyFile file = PolicyFileReader.parse(FILE, input);
        require(
                file.problems().size() <= PolicyFileReader.MAX_PROBLEMS + 1,
                "the list of problems is bounded");
        for (Problem problem : file.problems()) {
            require(!problem.toString().isBlank(), "a problem says what it is");
        }
        for (Action action : file.actions()) {
            require(!action.id().isBlank(), "an action has an id");
        }
    }
}
