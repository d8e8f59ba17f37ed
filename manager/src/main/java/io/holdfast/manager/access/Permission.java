package io.holdfast.manager.access;

import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.sys.Unistd;
import io.holdfast.manager.unit.UnitName;
import java.util.Map;

/** Who may change something. */
@FunctionalInterface
public interface Permission {
    /**
     * What somebody wants to do.
     *
     * @param action as {@code org.freedesktop.systemd1.manage-units}
     * @param details what a user who is asked is told
     * @param interactive whether a user may be asked
     */
    record Question(String action, Map<String, String> details, boolean interactive) {
        public Question {
            details = Map.copyOf(details);
        }
    }

    /** What somebody wants done to a unit. */
    enum Verb {
        START("start", "start"),
        STOP("stop", "stop"),
        RELOAD("reload", "reload"),
        RESTART("restart", "restart"),
        KILL("kill", "send a UNIX signal to the processes of"),
        RESET_FAILED("reset-failed", "reset the \"failed\" state of");

        private final String word;
        private final String sentence;

        Verb(String word, String sentence) {
            this.word = word;
            this.sentence = sentence;
        }

        /**
         * The details of a question, as systemd gives them.
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

    /** The action of reading all unit files again. */
    String RELOAD_DAEMON = "org.freedesktop.systemd1.reload-daemon";

    /** The action of all that changes units. */
    String MANAGE_UNITS = "org.freedesktop.systemd1.manage-units";

    /**
     * Whether the peer may. Called by a thread that may wait, never by the manager's loop.
     *
     * @param peer lent
     * @throws java.util.concurrent.RejectedExecutionException if too many requests of its user wait
     *     for an answer already
     */
    boolean isGranted(Peer peer, Question question) throws InterruptedException;

    /**
     * Root and the manager's own user, whose process is held or, on a kernel without SO_PEERPIDFD,
     * at least is of that user: a user cannot be taken over as a number can. Does not wait.
     */
    static boolean isOwner(Peer peer) {
        boolean known =
                switch (peer) {
                    case Peer.Held held -> held.process().state() != PidFd.State.REAPED;
                    case Peer.BestEffort _ -> true;
                    case Peer.Gone _ -> false;
                };
        return known && (peer.uid() == 0 || peer.uid() == Unistd.geteuid());
    }

    /** Nobody but those of {@link #isOwner}. */
    static Permission ofOwners() {
        return (peer, _) -> isOwner(peer);
    }
}
