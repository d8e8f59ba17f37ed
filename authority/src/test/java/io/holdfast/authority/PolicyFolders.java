package io.holdfast.authority;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.authority.subject.Sessions;
import io.holdfast.core.process.CgroupPath;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/** The policy, rules and session folders of a test's authority. */
public final class PolicyFolders {
    private final Path actions;
    private final Path rules;
    private final Path logins;

    public PolicyFolders(Path folder) {
        try {
            actions = Files.createDirectories(folder.resolve("actions"));
            rules = Files.createDirectories(folder.resolve("rules.d"));
            logins = folder.resolve("logins");
            Files.createDirectories(logins.resolve("sessions"));
            Files.createDirectories(logins.resolve("users"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public AuthorityOptions options() {
        return options(CgroupPath.ROOT);
    }

    /**
     * Returns options with these folders.
     *
     * @param root the root cgroup of the sessions
     */
    public AuthorityOptions options(CgroupPath root) {
        return AuthorityOptions.standard()
                .withActionFolders(List.of(actions))
                .withRuleFolders(List.of(rules))
                .withSessions(new Sessions(logins, root));
    }

    public Sessions sessions() {
        return options().sessions;
    }

    /** Writes a file with one action, whose three defaults are the same. */
    public PolicyFolders action(String id, String implicit, String... annotations) {
        return actionByPlace(id, implicit, implicit, implicit, annotations);
    }

    /**
     * Writes a file with one action.
     *
     * @param annotations keys, each followed by its value
     */
    public PolicyFolders actionByPlace(
            String id, String any, String inactive, String active, String... annotations) {
        StringBuilder annotated = new StringBuilder();
        for (int i = 0; i < annotations.length; i += 2) {
            annotated.append(
                    "<annotate key=\"org.freedesktop.policykit.%s\">%s</annotate>"
                            .formatted(annotations[i], annotations[i + 1]));
        }
        replace(
                actions.resolve(id + ".policy"),
                """
                <policyconfig><action id="%s">
                <description>what %s does</description><message>may $(who) do it?</message>
                <defaults><allow_any>%s</allow_any><allow_inactive>%s</allow_inactive>
                <allow_active>%s</allow_active></defaults>%s</action></policyconfig>
                """
                        .formatted(id, id, any, inactive, active, annotated));
        return this;
    }

    public PolicyFolders policyFile(String name, String text) {
        replace(actions.resolve(name), text);
        return this;
    }

    public PolicyFolders rules(String name, String text) {
        replace(rules.resolve(name), text);
        return this;
    }

    /** Writes a user's file, which names the display session. */
    public PolicyFolders display(long uid, String session, String seat, String state) {
        replace(
                logins.resolve("sessions").resolve(session),
                "UID=%d\nSEAT=%s\nSTATE=%s\n".formatted(uid, seat, state));
        replace(
                logins.resolve("users").resolve(Long.toString(uid)),
                "STATE=%s\nDISPLAY=%s\n".formatted(state, session));
        return this;
    }

    /** Ends a session of which no process remains. */
    public void endSession(String session) throws IOException {
        Files.delete(logins.resolve("sessions").resolve(session));
    }

    private static void replace(Path file, String text) {
        try {
            Path fresh = file.resolveSibling("." + file.getFileName() + "~");
            Files.writeString(fresh, text, UTF_8);
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
