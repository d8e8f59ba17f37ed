package io.holdfast.cli.permission;

import io.holdfast.cli.command.Candidate;
import io.holdfast.varlink.json.JsonObject;
import java.util.List;
import picocli.CommandLine.ParseResult;

/** Completes the IDs of the actions that the running authority knows. */
public final class ActionCandidates {
    private ActionCandidates() {}

    public static List<Candidate> of(ParseResult line) {
        return Candidate.query(() ->
                AuthorityCall.call(line, "ListActions", JsonObject.EMPTY)
                        .objects("actions")
                        .stream()
                        .map(action ->
                                new Candidate(action.string("id"), action.string("description")))
                        .toList());
    }
}
