package io.holdfast.cli.permission;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.output.AccountText;
import io.holdfast.cli.output.Output;
import io.holdfast.cli.output.TimeText;
import io.holdfast.varlink.json.JsonObject;
import java.time.Instant;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Lists the temporary authorizations that earlier authentications granted, and revokes them. */
public final class AuthorizationsCommand implements Command {
    private static final String REVOKE = "--revoke";
    private static final String REVOKE_ALL = "--revoke-all";

    @Override
    public CommandSpec spec() {
        return Grammar.of(this, "List temporary authorizations, or revoke them.")
                .description(
                        "%nPrints the temporary authorizations of the calling user (for root: of"
                                + " all users), one per line: ID, action, process, user and expiry"
                                + " time. A temporary authorization also ends when its process"
                                + " exits.%n")
                .footer(
                        "%nExamples:",
                        "  holdfast authorizations",
                        "  holdfast authorizations --revoke tmpauthz3",
                        "  holdfast authorizations --revoke-all")
                .options(
                        REVOKE + " ID",
                        String.class,
                        "Revoke this authorization; may be given several times.")
                .flag(REVOKE_ALL, "Revoke all authorizations that would be listed.")
                .with(AuthorityCall::addOption)
                .json("Print one JSON object per authorization.")
                .spec();
    }

    @Override
    public int run(ParseResult line, Output output) {
        List<String> revoked = line.matchedOptionValue(REVOKE, List.of());
        boolean all = line.hasMatchedOption(REVOKE_ALL);
        if (all && !revoked.isEmpty()) {
            throw Command.misuse(line, REVOKE + " and " + REVOKE_ALL + " exclude each other");
        }
        if (!revoked.isEmpty()) {
            revoked.forEach(id -> revoke(line, id));
            return ExitCode.OK;
        }
        List<JsonObject> list =
                AuthorityCall.call(line, "ListTemporaryAuthorizations", JsonObject.EMPTY)
                        .objects("temporaryAuthorizations");
        for (JsonObject each : list) {
            if (all) {
                revoke(line, each.string("id"));
            } else if (line.hasMatchedOption("--json")) {
                output.line(each.toString());
            } else {
                print(each, output);
            }
        }
        return ExitCode.OK;
    }

    private static void revoke(ParseResult line, String id) {
        JsonObject _ =
                AuthorityCall.call(line, "RevokeTemporaryAuthorization", JsonObject.of("id", id));
    }

    private static void print(JsonObject each, Output output) {
        JsonObject process = each.object("process");
        String name =
                process.integer("pid") + process.find("pidfdId").map(id -> ":" + id).orElse("");
        output.line(
                output.strong(each.string("id")),
                "  " + each.string("action"),
                "  process " + name,
                "  " + AccountText.user(each.integer("uid")),
                output.faint(
                        "  until " + TimeText.of(Instant.ofEpochSecond(each.integer("expires")))));
    }
}
