package io.holdfast.interop.authority;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.wire.Struct;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The real polkitd and ours answer the same checks alike: for the actions and under the rules of
 * the distribution's packages. The intended differences are named: {@code polkit.result} ({@link
 * Answer}), texts with entities or line breaks, newer scripts, and the scope of a session that
 * logind does not know: polkitd takes it for an active session by its name, ours does not.
 */
@Timeout(1200)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"dbus-daemon", "dbus-test-tool", "unshare", "mount", "setpriv", "perl"})
class PolkitdDifferenceTest {
    private static final boolean LONG = Boolean.getBoolean("holdfast.long");

    private static final int MESSAGE = 1; // index in a dialog
    private static final int ANNOTATIONS = 9; // index in an action

    private static final Set<SubjectPlace> OF_ALL =
            EnumSet.of(
                    SubjectPlace.SEALED_SERVICE,
                    SubjectPlace.LOCAL_AND_ACTIVE,
                    SubjectPlace.LOCAL_AND_INACTIVE,
                    SubjectPlace.REMOTE_AND_ACTIVE,
                    SubjectPlace.USER_SERVICE);
    private static final String OWNED = "org.freedesktop.hostname1.set-hostname";
    private static final String PLAIN = TwoAuthorities.PLAIN;

    @TempDir private static Path folder;
    private static @Nullable TwoAuthorities started;

    @BeforeAll
    @Timeout(120)
    static void start() throws Exception {
        started = TwoAuthorities.start(folder, sources());
    }

    @AfterAll
    static void stop() {
        if (started != null) {
            started.close();
        }
    }

    private static TwoAuthorities stage() {
        return Objects.requireNonNull(started);
    }

    private static PolicySources sources() throws Exception {
        if (!LONG) {
            return PolicySources.installed();
        }
        assumeTrue(
                Files.isDirectory(PolicySources.UNPACKED),
                "needs the files that scripts/policies unpacks");
        return PolicySources.unpacked();
    }

    private static List<SubjectPlace> subjectPlaces() {
        return LONG
                ? List.of(SubjectPlace.values())
                : List.of(
                        SubjectPlace.LOCAL_AND_ACTIVE,
                        SubjectPlace.REMOTE_AND_ACTIVE,
                        SubjectPlace.SERVICE_OF_ACTIVE_USER);
    }

    /** Returns the users to check: all that rules name, where that can matter. */
    private static List<TwoAuthorities.Role> roles(
            TwoAuthorities stage, SubjectPlace subjectPlace) {
        return LONG && OF_ALL.contains(subjectPlace)
                ? stage.roles()
                : List.of(stage.role("root"), stage.role(PLAIN));
    }

    @Test
    void bothDecideAlikeOnEveryActionOfEverybodyEverywhere() throws Exception {
        TwoAuthorities stage = stage();
        List<String> differences = new ArrayList<>();
        List<String> actions = comparable(stage);
        assertThat(actions).hasSizeGreaterThan(LONG ? 400 : 100);
        List<String> defaults =
                actions(stage).stream()
                        .filter(id -> id.startsWith(CraftedPolicy.DEFAULTS))
                        .toList();
        for (SubjectPlace subjectPlace : subjectPlaces()) {
            stage.place(subjectPlace);
            try (ForeignParent parent = ForeignParent.start()) {
                for (TwoAuthorities.Role role : roles(stage, subjectPlace)) {
                    try (CheckedSubject subject =
                            new CheckedSubject(stage, subjectPlace, role, parent)) {
                        for (CheckedSubject.Kind kind : kinds(subjectPlace, role)) {
                            compare(stage, subjectPlace, subject, kind, actions, differences);
                        }
                        if (role.name().equals(PLAIN)) {
                            compare(
                                    stage,
                                    subjectPlace,
                                    subject,
                                    CheckedSubject.Kind.DESCRIPTOR,
                                    defaults,
                                    differences);
                        }
                    }
                }
            }
        }
        assertThat(differences).isEmpty();
    }

    @Test
    void detailsCountForRulesAndComeBack() throws Exception {
        stage().place(SubjectPlace.LOCAL_AND_ACTIVE);
        try (Alone alone = new Alone(PLAIN)) {
            for (String action :
                    List.of(
                            "t.verb",
                            "t.same",
                            "t.throw",
                            "org.freedesktop.systemd1.manage-units")) {
                for (Map<String, String> details :
                        List.of(
                                Map.of("verb", "start", "unit", "a.service"),
                                Map.of("verb", "start", "unit", "b.service"),
                                Map.of("none", "", "", "empty"),
                                Map.of("\u00fc \"'\\", "\u20ac\n\t{}"),
                                Map.of("polkit.message", "Do $(unit)?", "unit", "x"),
                                Map.of("polkit.result", "yes"))) {
                    for (int flags : new int[] {0, 2, 8}) {
                        alone.assertAlike(action, details, flags);
                    }
                }
            }
        }
    }

    @Test
    void rootIsAskedAboutByRulesOnlyWhereThatIsWanted() throws Exception {
        stage().place(SubjectPlace.SERVICE);
        try (Alone alone = new Alone("root")) {
            for (String action : List.of("t.verb", "t.same", "t.throw", "t.none", "")) {
                for (int flags : new int[] {0, 1, 2, 3}) {
                    alone.assertAlike(action, Map.of(), flags);
                }
            }
        }
    }

    /** Compares which caller may check which subject, and what other callers learn. */
    @Test
    void callersAreRefusedAlike() throws Exception {
        stage().place(SubjectPlace.SERVICE);
        List<TwoAuthorities.Role> callers =
                List.of(stage().role(PLAIN), stage().role("systemd-network"), stage().role("root"));
        try (ForeignParent parent = ForeignParent.start()) {
            for (TwoAuthorities.Role subject : callers) {
                try (CheckedSubject checked =
                        new CheckedSubject(stage(), SubjectPlace.SERVICE, subject, parent)) {
                    for (TwoAuthorities.Role caller : callers) {
                        List<List<Answer>> answers = new ArrayList<>();
                        for (int which = 0; which < 2; which++) {
                            answers.add(asCaller(caller, checked, which));
                        }
                        assertThat(answers.getLast())
                                .as("%s about %s", caller, subject)
                                .isEqualTo(answers.getFirst());
                    }
                }
            }
        }
    }

    private static List<Answer> asCaller(
            TwoAuthorities.Role caller, CheckedSubject checked, int which) throws Exception {
        List<Answer> answers = new ArrayList<>();
        AsUser.of(
                caller.uid(),
                () -> {
                    try (BusConnection bus =
                            BusConnection.connect(stage().both().get(which).address())) {
                        for (CheckedSubject.Kind kind : CheckedSubject.Kind.values()) {
                            Struct subject = checked.subject(kind, which);
                            for (Map<String, String> details :
                                    List.of(Map.<String, String>of(), Map.of("unit", ""))) {
                                for (String action : List.of("t.same", OWNED, "t.none")) {
                                    answers.add(
                                            AuthorityUnderTest.checkAuthorization(
                                                    bus, subject, action, details, 0));
                                }
                            }
                        }
                    }
                });
        return answers;
    }

    @Test
    void agentsAreAskedAlike() throws Exception {
        stage().place(SubjectPlace.LOCAL_AND_ACTIVE);
        for (String user : LONG ? List.of(PLAIN, "hfinsudo", "root") : List.of(PLAIN)) {
            try (Alone alone = new Alone(user)) {
                List<List<List<Object>>> dialogs = new ArrayList<>();
                List<List<Answer>> answers = new ArrayList<>();
                List<String> actions = comparable(stage());
                for (int which = 0; which < 2; which++) {
                    try (DismissingAgent agent =
                            new DismissingAgent(
                                    stage().both().get(which),
                                    alone.checked.subject(CheckedSubject.Kind.NUMBER, which))) {
                        List<Answer> heard = new ArrayList<>();
                        for (String action : actions) {
                            heard.add(
                                    alone.check(
                                            which,
                                            action,
                                            Map.of("who", "he", "polkit.icon_name", "i"),
                                            1));
                        }
                        answers.add(heard);
                        dialogs.add(agent.requests());
                    }
                }
                assertThat(dialogs.getFirst().isEmpty())
                        .as("root needs no authentication")
                        .isEqualTo(user.equals("root"));
                assertThat(answers.getLast()).isEqualTo(answers.getFirst());
                for (int i = 0; i < dialogs.getFirst().size(); i++) {
                    List<Object> their = dialogs.getFirst().get(i);
                    List<Object> our = dialogs.getLast().get(i);
                    assertThat((String) our.get(MESSAGE)).endsWith((String) their.get(MESSAGE));
                    assertThat(without(MESSAGE, our)).isEqualTo(without(MESSAGE, their));
                }
                assertThat(dialogs.getLast()).hasSameSizeAs(dialogs.getFirst());
            }
        }
    }

    /**
     * From a text with entities or line breaks, polkitd keeps only what follows the last of them,
     * also in the list of implied actions.
     */
    @Test
    void actionsAreToldAlikeButForEntities() throws Exception {
        Map<String, List<Object>> theirs = actionsById(stage().theirs());
        Map<String, List<Object>> ours = actionsById(stage().ours());
        assertThat(ours.keySet()).isEqualTo(theirs.keySet());
        theirs.forEach((id, their) -> {
            List<Object> our = Objects.requireNonNull(ours.get(id));
            assertEndOf(annotations(our), annotations(their), id);
            our = without(ANNOTATIONS, our);
            their = without(ANNOTATIONS, their);
            for (int text : List.of(2, 1)) { // message and description
                assertThat((String) our.get(text)).as(id).endsWith((String) their.get(text));
                our = without(text, our);
                their = without(text, their);
            }
            assertThat(our).isEqualTo(their);
        });
        assertThat(theirs.get(CraftedPolicy.ENTITY)).contains(" chips");
        assertThat(ours.get(CraftedPolicy.ENTITY)).contains("Fish & chips");
    }

    private static Map<?, ?> annotations(List<Object> action) {
        return (Map<?, ?>) action.get(ANNOTATIONS);
    }

    private static void assertEndOf(Map<?, ?> ours, Map<?, ?> theirs, String id) {
        assertThat(ours.keySet()).as(id).isEqualTo(theirs.keySet());
        theirs.forEach((key, their) -> {
            String our = String.valueOf(ours.get(key)).strip();
            assertThat(our).as(id + ": " + key).endsWith(String.valueOf(their).strip());
        });
    }

    private static Map<String, List<Object>> actionsById(AuthorityUnderTest underTest)
            throws InterruptedException {
        Map<String, List<Object>> actions = new TreeMap<>();
        for (Object each : underTest.actions("")) {
            Struct action = (Struct) each;
            actions.put((String) action.get(0), action.members());
        }
        return actions;
    }

    private static List<Object> without(int index, List<Object> list) {
        List<Object> less = new ArrayList<>(list);
        Object _ = less.remove(index);
        return less;
    }

    /** Duktape implements ECMAScript 5, so polkitd ignores the file. */
    @Test
    void newerScriptsAreReadByOursAlone() throws Exception {
        stage().place(SubjectPlace.SERVICE);
        try (Alone alone = new Alone(PLAIN)) {
            assertThat(alone.check(0, CraftedPolicy.ARROW, Map.of(), 0).word()).isEqualTo("no");
            assertThat(alone.check(1, CraftedPolicy.ARROW, Map.of(), 0).word()).isEqualTo("yes");
        }
    }

    /** One subject alone. */
    private static final class Alone implements AutoCloseable {
        private final ForeignParent parent = ForeignParent.start();
        private final CheckedSubject checked;

        Alone(String user) throws InterruptedException {
            checked =
                    new CheckedSubject(stage(), stage().subjectPlace(), stage().role(user), parent);
        }

        Answer check(int which, String action, Map<String, String> details, int flags)
                throws InterruptedException {
            return stage().both()
                    .get(which)
                    .checkAuthorization(
                            checked.subject(CheckedSubject.Kind.DESCRIPTOR, which),
                            action,
                            details,
                            flags);
        }

        void assertAlike(String action, Map<String, String> details, int flags)
                throws InterruptedException {
            assertThat(check(1, action, details, flags))
                    .as("%s with %s, flags %d", action, details, flags)
                    .isEqualTo(check(0, action, details, flags));
        }

        @Override
        public void close() {
            checked.close();
            parent.close();
        }
    }

    /**
     * Returns the kinds of identification to check: all for one user, and alternating ones for
     * others.
     */
    private static List<CheckedSubject.Kind> kinds(
            SubjectPlace subjectPlace, TwoAuthorities.Role role) {
        List<CheckedSubject.Kind> kinds = List.of(CheckedSubject.Kind.values());
        long turn = subjectPlace.name().length() + role.uid();
        return LONG && role.name().equals(PLAIN)
                ? kinds
                : List.of(kinds.get((int) (turn % kinds.size())));
    }

    private static List<String> actions(TwoAuthorities stage) throws InterruptedException {
        return stage.both().getFirst().actions("").stream()
                .map(each -> (String) ((Struct) each).get(0))
                .sorted()
                .toList();
    }

    /**
     * Returns the actions without those that test only defaults, and without the one that differs
     * on purpose.
     */
    private static List<String> comparable(TwoAuthorities stage) throws InterruptedException {
        return actions(stage).stream()
                .filter(id -> !id.startsWith(CraftedPolicy.DEFAULTS))
                .filter(id -> !id.equals(CraftedPolicy.ARROW))
                .toList();
    }

    private static void compare(
            TwoAuthorities stage,
            SubjectPlace subjectPlace,
            CheckedSubject subject,
            CheckedSubject.Kind kind,
            List<String> actions,
            List<String> differences) {
        CompletableFuture<List<Answer>> theirs = answers(stage, 0, subject, kind, actions);
        List<Answer> ours = answers(stage, 1, subject, kind, actions).join();
        for (int i = 0; i < actions.size(); i++) {
            Answer their = theirs.join().get(i);
            boolean alike =
                    subjectPlace == SubjectPlace.LEFT_BEHIND
                            ? isNoMore(ours.get(i), their)
                            : ours.get(i).equals(their);
            if (!alike) {
                differences.add(
                        "%s %s by %s, %s: theirs %s, ours %s"
                                .formatted(
                                        subject,
                                        subjectPlace,
                                        kind,
                                        actions.get(i),
                                        their,
                                        ours.get(i)));
            }
        }
    }

    private static boolean isNoMore(Answer ours, Answer theirs) {
        List<String> rising = List.of("no", "challenge", "yes");
        return rising.contains(ours.word())
                && rising.indexOf(ours.word()) <= rising.indexOf(theirs.word());
    }

    private static CompletableFuture<List<Answer>> answers(
            TwoAuthorities stage,
            int which,
            CheckedSubject subject,
            CheckedSubject.Kind kind,
            List<String> actions) {
        AuthorityUnderTest underTest = stage.both().get(which);
        Struct named = subject.subject(kind, which);
        return CompletableFuture.supplyAsync(() -> {
            try {
                List<Answer> answers = new ArrayList<>();
                for (String action : actions) {
                    answers.add(underTest.checkAuthorization(named, action, Map.of(), 0));
                }
                return answers;
            } catch (InterruptedException e) {
                throw new CompletionException(e);
            }
        });
    }
}
