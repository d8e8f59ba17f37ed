package io.holdfast.cli.permission;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.AuthorityEngine;
import io.holdfast.authority.AuthorityOptions;
import io.holdfast.authority.varlink.AuthorityInterface;
import io.holdfast.cli.Invocation;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class RulesCommandTest {
    private static final String RULES =
            """
            polkit.addRule(function(action, subject) {
                if (action.id == "org.example.reboot" && subject.system_unit == "a.service") {
                    polkit.log("verb " + action.lookup("verb"));
                    return polkit.Result.YES;
                }
            });
            polkit.addRule(function(action, subject) {
                if (subject.isInGroup("wheel") && subject.local) return "auth_admin_keep";
            });
            polkit.addAdminRule(function(action, subject) { return ["unix-group:wheel"]; });
            """;
    private static final String POLICY =
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <policyconfig>
              <action id="org.example.reboot">
                <defaults><allow_any>no</allow_any><allow_active>auth_self</allow_active></defaults>
              </action>
            </policyconfig>
            """;

    @TempDir private Path temp;
    private Path rules;
    private Path actions;

    @BeforeEach
    void layOut() throws IOException {
        rules = Files.createDirectory(temp.resolve("rules.d"));
        actions = Files.createDirectory(temp.resolve("actions"));
        Files.writeString(rules.resolve("10-a.rules"), RULES);
        Files.writeString(actions.resolve("a.policy"), POLICY);
    }

    private Invocation test(String... more) {
        String[] arguments = new String[more.length + 6];
        System.arraycopy(more, 0, arguments, 6, more.length);
        arguments[0] = "rules";
        arguments[1] = "test";
        arguments[2] = "--rules";
        arguments[3] = rules.toString();
        arguments[4] = "--action";
        arguments[5] = "org.example.reboot";
        return Invocation.of(arguments);
    }

    @Test
    void aDescribedSubjectIsToldWhichRuleAnswersWhat() {
        Invocation granted =
                test(
                        "--subject",
                        "user=john,unit=a.service",
                        "--detail",
                        "verb=start",
                        "--expect",
                        "yes");

        assertThat(granted.code()).isZero();
        assertThat(granted.err()).isEmpty();
        assertThat(granted.out())
                .isEqualTo(
                        """
                        org.example.reboot for user=john,unit=a.service: yes
                          rule: yes R:1
                          log: verb start R:3
                        """
                                .replace("R:", rules.resolve("10-a.rules") + ":"));
    }

    @Test
    void rulesThatNeedNotBeRunAreCounted() throws IOException {
        Files.writeString(
                rules.resolve("20-b.rules"),
                """
                polkit.addRule(function(action, subject) {
                    if (action.id == "org.example.other") { return "yes"; }
                });
                polkit.addRule(function(action, subject) {
                    if (subject.user == "jane") { return "yes"; }
                });
                """);
        assertThat(test("--subject", "user=joe").out())
                .contains("  rules: 1 is about other actions\n");
    }

    @Test
    void whoWouldHaveToAuthenticateIsToldToo() {
        assertThat(test("--subject", "groups=users:wheel,local=yes").out())
                .containsSubsequence(
                        ": auth_admin_keep",
                        "rule: nothing",
                        "rule: auth_admin_keep",
                        "admin rule: unix-group:wheel");
    }

    @Test
    void whereNoRuleAnswersTheDefaultsDoIfTheyAreKnown() {
        String subject = "local=yes,active=yes";

        assertThat(test("--subject", subject, "--expect", "nothing").code()).isZero();
        Invocation known =
                test(
                        "--subject",
                        subject,
                        "--actions",
                        actions.toString(),
                        "--expect",
                        "auth_self");
        assertThat(known.code()).isZero();
        assertThat(known.out()).contains("defaults: auth_self " + actions.resolve("a.policy:3"));
        assertThat(test("--actions", actions.toString(), "--expect", "no").code()).isZero();
    }

    @Test
    void whatIsNotAsExpectedIsAFailure() {
        Invocation refused = test("--subject", "unit=b.service", "--expect", "yes");

        assertThat(refused.code()).isEqualTo(ExitCode.FAILURE);
        assertThat(refused.out()).contains(": nothing, expected yes");
    }

    @Test
    void casesComeFromAFile() throws IOException {
        Path cases =
                Files.writeString(
                        temp.resolve("cases"),
                        """
                        # EXPECTED ACTION SUBJECT

                        yes      org.example.reboot  unit=a.service  "verb=start or stop"
                        nothing  org.example.reboot  unit=b.service  # no rule is for it
                        no       org.example.reboot  local=yes,groups=wheel
                        """);
        Invocation run =
                Invocation.of(
                        "rules", "test", "--rules", rules.toString(), "--cases", cases.toString());

        assertThat(run.code()).isEqualTo(ExitCode.FAILURE);
        assertThat(run.out())
                .containsSubsequence(
                        cases + ":3: org.example.reboot for unit=a.service: yes",
                        "verb start or stop",
                        cases + ":4: org.example.reboot for unit=b.service: nothing",
                        cases + ":5: ",
                        "auth_admin_keep, expected no",
                        "3 cases: 1 not as expected");
    }

    @Test
    void malformedCasesAreRefusedWithTheirLine() throws IOException {
        for (String[] each :
                new String[][] {
                    {"yes org.example.reboot", "only 2 words"},
                    {"yess org.example.reboot uid=1", "not a result: 'yess'"},
                    {"yes org.example.reboot john", "not NAME=VALUE: 'john'"},
                    {"yes org.example.reboot uid=1,uid=2", "uid is given twice"},
                    {"yes org.example.reboot uid=4294967295", "not a number up to"},
                    {"yes org.example.reboot local=true", "neither yes nor no: 'true'"},
                    {"yes org.example.reboot colour=red", "unknown attribute 'colour'"},
                    {"yes org.example.reboot uid=1 verb", "not KEY=VALUE: 'verb'"},
                    {"yes org.example.reboot uid=1 \"verb=x", "unterminated quote"}
                }) {
            Path cases = Files.writeString(temp.resolve("cases"), "\n" + each[0] + "\n");
            Invocation run =
                    Invocation.of(
                            "rules",
                            "test",
                            "--rules",
                            rules.toString(),
                            "--cases",
                            cases.toString());

            assertThat(run.code()).as(each[0]).isEqualTo(ExitCode.FAILURE);
            assertThat(run.out()).isEmpty();
            assertThat(run.err()).contains("holdfast: " + cases + ":2: ", each[1]).hasLineCount(1);
        }
    }

    @Test
    void whatDoesNotMakeSenseIsNotUnderstood() {
        for (String[] each :
                new String[][] {
                    {"rules", "try"},
                    {"rules", "test"},
                    {"rules", "test", "--subject", "uid=1"},
                    {"rules", "test", "--action", "a.b", "--expect", "maybe"},
                    {"rules", "lint", "--action", "a.b"},
                    {"rules", "lint", "--authority", "/none"},
                    {"rules", "metrics", "--rules", rules.toString()},
                    {"rules", "metrics", rules.resolve("10-a.rules").toString()},
                    {"rules", "lint", "--rules", temp.resolve("none").toString()}
                }) {
            assertThat(Invocation.of(each).code())
                    .as(String.join(" ", each))
                    .isEqualTo(ExitCode.USAGE);
        }
    }

    @Test
    void aRunningAuthorityTellsHowItsRulesAreDoing() throws Exception {
        String socket = temp.resolve("socket").toString();
        AuthorityOptions options =
                AuthorityOptions.standard()
                        .withActionFolders(List.of(actions))
                        .withRuleFolders(List.of(rules));
        try (AuthorityEngine engine = AuthorityEngine.open(options);
                AuthorityInterface face = AuthorityInterface.of(engine)) {
            face.server().listen(UnixAddress.path(Path.of(socket)));
            Invocation answered = Invocation.of("rules", "metrics", "--authority", socket);
            assertThat(answered.code()).isZero();
            assertThat(answered.out())
                    .containsPattern("^\\d+ evaluators?\n")
                    .contains("0 stuck in a built-in function, 0 ever")
                    .contains("0 programs of polkit.spawn");
            assertThat(Invocation.of("rules", "metrics", "--authority", socket, "--json").out())
                    .matches(
                            "\\{\"evaluators\":\\d+,\"stuck\":0,\"stuckEver\":0,\"programs\":0}\n");
        }
        Invocation unanswered = Invocation.of("rules", "metrics", "--authority", socket);
        assertThat(unanswered.code()).isEqualTo(ExitCode.FAILURE);
        assertThat(unanswered.err()).contains(socket);
    }

    @Test
    void aFileOfCasesThatCannotBeReadIsNamed() {
        Path none = temp.resolve("none");

        assertThat(Invocation.of("rules", "test", "--cases", none.toString()).err())
                .isEqualTo(
                        "holdfast: cannot read the cases: %s: no such file or folder\n"
                                .formatted(none));
        assertThat(Invocation.of("rules", "test", "--cases", temp.toString()).err())
                .isEqualTo("holdfast: %s: a folder, not a file of cases\n".formatted(temp));
    }

    @Test
    void programsRunOnlyWhenWanted() throws IOException {
        Files.writeString(
                rules.resolve("10-a.rules"),
                """
                polkit.addRule(function(action, subject) {
                    try {
                        polkit.spawn(["/bin/true"]);
                        return "yes";
                    } catch (e) {
                        return "no";
                    }
                });
                """);

        assertThat(test("--expect", "no").code()).isZero();
        assertThat(test("--expect", "yes", "--spawn").code()).isZero();
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void theyRunAsTheAuthorityWouldRunThem() throws Exception {
        Files.writeString(
                rules.resolve("10-a.rules"),
                "polkit.addRule(() => polkit.log('as ' + polkit.spawn(['id', '-u']).trim()));");
        Optional<Accounts.Account> polkitd = Accounts.SYSTEM.findUser("polkitd");

        Invocation run = test("--spawn");

        assertThat(run.out())
                .contains("log: as " + polkitd.map(Accounts.Account::uid).orElse(0L) + " ");
        assertThat(run.err().contains("user polkitd: no such user")).isEqualTo(polkitd.isEmpty());
    }

    @Test
    void aBrokenFileIsNamedAndFails() throws IOException {
        Files.writeString(rules.resolve("20-b.rules"), "polkit.addRule(");
        Invocation run = test("--subject", "unit=a.service", "--expect", "yes");

        assertThat(run.code()).isEqualTo(ExitCode.FAILURE);
        assertThat(run.err()).contains("20-b.rules:1: ");
        assertThat(run.out()).contains(": yes");
    }

    @Test
    void jsonIsALineACase() {
        assertThat(test("--subject", "uid=1", "--expect", "yes", "--json").out())
                .isEqualTo(
                        ("{\"place\":null,\"action\":\"org.example.reboot\",\"subject\":\"uid=1\","
                                        + "\"answer\":\"nothing\",\"expected\":\"yes\",\"isExpected\":false,"
                                        + "\"steps\":["
                                        + "{\"topic\":\"rule\",\"text\":\"nothing\",\"place\":\"R:1\"},{\"topic\":\"rule\",\"text\":\"nothing\",\"place\":\"R:7\"}]}\n")
                                .replace("R:", rules.resolve("10-a.rules") + ":"));
    }

    @Test
    void lintTellsWhatIsProbablyNotMeant() throws IOException {
        Path draft =
                Files.writeString(
                        temp.resolve("draft"),
                        """
                        polkit.addRule(function(action, subject) {
                            if (action.id == "org.example.rebot" && subject.usr == "x") return "yes";
                        });
                        """);
        Invocation found =
                Invocation.of("rules", "lint", "--actions", actions.toString(), draft.toString());

        assertThat(found.code()).isEqualTo(ExitCode.FAILURE);
        assertThat(found.out())
                .contains(
                        draft + ":2: there is no subject.usr; did you mean user?",
                        "no action is called \"org.example.rebot\"",
                        "1 file: 2 found");
        Invocation nothing = Invocation.of("rules", "lint", "--rules", rules.toString());
        assertThat(nothing.code()).isZero();
        assertThat(nothing.out()).isEqualTo("1 file: nothing found\n");
        assertThat(Invocation.of("rules", "lint", temp.resolve("none").toString()).out())
                .contains("none: there is no such file");
    }
}
