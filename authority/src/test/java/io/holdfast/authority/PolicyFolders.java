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

/** The folders that a test's authority decides by. */
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
     * @param root below which sessions are
     */
    public AuthorityOptions options(CgroupPath root) {
        return AuthorityOptions.STANDARD
                .withActionFolders(List.of(actions))
                .withRuleFolders(List.of(rules))
                .withSessions(new Sessions(logins, root));
    }

    public Sessions sessions() {
        return options().sessions();
    }

    /** An action in a file of its own, whose three defaults are the same. */
    public PolicyFolders action(String id, String implicit, String... annotations) {
        return actionByPlace(id, implicit, implicit, implicit, annotations);
    }

    /**
     * An action in a file of its own.
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

    /** The session that a user is to be spoken to in. */
    public PolicyFolders display(long uid, String session, String seat, String state) {
        replace(
                logins.resolve("sessions").resolve(session),
                "UID=%d\nSEAT=%s\nSTATE=%s\n".formatted(uid, seat, state));
        replace(
                logins.resolve("users").resolve(Long.toString(uid)),
                "STATE=%s\nDISPLAY=%s\n".formatted(state, session));
        return this;
    }

    /** A session ends, and nothing of it is left. */
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
