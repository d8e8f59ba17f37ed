package io.holdfast.authority.rules.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.rules.DescribedSubject;
import io.holdfast.authority.rules.RuleDiagnostic;
import io.holdfast.authority.rules.RuleFiles;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.rules.RuleLog;
import io.holdfast.authority.rules.RuleVerdict;
import io.holdfast.authority.subject.Identity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** Tests the behaviour of polkit(8) that rules rely on, with folders like its own. */
@Timeout(60)
class PolkitBehaviourTest {
    private static final DescribedSubject JOHN =
            new DescribedSubject(
                    1,
                    500,
                    "john",
                    List.of("john", "users"),
                    Optional.empty(),
                    Optional.empty(),
                    false,
                    false,
                    Optional.empty(),
                    Optional.empty(),
                    Set.of("foo"));
    private static final DescribedSubject JANE = DescribedSubject.atSeat(501, "jane", "users");
    private static final DescribedSubject HIGH = remote(4_000_000_000L, "highuid2");
    private static final DescribedSubject NAMELESS = remote(2_147_483_649L, "2147483649");

    @TempDir Path folder;

    private static DescribedSubject remote(long uid, String user) {
        return new DescribedSubject(
                1000,
                uid,
                user,
                List.of(),
                Optional.empty(),
                Optional.empty(),
                false,
                false,
                Optional.empty(),
                Optional.empty(),
                Set.of());
    }

    private RuleFiles etcAndUsr() throws IOException {
        Path etc = Files.createDirectory(folder.resolve("etc"));
        Path usr = Files.createDirectory(folder.resolve("usr"));
        write(
                etc.resolve("10-testing.rules"),
                """
                polkit.addAdminRule(function(action, subject) {
                    if (action.id == "admin.netgroup") return ["unix-netgroup:foo"];
                    if (action.id == "admin.odd") return ["unix-user:0", "nobody", 7, "unix-user:a,unix-user:b"];
                    if (action.id == "admin.none") return [];
                    if (action.id == "admin.text") return "unix-user:john";
                });
                polkit.addAdminRule(function(action, subject) {
                    return ["unix-group:admin", "unix-user:root"];
                });
                polkit.addRule(function(action, subject) {
                    switch (action.id) {
                        case "basic0": return polkit.Result.AUTH_ADMIN;
                        case "basic1": return polkit.Result.AUTH_SELF;
                        case "order0": return polkit.Result.NO;
                        case "variables":
                            return action.lookup("foo") == "1" ? "yes"
                                : action.lookup("absent") === undefined ? "auth_self" : "no";
                        case "group": return subject.isInGroup("users") ? "yes" : "no";
                        case "netgroup": return subject.isInNetGroup("foo") ? "yes" : "no";
                        case "john": return subject.user == "john" ? "yes" : "no";
                        case "uid": return subject.uid === 4000000000 ? "yes" : "no";
                        case "name": return subject.user == "2147483649" ? "yes" : "no";
                        case "unit":
                            return subject.system_unit === null
                                && !("no_new_privileges" in subject) && subject.seat === null
                                && subject.session === null && !subject.local && !subject.active
                                ? "yes" : "no";
                        case "text": polkit.log(action); polkit.log(subject); return "no";
                    }
                });
                """);
        write(
                etc.resolve("20-testing.rules"),
                "polkit.addRule(a => a.id == 'order1' ? 'auth_self' : null);");
        write(
                usr.resolve("20-testing.rules"),
                "polkit.addRule(a => /^order[01]$/.test(a.id) ? 'yes' : null);\n"
                        + "polkit.addRule(a => a.id == 'order2' ? 'auth_admin' : null);");
        write(
                usr.resolve("10-testing.rules"),
                "polkit.addRule(a => a.id == 'order0' ? 'yes' : null);");
        write(
                usr.resolve("30-broken.rules"),
                "polkit.addRule(function() {\n  return 'yes' +;\n});");
        write(usr.resolve("30-throws.rules"), "\nnothing.at.all();");
        write(usr.resolve("40-late.rules"), "polkit.addRule(a => a.id == 'late' ? 'yes' : null);");
        write(usr.resolve(".hidden.rules"), "polkit.addRule(() => 'yes');");
        write(usr.resolve("#draft.rules"), "polkit.addRule(() => 'yes');");
        write(usr.resolve("note.txt"), "polkit.addRule(() => 'yes');");
        Path mask = usr.resolve("50-masked.rules");
        Files.createSymbolicLink(mask, Path.of("/dev/null"));
        RuleFiles read = RuleFiles.read(List.of(etc, folder.resolve("none"), usr));
        Files.delete(mask); // or JUnit would log a warning
        return read;
    }

    private static void write(Path file, String source) throws IOException {
        Path _ = Files.writeString(file, source);
    }

    private static String word(RuleTrial trial, String action, DescribedSubject subject) {
        return trial.evaluate(TestRules.action(action), subject)
                .answer()
                .map(Object::toString)
                .orElse("nothing");
    }

    @Test
    void filesAreOrderedByNameThenFolderAndBrokenOnesSkippedAlone() throws IOException {
        RuleTrial trial =
                new RuleTrial(
                        etcAndUsr(), RuleLimits.standard(), RuleLog.NOWHERE, Optional.empty());
        assertThat(word(trial, "basic0", JOHN)).isEqualTo("auth_admin");
        assertThat(word(trial, "basic1", JOHN)).isEqualTo("auth_self");
        assertThat(word(trial, "basic2", JOHN)).isEqualTo("nothing");
        assertThat(word(trial, "order0", JOHN)).isEqualTo("no");
        assertThat(word(trial, "order1", JOHN)).isEqualTo("auth_self");
        assertThat(word(trial, "order2", JOHN)).isEqualTo("auth_admin");
        assertThat(word(trial, "late", JOHN)).isEqualTo("yes");
        assertThat(trial.diagnostics().stream().map(RuleDiagnostic::toString))
                .hasSize(2)
                .anyMatch(text -> text.startsWith(folder + "/usr/30-broken.rules:2: "))
                .anyMatch(text ->
                        text.startsWith(folder + "/usr/30-throws.rules:2: ")
                                && text.contains("\"nothing\" is not defined"));
    }

    @Test
    void subjectsAndDetailsAreSeen() throws IOException {
        RuleTrial trial =
                new RuleTrial(
                        etcAndUsr(), RuleLimits.standard(), RuleLog.NOWHERE, Optional.empty());
        assertThat(trial.evaluate(TestRules.action("variables", "foo", "1"), JOHN).answer())
                .map(Object::toString)
                .contains("yes");
        assertThat(word(trial, "variables", JOHN)).isEqualTo("auth_self");
        assertThat(word(trial, "group", JOHN)).isEqualTo("yes");
        assertThat(word(trial, "group", HIGH)).isEqualTo("no");
        assertThat(word(trial, "netgroup", JOHN)).isEqualTo("yes");
        assertThat(word(trial, "netgroup", JANE)).isEqualTo("no");
        assertThat(word(trial, "john", JOHN)).isEqualTo("yes");
        assertThat(word(trial, "john", JANE)).isEqualTo("no");
        assertThat(word(trial, "uid", HIGH)).isEqualTo("yes");
        assertThat(word(trial, "name", NAMELESS)).isEqualTo("yes");
        assertThat(word(trial, "unit", HIGH)).isEqualTo("yes");
    }

    @Test
    void adminRulesNameIdentitiesInOrder() throws IOException {
        RuleTrial trial =
                new RuleTrial(
                        etcAndUsr(), RuleLimits.standard(), RuleLog.NOWHERE, Optional.empty());
        assertThat(trial.administrators(TestRules.action("x"), JOHN).identities())
                .containsExactly(new Identity.Group("admin"), new Identity.User("root"));
        assertThat(trial.administrators(TestRules.action("admin.netgroup"), JOHN).identities())
                .containsExactly(new Identity.Netgroup("foo"));
        assertThat(trial.administrators(TestRules.action("admin.odd"), JOHN).identities())
                .containsExactly(
                        new Identity.User("0"), new Identity.User("a"), new Identity.User("b"));
        assertThat(trial.administrators(TestRules.action("admin.none"), JOHN))
                .matches(verdict -> verdict.identities().isEmpty())
                .matches(verdict -> verdict.failure().isEmpty());
        assertThat(trial.administrators(TestRules.action("admin.text"), JOHN))
                .matches(verdict -> verdict.identities().isEmpty())
                .matches(verdict -> verdict.failure().isPresent());
    }

    @Test
    void actionsAndSubjectsHaveTheirTextForm() throws IOException {
        List<String> logged = new ArrayList<>();
        RuleTrial trial =
                new RuleTrial(
                        etcAndUsr(),
                        RuleLimits.standard(),
                        (place, text) -> logged.add(text),
                        Optional.empty());
        RuleVerdict _ = trial.evaluate(TestRules.action("text", "unit", "a.service"), JOHN);
        assertThat(logged.get(0)).isEqualTo("[Action id='text' unit='a.service']");
        assertThat(logged.get(1))
                .startsWith("[Subject pid=1 user='john' groups=john,users seat=null session=null");
    }

    private static String spawn(RuleLimits limits, String expression) {
        try (TestRules rules =
                TestRules.of(
                        limits,
                        "polkit.addRule(function() { try { polkit.log('got ' + "
                                + expression
                                + "); } catch (e) { polkit.log(String(e)); } return 'yes'; });")) {
            assertThat(rules.word("x")).isEqualTo("yes");
            return rules.logged.remove();
        }
    }

    @Test
    void programsSucceedOrThrow() {
        RuleLimits limits = RuleLimits.standard();
        assertThat(spawn(limits, "JSON.stringify(polkit.spawn(['printf', 'a\\\\nb\\\\n']))"))
                .endsWith("got \"a\\nb\\n\"");
        assertThat(spawn(limits, "polkit.spawn(['pwd'])")).endsWith("got /\\n");
        assertThat(spawn(limits, "polkit.spawn(['/nowhere/program'])"))
                .contains("Error: Error spawning helper: Error spawning: Failed to execute child")
                .contains("No such file or directory");
        assertThat(spawn(limits, "polkit.spawn(['sh', '-c', 'echo out; echo err >&2; exit 3'])"))
                .endsWith(
                        "Error: Helper exited with non-zero exit status 3, stdout=`out\\n',"
                                + " stderr=`err\\n'");
        assertThat(spawn(limits, "polkit.spawn(['sh', '-c', 'kill -KILL $$'])"))
                .contains("Error: Helper was signaled with signal SIGKILL (9), stdout=`'");
        assertThat(spawn(limits, "polkit.spawn('true')")).contains("TypeError: polkit.spawn");
    }

    /** Other programs compare this text. */
    @Test
    @EnabledIfSystemProperty(named = "holdfast.long", matches = "true")
    void aProgramHasTenSecondsAsInPolkit() {
        assertThat(spawn(RuleLimits.standard(), "polkit.spawn(['sleep', '20'])"))
                .endsWith(
                        ": Error: Error spawning helper: Timed out after 10 seconds"
                                + " (g-io-error-quark, 24)");
    }

    @Test
    void programsAreLimited() {
        RuleLimits limits = RuleLimits.standard().withPrograms(4, Duration.ofSeconds(1), 1000);
        assertThat(spawn(limits, "polkit.spawn(['sleep', '20'])"))
                .endsWith(
                        ": Error: Error spawning helper: Timed out after 1 seconds"
                                + " (g-io-error-quark, 24)");
        assertThat(spawn(limits, "polkit.spawn(['head', '-c', '1001', '/dev/zero'])"))
                .contains("Error spawning helper: Output of more than 1000 bytes");
        assertThat(spawn(limits, "polkit.spawn(['head', '-c', '1000', '/dev/zero']).length"))
                .endsWith("got 1000");
        assertThat(spawn(limits.withPrograms(0, Duration.ofSeconds(1), 9), "polkit.spawn(['id'])"))
                .contains("Error spawning helper: no program may be run");
    }
}
