package io.holdfast.authority;

import io.holdfast.authority.action.ActionPool;
import io.holdfast.authority.action.LocalizedText;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.temporary.TemporaryAuthorizations;
import io.holdfast.core.limit.Limit;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/** The limits of an authority; each is set by a system property. */
public final class AuthorityLimits {
    public static final Limit CALLS =
            Limit.count(
                    "io.holdfast.authority.calls",
                    16_384,
                    "calls under way of all clients of the bus; half are for root, and users share"
                            + " the others");

    static final Limit CHECKS_OF_CONNECTION =
            Limit.count(
                    "io.holdfast.authority.checksPerConnection",
                    1024,
                    "checks of one connection that are not answered");

    static final Limit CHECKS_OF_USER =
            Limit.count(
                    "io.holdfast.authority.checksPerUser",
                    2048,
                    "checks of one user other than root that are not answered");

    static final Limit DETAILS =
            Limit.count("io.holdfast.authority.details", 256, "details of one check");

    static final Limit TASKS =
            Limit.count(
                    "io.holdfast.authority.tasks", 16_384, "tasks that wait for the event loop");

    static final Limit AGENTS =
            Limit.count(
                    "io.holdfast.authority.agents",
                    1024,
                    "authentication agents; half are for root, and users share the others");

    static final Limit DIALOGS_OF_AGENT =
            Limit.count(
                    "io.holdfast.authority.dialogsPerAgent",
                    64,
                    "dialogs that one agent has not answered, cancelled ones included");

    static final Limit DIALOGS_OF_USER =
            Limit.count(
                    "io.holdfast.authority.dialogsPerUser",
                    256,
                    "dialogs that the agents of one user have not answered");

    static final Limit ATTEMPTS_OF_USER =
            Limit.count(
                    "io.holdfast.authority.attemptsPerUser",
                    4,
                    "attempts to authenticate that the agents of one user have under way, each a"
                            + " process that runs PAM");

    public static final Limit LOCALES =
            Limit.count(
                    "io.holdfast.authority.localesKept",
                    4,
                    "languages in which the descriptions of all actions are cached");

    public static final Limit BUS_PEERS =
            Limit.count(
                    "io.holdfast.authority.busPeers",
                    1024,
                    "connections of the bus whose credentials are cached");

    static final Limit LINES_OF_USER =
            Limit.count(
                    "io.holdfast.authority.linesPerUser",
                    20,
                    "log lines of one kind that one user, or one place of the rules, can cause in one"
                            + " interval; further ones are counted");

    static final Limit LINE_INTERVAL =
            Limit.time(
                    "io.holdfast.authority.lineInterval",
                    Duration.ofSeconds(10),
                    "interval in which the log lines of a user or place are counted");

    static final Limit LINE_SOURCES =
            Limit.count(
                    "io.holdfast.authority.lineSources",
                    1024,
                    "users and kinds of log lines that are distinguished in one interval");

    private AuthorityLimits() {}

    /** Returns the limits of this class, and those of actions, authorizations and rules. */
    public static List<Limit> all() {
        List<Limit> own =
                List.of(
                        CALLS,
                        CHECKS_OF_CONNECTION,
                        CHECKS_OF_USER,
                        DETAILS,
                        TASKS,
                        AGENTS,
                        DIALOGS_OF_AGENT,
                        DIALOGS_OF_USER,
                        ATTEMPTS_OF_USER,
                        TemporaryAuthorizations.PER_USER,
                        LOCALES,
                        BUS_PEERS,
                        LINES_OF_USER,
                        LINE_INTERVAL,
                        LINE_SOURCES,
                        LocalizedText.CATALOGUE_BYTES,
                        ActionPool.TOTAL_BYTES);
        return Stream.concat(own.stream(), RuleLimits.properties().stream()).toList();
    }
}
