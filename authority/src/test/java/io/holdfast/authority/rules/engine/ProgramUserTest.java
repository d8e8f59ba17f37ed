package io.holdfast.authority.rules.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.rules.ProgramUser;
import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests the user that programs of rules run as. */
@Timeout(60)
@Needs(root = true, programs = "setpriv")
class ProgramUserTest {
    private static final String NOBODY = "nobody";

    private final Queue<String> logged = new ConcurrentLinkedQueue<>();

    private void evaluate(Optional<ProgramUser> user, String... sources) {
        try (RuleEngine engine =
                RuleEngine.start(
                        () -> TestRules.files(sources),
                        RuleLimits.standard(),
                        (_, text) -> logged.add(text),
                        user)) {
            var _ = engine.evaluate(TestRules.action("a.b"), TestRules.JANE).join();
        }
    }

    @Test
    void aRulesProgramRunsAsThatUserInItsGroups() throws Exception {
        Accounts.Account nobody = Accounts.SYSTEM.user(NOBODY);

        evaluate(
                ProgramUser.find(Accounts.SYSTEM, NOBODY),
                "polkit.addRule(function() {"
                        + " polkit.log(polkit.spawn(['id', '-u']).trim());"
                        + " polkit.log(polkit.spawn(['id', '-G']).trim());"
                        + " polkit.log(polkit.spawn(['pwd']).trim());"
                        + " });");

        assertThat(logged)
                .containsExactly(Long.toString(nobody.uid()), Long.toString(nobody.gid()), "/");
    }

    @Test
    void soDoesAProgramOfAFileThatIsLoaded() throws Exception {
        evaluate(
                ProgramUser.find(Accounts.SYSTEM, NOBODY),
                "polkit.log(polkit.spawn(['id', '-un']).trim());");

        assertThat(logged).contains(NOBODY);
    }

    @Test
    void soDoesAProgramOfRulesThatAreTried() throws Exception {
        RuleTrial trial =
                new RuleTrial(
                        TestRules.files(
                                "polkit.addRule(function() {"
                                        + " polkit.log(polkit.spawn(['id', '-un']).trim()); });"),
                        RuleLimits.standard(),
                        (_, text) -> logged.add(text),
                        ProgramUser.find(Accounts.SYSTEM, NOBODY));

        var _ = trial.evaluate(TestRules.action("a.b"), TestRules.JANE);

        assertThat(logged).containsExactly(NOBODY);
    }

    @Test
    void aProgramThatIsNotThereIsReportedAsToAnyUser() throws Exception {
        evaluate(
                ProgramUser.find(Accounts.SYSTEM, NOBODY),
                "polkit.addRule(function() { try { polkit.spawn(['/no/such']); } catch (e) {"
                        + " polkit.log('' + e); } });");

        assertThat(logged).singleElement().asString().contains("Error spawning helper", "/no/such");
    }

    @Test
    void aProgramThatOnlyRootMayExecuteIsReportedAsToAnyUser(@TempDir Path folder)
            throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
        Path program = Files.writeString(folder.resolve("program"), "#!/bin/sh\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));

        evaluate(
                ProgramUser.find(Accounts.SYSTEM, NOBODY),
                "polkit.addRule(function() { try { polkit.spawn(['"
                        + program
                        + "']); } catch (e) { polkit.log('' + e); } });");

        assertThat(logged)
                .singleElement()
                .asString()
                .contains(
                        "Error spawning helper: Error spawning: Failed to execute child process “"
                                + program
                                + "” (Permission denied)");
    }

    @Test
    void withoutAUserItRunsAsThisProcess() {
        evaluate(
                Optional.empty(),
                "polkit.addRule(function() { polkit.log(polkit.spawn(['id', '-u']).trim()); });");

        assertThat(logged).containsExactly("0");
    }

    @Test
    void nobodyIsFoundWhoIsNotThere() throws Exception {
        assertThat(ProgramUser.find(Accounts.SYSTEM, "holdfast-no-such-user")).isEmpty();
    }
}
