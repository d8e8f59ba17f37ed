package io.holdfast.authority.action;

import java.nio.file.Path;
import java.util.List;

/**
 * The content of a policy file.
 *
 * @param actions in the order of the file; if the file has an error, those before it
 * @param problems the errors and warnings about the file
 */
public record PolicyFile(Path path, List<Action> actions, List<Problem> problems) {
    public PolicyFile {
        actions = List.copyOf(actions);
        problems = List.copyOf(problems);
    }
}
