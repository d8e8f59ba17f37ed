package io.holdfast.manager.access;

import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.sys.Unistd;
import io.holdfast.manager.unit.UnitName;
import java.util.Map;
import java.util.Optional;

/** Decides who may change something. */
@FunctionalInterface
public interface Permission {
    /**
     * A request that needs authorization.
     *
     * @param action as {@code org.freedesktop.systemd1.manage-units}
     * @param details shown to a user who is asked to authenticate
     * @param interactive whether a user may be asked to authenticate
     * @param general the action that is asked for instead where the authority does not know {@code
     *     action}; empty if there is none
     */
    record Question(
            String action,
            Map<String, String> details,
            boolean interactive,
            Optional<String> general) {
        public Question {
            details = Map.copyOf(details);
        }

        /** Creates a question with an action that the authority knows. */
        public Question(String action, Map<String, String> details, boolean interactive) {
            this(action, details, interactive, Optional.empty());
        }
    }

    /** An operation on a unit that needs authorization. */
    enum Verb {
        START("start", "start"),
        STOP("stop", "stop"),
        RELOAD("reload", "reload"),
        RESTART("restart", "restart"),
        KILL("kill", "send a UNIX signal to the processes of"),
        SET_PROPERTY("set-property", "set properties on"),
        RESET_FAILED("reset-failed", "reset the \"failed\" state of"),
        CLEAN("clean", "delete files and directories associated with");

        private final String word;
        private final String sentence;

        Verb(String word, String sentence) {
            this.word = word;
            this.sentence = sentence;
        }

        /**
         * Returns the details of a question, as systemd gives them.
         *
         * @see <a
         *     href="https://www.freedesktop.org/software/systemd/man/org.freedesktop.systemd1.html#Security">
         *     org.freedesktop.systemd1, Security</a>
         */
        public Map<String, String> details(UnitName unit) {
            return Map.of(
                    "unit",
                    unit.text(),
                    "verb",
                    word,
                    "polkit.message",
                    "Authentication is required to " + sentence + " '$(unit)'.",
                    "polkit.gettext_domain",
                    "systemd");
        }
    }

    /** The manager's own user, which never changes. */
    long OWNER = Unistd.geteuid();

    /** The action of reloading all unit files. */
    String SET_ENVIRONMENT = "org.freedesktop.systemd1.set-environment";

    String RELOAD_DAEMON = "org.freedesktop.systemd1.reload-daemon";

    /** The action of everything that changes units. */
    String MANAGE_UNITS = "org.freedesktop.systemd1.manage-units";

    /** The action of running one command as a user, which {@link #MANAGE_UNITS} includes. */
    String RUN_COMMAND = "io.holdfast.manager.run-command";

    /** The action of enabling, disabling and masking units. */
    String MANAGE_UNIT_FILES = "org.freedesktop.systemd1.manage-unit-files";

    /**
     * Decides whether the peer is authorized. Called by a thread that may block, never by the
     * manager's loop.
     *
     * @param peer lent
     * @throws java.util.concurrent.RejectedExecutionException if too many requests of the peer's
     *     user already wait for an answer
     */
    boolean isGranted(Peer peer, Question question) throws InterruptedException;

    /**
     * {@return whether the peer is root or the manager's own user} Its process is held or, on a
     * kernel without SO_PEERPIDFD, only its user is known: a user cannot be taken over as a PID
     * can. Does not block.
     */
    static boolean isOwner(Peer peer) {
        boolean known =
                switch (peer) {
                    case Peer.Held held -> held.process().state() != PidFd.State.REAPED;
                    case Peer.BestEffort _ -> true;
                    case Peer.Gone _ -> false;
                };
        return known && isOwner(peer.uid());
    }

    /** Returns whether a user is root or the manager's own user. */
    static boolean isOwner(long uid) {
        return uid == 0 || uid == OWNER;
    }

    /** {@return a permission that grants access to {@linkplain #isOwner owners} only} */
    static Permission ofOwners() {
        return (peer, _) -> isOwner(peer);
    }
}
