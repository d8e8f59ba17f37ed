package io.holdfast.interop.authority;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.client.Authority;
import io.holdfast.authority.client.Decision;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.PolkitSubject;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.Struct;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The real polkitd and ours make the same agent authenticate the same users, with polkit's own
 * helper and the system's PAM, and retain the same authorizations. The intended differences are
 * named: {@code polkit.result}, and the users whom a retained authorization serves.
 */
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"dbus-daemon", "dbus-test-tool", "unshare", "mount", "setpriv", "perl"})
class PolkitdDialogDifferenceTest {
    private static final Pattern ID = Pattern.compile("tmpauthz\\d+");

    @TempDir private static Path folder;
    private static @Nullable TwoAuthorities started;

    @BeforeAll
    @Timeout(120)
    static void start() throws Exception {
        started = TwoAuthorities.start(folder, PolicySources.installed());
        started.place(SubjectPlace.SERVICE); // so that there is a service, too
        started.place(SubjectPlace.LOCAL_AND_ACTIVE);
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

    private static TwoAuthorities.Role user() {
        return stage().role(TwoAuthorities.PLAIN);
    }

    private static String action(String word) {
        return CraftedPolicy.DEFAULTS + String.join(".", word, word, word);
    }

    /** One authority, an agent in the user's session, and the transcript of calls and answers. */
    private static final class Scene implements AutoCloseable {
        private final AuthorityUnderTest underTest;
        private final Child agent;
        private final BufferedReader said;
        private final Map<String, String> ids = new LinkedHashMap<>();
        private final List<String> transcript = new ArrayList<>();

        Scene(AuthorityUnderTest underTest) throws IOException {
            this.underTest = underTest;
            String session = Long.toString(user().uid());
            String place = stage().cgroup(SubjectPlace.LOCAL_AND_ACTIVE, user());
            List<String> command = new ArrayList<>(List.of("sh", "-c", TwoAuthorities.HELPERS_BUS));
            command.addAll(List.of("sh", underTest.socket().toString()));
            command.addAll(
                    ChildJvm.command(
                            List.of(), SessionAgent.class, underTest.address(), session, session));
            try (Cgroup cgroup =
                    Cgroup.open("/" + Path.of(Cgroup.mountPoint()).relativize(Path.of(place)))) {
                this.agent =
                        stage().program(command)
                                .cgroup(cgroup)
                                .stdin(Stdio.pipe())
                                .stdout(Stdio.pipe())
                                .stderr(Stdio.to(folder.resolve("agent.log")))
                                .start();
            }
            this.said = new BufferedReader(new InputStreamReader(agent.stdout(), UTF_8));
            note("registered", said.readLine());
        }

        private void note(String what, @Nullable String text) {
            String renamed =
                    ID.matcher(String.valueOf(text))
                            .replaceAll(found ->
                                    ids.computeIfAbsent(
                                            found.group(), _ -> "kept" + (ids.size() + 1)));
            transcript.add(what + ": " + renamed);
        }

        /** Sends the agent a command, and records its answer. */
        String agent(String command) throws IOException {
            agent.stdin().write((command + "\n").getBytes(UTF_8));
            agent.stdin().flush();
            String answer = said.readLine();
            note(command.split(" ", 2)[0], answer);
            return String.valueOf(answer);
        }

        /** Checks an authorization, and records the whole answer. */
        String check(
                String who, Struct subject, String action, Map<String, String> details, int flags)
                throws InterruptedException {
            String answer;
            try {
                Struct result =
                        AuthorityUnderTest.check(
                                underTest.connection(), subject, action, details, flags);
                Map<String, Object> compared = new TreeMap<>();
                ((Map<?, ?>) result.get(2))
                        .forEach((key, value) -> compared.put((String) key, value));
                compared.remove(Answer.SINCE_127);
                answer = "%s %s %s".formatted(result.get(0), result.get(1), compared);
            } catch (DBusException e) {
                answer = e.name();
            }
            note("%s %s, flags %d".formatted(who, action, flags), answer);
            return answer;
        }

        String check(String who, PidFd process, String action, int flags)
                throws InterruptedException {
            Struct subject = PolkitSubject.held(process, user().uid());
            return check(who, subject, action, Map.of(), flags);
        }

        @Override
        public void close() throws IOException {
            agent.stdin().close();
            var _ = agent.onExit().join();
            agent.close();
        }
    }

    private interface Plot {
        void play(Scene scene) throws Exception;
    }

    /**
     * Plays a plot with both authorities, asserts that the transcripts are equal, and returns one.
     */
    private static List<String> alike(Plot plot) throws Exception {
        List<List<String>> transcripts = new ArrayList<>();
        for (AuthorityUnderTest underTest : stage().both()) {
            try (Scene scene = new Scene(underTest)) {
                plot.play(scene);
                transcripts.add(scene.transcript);
            }
        }
        assertThat(transcripts.getLast()).isEqualTo(transcripts.getFirst());
        return transcripts.getFirst();
    }

    private static PidFd process(ForeignParent parent, String name, SubjectPlace subjectPlace) {
        return parent.held(
                name, "cgroup=" + stage().cgroup(subjectPlace, user()), "uid=" + user().uid());
    }

    @Test
    void dialogsEndAlike() throws Exception {
        try (ForeignParent parent = ForeignParent.start();
                PidFd subject = process(parent, "subject", SubjectPlace.LOCAL_AND_ACTIVE)) {
            List<String> transcript =
                    alike(scene -> {
                        for (String word :
                                List.of(
                                        "auth-self",
                                        "auth-self-keep",
                                        "auth-admin",
                                        "auth-admin-keep")) {
                            for (SessionAgent.End end : SessionAgent.End.values()) {
                                var _ = scene.agent("end " + end);
                                for (int flags : new int[] {0, 1, 0}) {
                                    var _ = scene.check("it", subject, action(word), flags);
                                }
                                var _ = scene.agent("requests");
                                var _ = scene.agent("list");
                                var _ = scene.agent("revoke");
                                var _ = scene.check("it", subject, action(word), 0);
                            }
                        }
                    });
            assertThat(transcript).filteredOn(line -> line.contains(": true false")).hasSize(6);
            assertThat(transcript)
                    .filteredOn(line -> line.contains(", flags 1: false false"))
                    .hasSize(20);
            assertThat(transcript)
                    .filteredOn(line -> line.contains("polkit.dismissed=true"))
                    .hasSize(4);
            assertThat(transcript).filteredOn(line -> line.contains("SUCCESS")).hasSize(8);
            assertThat(transcript).filteredOn(line -> line.contains("FAILURE")).hasSize(4);
        }
    }

    @Test
    void whatIsKeptServesTheSameAndEndsAlike() throws Exception {
        for (String word : List.of("auth-self-keep", "auth-admin-keep")) {
            try (ForeignParent parent = ForeignParent.start();
                    PidFd subject = process(parent, "subject", SubjectPlace.LOCAL_AND_ACTIVE);
                    PidFd sibling = process(parent, "sibling", SubjectPlace.LOCAL_AND_ACTIVE);
                    PidFd service = process(parent, "service", SubjectPlace.SERVICE)) {
                List<String> transcript =
                        alike(scene -> {
                            var _ = scene.agent("end " + SessionAgent.End.RIGHT);
                            var _ = scene.check("it", subject, action(word), 1);
                            checkAll(scene, subject, sibling, service, word);
                            var _ = scene.check("it", subject, action(word), 1);
                            var _ = scene.agent("requests");

                            var _ = scene.agent("revoke tmpauthz4711");
                            String list = scene.agent("list");
                            var found = ID.matcher(list);
                            assertThat(found.find()).as(list).isTrue();
                            var _ = scene.agent("revoke " + found.group());
                            checkAll(scene, subject, sibling, service, word);
                            var _ = scene.agent("revoke " + found.group());

                            var _ = scene.check("sibling", sibling, action(word), 1);
                            var _ = scene.check("it", subject, action(word), 1);
                            var _ = scene.agent("list");
                            var _ = scene.agent("unregister");
                            checkAll(scene, subject, sibling, service, word);
                            var _ = scene.check("service", service, action(word), 1);
                            var _ = scene.agent("revoke");
                            checkAll(scene, subject, sibling, service, word);
                        });
                assertThat(transcript)
                        .filteredOn(line -> line.matches("(it|sibling) .*: true false .*"))
                        .as(String.join("\n", transcript))
                        .hasSizeGreaterThan(6);
                assertThat(transcript)
                        .filteredOn(line -> line.startsWith("service "))
                        .noneMatch(line -> line.contains(": true"));
            }
        }
    }

    private static void checkAll(
            Scene scene, PidFd subject, PidFd sibling, PidFd service, String word)
            throws InterruptedException {
        String action = action(word);
        long uid = user().uid();
        var _ = scene.check("it", subject, action, 0);
        Struct number = PolkitSubject.numbered(subject.pid(), subject.proc().startTicks(), uid);
        var _ = scene.check("it by number", number, action, Map.of(), 0);
        Struct held = PolkitSubject.held(subject, uid);
        var _ = scene.check("it with details", held, action, Map.of("unit", "a.service"), 0);
        var _ = scene.check("sibling", sibling, action, 0);
        var _ = scene.check("service", service, action, 0);
        var _ = scene.check("it", subject, action("auth-admin"), 0);
        var _ = scene.check("it", subject, "t.same", 0);
    }

    @Test
    void theJavaClientHasSomebodyAskedByEachOfThemAndByEachWay() throws Exception {
        try (ForeignParent parent = ForeignParent.start();
                PidFd subject = process(parent, "subject", SubjectPlace.LOCAL_AND_ACTIVE)) {
            for (AuthorityUnderTest underTest : stage().both()) {
                try (Scene scene = new Scene(underTest);
                        Authority authority =
                                Authority.overBus(BusAddress.parseList(underTest.address()))) {
                    checkWithEachEnd(authority, subject, scene);
                    if (underTest.equals(stage().ours())) {
                        String socket = stage().varlinkSocket().toString();
                        try (Authority onVarlink = Authority.overVarlink(socket)) {
                            checkWithEachEnd(onVarlink, subject, scene);
                        }
                    }
                }
            }
        }
    }

    private static void checkWithEachEnd(Authority authority, PidFd subject, Scene scene)
            throws Exception {
        String action = action("auth-self");
        for (SessionAgent.End end :
                List.of(
                        SessionAgent.End.RIGHT,
                        SessionAgent.End.FAILED,
                        SessionAgent.End.DISMISSED)) {
            var _ = scene.agent("end " + end);
            Decision quiet =
                    authority
                            .check(subject, user().uid(), action, Map.of())
                            .get(60, TimeUnit.SECONDS);
            assertThat(quiet.isChallenge()).as("%s by %s", quiet, authority).isTrue();
            assertThat(scene.agent("requests")).isEqualTo("[]");

            Decision decision =
                    authority
                            .check(
                                    subject,
                                    user().uid(),
                                    action,
                                    Map.of(),
                                    Authority.Option.INTERACTIVE)
                            .get(60, TimeUnit.SECONDS);
            assertThat(scene.agent("requests")).contains(action);
            assertThat(decision.isAuthorized())
                    .as("%s, %s by %s", end, decision, authority)
                    .isEqualTo(end == SessionAgent.End.RIGHT);
            assertThat(decision.isChallenge()).isFalse();
            assertThat(decision.failure()).isEmpty();
            assertThat(decision.details().containsKey("polkit.dismissed"))
                    .isEqualTo(end == SessionAgent.End.DISMISSED);
        }
    }

    /** Ours requires the same user, however the process is identified. */
    @Test
    void whatIsKeptOfOneUserServesHimAloneWithOurs() throws Exception {
        for (AuthorityUnderTest underTest : stage().both()) {
            try (ForeignParent parent = ForeignParent.start();
                    PidFd subject = process(parent, "subject", SubjectPlace.LOCAL_AND_ACTIVE);
                    Scene scene = new Scene(underTest)) {
                String action = action("auth-self-keep");
                var _ = scene.agent("end " + SessionAgent.End.RIGHT);
                assertThat(scene.check("it", subject, action, 1)).startsWith("true");
                Struct other = PolkitSubject.held(subject, user().uid() + 1);
                assertThat(scene.check("another", other, action, Map.of(), 0))
                        .startsWith(underTest.equals(stage().ours()) ? "false" : "true");
            }
        }
    }

    @Test
    void withoutAnAgentAndAfterItHasGoneNobodyIsAsked() throws Exception {
        try (ForeignParent parent = ForeignParent.start();
                PidFd subject = process(parent, "subject", SubjectPlace.LOCAL_AND_ACTIVE);
                PidFd service = process(parent, "service", SubjectPlace.SERVICE)) {
            List<String> transcript =
                    alike(scene -> {
                        var _ = scene.check("service", service, action("auth-self-keep"), 1);
                        var _ = scene.agent("requests");
                        var _ = scene.agent("unregister");
                        var _ = scene.agent("unregister");
                        var _ = scene.check("it", subject, action("auth-self-keep"), 1);
                        var _ = scene.agent("requests");
                    });
            assertThat(transcript).anyMatch(line -> line.matches("it .*: false true .*"));
        }
    }
}
