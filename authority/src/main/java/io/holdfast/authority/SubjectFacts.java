package io.holdfast.authority;

import io.holdfast.authority.rules.RuleSubject;
import io.holdfast.authority.subject.Session;
import io.holdfast.authority.subject.Sessions;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.subject.UnitLookup;
import io.holdfast.authority.subject.UnitLookup.ProcessUnit;
import io.holdfast.authority.subject.Users;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The facts about a subject; each is looked up at its first use. Used by one thread at a time; may
 * block.
 */
final class SubjectFacts implements RuleSubject {
    private final Subject subject;
    private final Users users;
    private final Sessions sessions;
    private final UnitLookup units;
    private final Once<String> user = new Once<>(this::findUser);
    private final Once<List<String>> groups = new Once<>(this::findGroups);
    private final Once<Optional<Session>> ownSession = new Once<>(this::findOwnSession);
    private final Once<Optional<Session>> decisionSession = new Once<>(this::findDecisionSession);
    private final Once<Optional<ProcessUnit>> unit = new Once<>(this::findUnit);

    SubjectFacts(Subject subject, Users users, Sessions sessions, UnitLookup units) {
        this.subject = subject;
        this.users = users;
        this.sessions = sessions;
        this.units = units;
    }

    /** Returns the subject's PID; 0 if it is not a process. */
    @Override
    public int pid() {
        return subject.process().map(process -> of(process, PidFd::pid)).orElse(0);
    }

    @Override
    public long uid() {
        return subject.uid();
    }

    @Override
    public String user() {
        return user.get();
    }

    private String findUser() {
        return users.name(subject.uid());
    }

    @Override
    public List<String> groups() {
        return groups.get();
    }

    private List<String> findGroups() {
        return subject.process()
                .flatMap(Subject.UnixProcess::groups)
                .map(gids -> gids.stream().map(users::groupName).toList())
                .orElseGet(() -> users.groupNames(subject.uid()));
    }

    @Override
    public Optional<String> seat() {
        return ownSession.get().flatMap(Session::seat);
    }

    @Override
    public Optional<String> session() {
        return ownSession.get().map(Session::id);
    }

    @Override
    public boolean isLocal() {
        return decisionSession().map(Session::isLocal).orElse(false);
    }

    @Override
    public boolean isActive() {
        return decisionSession().map(Session::isUserActive).orElse(false);
    }

    @Override
    public Optional<String> systemUnit() {
        return unit.get().map(ProcessUnit::name);
    }

    @Override
    public Optional<Boolean> noNewPrivileges() {
        return unit.get().map(ProcessUnit::noNewPrivileges);
    }

    @Override
    public boolean isInGroup(String group) {
        return groups().contains(group);
    }

    @Override
    public boolean isInNetGroup(String netgroup) {
        return users.isInNetgroup(user(), netgroup);
    }

    private Optional<Session> findOwnSession() {
        return subject instanceof Subject.UnixSession(String id, _)
                ? sessions.session(id)
                : subject.process().flatMap(process -> of(process, sessions::own));
    }

    /**
     * Returns the session that stands for the subject: its own, else the display session of the
     * user in whose slice it runs. A system service has none, whichever user it runs as and
     * wherever that user is logged in.
     */
    Optional<Session> decisionSession() {
        return decisionSession.get();
    }

    private Optional<Session> findDecisionSession() {
        return subject instanceof Subject.UnixSession
                ? ownSession.get()
                : subject.process().flatMap(process -> of(process, sessions::of));
    }

    private Optional<ProcessUnit> findUnit() {
        return subject.process()
                .filter(process -> process.origin().isSafe())
                .flatMap(process -> of(process, units::find));
    }

    /** A question about a process. If the process has gone, the evaluation ends. */
    private interface Question<T> {
        T of(PidFd process);
    }

    private static <T> T of(Subject.UnixProcess process, Question<T> question) {
        try {
            return question.of(process.pidFd());
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ESRCH) {
                throw new SubjectGoneException(process.pidFd() + " has gone");
            }
            throw e;
        }
    }

    /** A value that is looked up at its first use. A failed lookup is repeated at the next use. */
    private static final class Once<T> {
        private final Supplier<T> find;
        private @Nullable T found;

        Once(Supplier<T> find) {
            this.find = find;
        }

        T get() {
            T known = found;
            if (known == null) {
                known = find.get();
                found = known;
            }
            return known;
        }

        /** Returns the value if it has been looked up. */
        Optional<T> known() {
            return Optional.ofNullable(found);
        }
    }

    /** Looks up the facts that {@link #describe} includes only if they are known. */
    void findForDescription() {
        for (Once<?> each : List.of(unit, ownSession, decisionSession)) {
            String _ = quietly(() -> each.get().toString());
        }
    }

    /** Describes the subject: its user, and its unit and session if they were looked up. */
    String describe() {
        String inUnit =
                unit.known()
                        .map(found ->
                                found.map(each -> ", in unit " + each.name())
                                        .orElse(", in no unit"))
                        .orElse("");
        List<Optional<Session>> looked =
                Stream.of(ownSession, decisionSession)
                        .flatMap(each -> each.known().stream())
                        .toList();
        String inSession =
                looked.stream()
                        .flatMap(Optional::stream)
                        .map(each -> ", of session " + each.id())
                        .findFirst()
                        .orElse(looked.isEmpty() ? "" : ", of no session");
        return subject + ", user " + quietly(this::user) + inUnit + inSession;
    }

    private static String quietly(Supplier<String> fact) {
        try {
            return fact.get();
        } catch (RuntimeException e) {
            return "unknown (" + e.getMessage() + ")";
        }
    }
}
