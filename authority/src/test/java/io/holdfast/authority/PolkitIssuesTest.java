package io.holdfast.authority;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.client.Decision;
import io.holdfast.authority.rules.RuleFiles;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.subject.Subject.Origin;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Defects of polkitd, by the number of the report, as far as they concern decisions. After each
 * attempt an ordinary check shows that the authority still works.
 */
@Timeout(120)
@Needs(root = true)
class PolkitIssuesTest {
    private static final long USER = 20001;
    private static final Caller ROOT = new Caller("root", 0, Optional.empty());

    @TempDir private Path folder;
    private PolicyFolders folders;

    @BeforeEach
    void layOut() {
        folders = new PolicyFolders(folder);
        folders.action("a.no", "no");
        folders.action("a.yes", "yes");
    }

    private static Decision check(AuthorityEngine engine, Subject subject, String action) {
        return engine.check(new CheckRequest(ROOT, subject, action, Map.of(), false, false, ""))
                .join();
    }

    private static Subject.UnixProcess process() {
        return new Subject.UnixProcess(PidFd.self(), USER, Origin.DESCRIPTOR, Optional.empty());
    }

    private static void assertAnswers(AuthorityEngine engine) {
        assertThat(check(engine, process(), "a.yes").isAuthorized()).isTrue();
    }

    /** 699: CheckAuthorization for a unix-session aborts polkitd. */
    @Test
    void issue699ASessionIsAnsweredFor() throws IOException {
        folders.rules(
                "10.rules", "polkit.addRule(function(a, s) { return s.pid ? 'no' : null; });");
        try (AuthorityEngine engine = AuthorityEngine.open(folders.options())) {
            Decision decision = check(engine, new Subject.UnixSession("7", USER), "a.no");
            assertThat(decision.isAuthorized()).isFalse();
            assertThat(check(engine, new Subject.UnixSession("7", USER), "a.yes").failure())
                    .isEmpty();
        }
        folders.rules("10.rules", "");
        try (AuthorityEngine engine = AuthorityEngine.open(folders.options())) {
            assertAnswers(engine);
        }
    }

    /** 657 and 670: rules that delete or replace the engine's objects end polkitd. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "delete Subject; delete Action;",
                "Subject = null; Action = 7;",
                "Subject.prototype = null; delete polkit.Result;",
                "polkit = undefined;",
                "Object.prototype.toString = null; delete Array.prototype.join;"
            })
    void issues657And670RulesThatDestroyTheirWorldHarmNobody(String script) throws IOException {
        folders.rules("10.rules", script);
        folders.rules(
                "20.rules",
                "polkit.addRule(function(a, s) { if (a.id == 'a.no') { %s return 'no'; } });"
                        .formatted(script));
        try (AuthorityEngine engine = AuthorityEngine.open(folders.options())) {
            assertThat(check(engine, process(), "a.no").isAuthorized()).isFalse();
            assertAnswers(engine);
        }
    }

    /** Seen with 126 and later: a truthy result that is not a text makes polkitd spin or exit. */
    @ParameterizedTest
    @ValueSource(
            strings = {"1", "true", "{}", "['yes']", "function() {}", "Infinity", "new Date()"})
    void anAnswerThatIsNoTextIsNo(String answer) throws IOException {
        folders.action("a.asked", "yes");
        folders.rules(
                "10.rules",
                "polkit.addRule(function(a, s) { if (a.id == 'a.asked') return %s; });"
                        .formatted(answer));
        try (AuthorityEngine engine = AuthorityEngine.open(folders.options())) {
            assertThat(check(engine, process(), "a.asked").isAuthorized()).isFalse();
            assertAnswers(engine);
        }
    }

    /** 544: a folder of rules that is configured twice aborts polkitd, which compares the files. */
    @Test
    void issue544AFolderThatIsNamedTwiceIsReadOnce() throws IOException {
        folders.rules(
                "10.rules",
                "polkit.addRule(function(a, s) { if (a.id == 'a.no') return 'yes'; });");
        Path rules = folders.options().ruleFolders.getFirst();
        Path link = Files.createSymbolicLink(folder.resolve("link"), rules);
        List<Path> often = List.of(rules, rules.resolve("../" + rules.getFileName()), rules, link);

        assertThat(RuleFiles.read(often)).isEqualTo(RuleFiles.read(List.of(rules)));
        try (AuthorityEngine engine =
                AuthorityEngine.open(folders.options().withRuleFolders(often))) {
            assertThat(check(engine, process(), "a.no").isAuthorized()).isTrue();
            assertAnswers(engine);
        }
    }
}
