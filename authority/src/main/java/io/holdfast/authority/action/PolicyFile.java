package io.holdfast.authority.action;

import java.nio.file.Path;
import java.util.List;

/**
 * What a policy file declares.
 *
 * @param actions in their order; where the file has an error, those that stand before it
 * @param problems what is wrong with it
 */
public record PolicyFile(Path path, List<Action> actions, List<Problem> problems) {
    public PolicyFile {
        actions = List.copyOf(actions);
        problems = List.copyOf(problems);
    }
}
