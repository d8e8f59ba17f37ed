package io.holdfast.authority.rules.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.rules.RuleDiagnostic;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RuleLintTest {
    private static List<String> lint(String... sources) {
        return RuleLint.check(TestRules.files(sources), Set.of("org.known")).stream()
                .map(RuleDiagnostic::toString)
                .toList();
    }

    @Test
    void whatIsRightPasses() {
        assertThat(
                        lint(
                                """
                                // usual
                                polkit.addRule(function(action, subject) {
                                    if ((action.id == "org.known" || action.id.indexOf("org.") == 0)
                                        && action.lookup("unit") === "a.service"
                                        && subject.local && subject.active
                                        && subject.isInGroup("wheel")
                                        && subject.groups.indexOf("x") < 0) {
                                        return polkit.Result.YES;
                                    }
                                    return polkit.Result.NOT_HANDLED;
                                });
                                polkit.addAdminRule(function(action, subject) {
                                    return ["unix-group:wheel"];
                                });
                                """))
                .isEmpty();
    }

    @Test
    void whatIsProbablyNotMeantIsToldWithItsLine() {
        assertThat(
                        lint(
                                """
                                polkit.addRule(function(a, s) {
                                    if (a.idd == "org.known") return polkit.Result.AUTH;
                                    if (a.id = "org.known") return "YES";
                                    if (a.id === "org.unknown" && s.usr == "x") return true;
                                    if (s.groups.contains("wheel")) return polkit.Results.YES;
                                    switch (a.id) { case "org.other": return "no"; }
                                });
                                """))
                .containsExactly(
                        "/r/1.rules:2: there is no a.idd; did you mean id?",
                        "/r/1.rules:2: there is no polkit.Result.AUTH",
                        "/r/1.rules:3: invalid result \"YES\", treated as \"no\"",
                        "/r/1.rules:3: an assignment as a condition; did you mean ==?",
                        "/r/1.rules:4: invalid result true, treated as \"no\"",
                        "/r/1.rules:4: no action is called \"org.unknown\"",
                        "/r/1.rules:4: there is no s.usr; did you mean user?",
                        "/r/1.rules:5: there is no s.groups.contains; did you mean s.isInGroup?",
                        "/r/1.rules:5: there is no polkit.Results; did you mean Result?",
                        "/r/1.rules:6: no action is called \"org.other\"");
    }

    @Test
    void aCatchWithoutANameIsLookedIntoToo() {
        assertThat(
                        lint(
                                """
                                polkit.addRule(function(a, s) {
                                    try { s.usr(); } catch {
                                        try { f(); } catch { return "maybe"; }
                                    }
                                });
                                """))
                .containsExactly(
                        "/r/1.rules:2: there is no s.usr; did you mean user?",
                        "/r/1.rules:3: invalid result \"maybe\", treated as \"no\"");
    }

    @Test
    void globalsThatAreLostAfterTheCheckAreTold() {
        assertThat(
                        lint(
                                """
                                var asked = 0, seen = {}, LIMIT = 3;
                                LIMIT = 4;
                                polkit.addRule(function(action, subject) {
                                    var own = {}, n = 0;
                                    asked++;
                                    seen[subject.user] = true;
                                    seen.last = action.id;
                                    undeclared = 1;
                                    own.n = 1; n += 1;
                                    for (let i = 0; i < 3; i++) { n = i; }
                                    (function() { n = 2; asked += 1; })();
                                    return null;
                                });
                                """))
                .map(line -> line.replaceAll(" is lost.*", ""))
                .containsExactly(
                        "/r/1.rules:5: the change of the global asked",
                        "/r/1.rules:6: the change of the global seen",
                        "/r/1.rules:7: the change of the global seen",
                        "/r/1.rules:8: the change of the global undeclared",
                        "/r/1.rules:11: the change of the global asked");
    }

    @Test
    void changesOfBuiltInObjectsAreReported() {
        assertThat(
                        lint(
                                """
                                if (!String.prototype.isLong) {
                                    String.prototype.isLong = function() { return this.length > 9; };
                                }
                                polkit.addRule(function(action, subject) {
                                    var Date = {};
                                    Date.now = 1;
                                    Array.prototype.last = null;
                                });
                                """))
                .map(line -> line.replaceAll(" makes every.*", ""))
                .containsExactly(
                        "/r/1.rules:2: the change of the built-in String",
                        "/r/1.rules:7: the change of the built-in Array");
    }

    @Test
    void rulesThatNoCheckComesToAreTold() {
        assertThat(
                        lint(
                                "polkit.addRule(() => polkit.Result.AUTH_ADMIN);\n"
                                        + "polkit.addAdminRule(() => ['unix-user:0']);",
                                "polkit.addRule(() => 'yes');\n\npolkit.addAdminRule(() => []);"))
                .containsExactly(
                        "/r/2.rules:1: unreachable rule: /r/1.rules:1 answers every check",
                        "/r/2.rules:3: unreachable rule: /r/1.rules:2 answers every check");
        assertThat(
                        lint(
                                "polkit.addRule(function(a) { if (a.id) return; return 'no'; });",
                                "polkit.addRule(() => 'yes');"))
                .isEmpty();
    }

    @Test
    void aSyntaxErrorIsToldWithItsLine() {
        assertThat(lint("\nvar = 1;")).singleElement().asString().startsWith("/r/1.rules:2: ");
    }

    @Test
    void aTextThatTheParserFailsAtIsToldOfAsAnyOther() {
        assertThat(lint("x = { * : 1 };", "polkit.addRule(function(a, s) { a.usr; });"))
                .hasSize(2)
                .first()
                .asString()
                .startsWith("/r/1.rules");
    }
}
