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
                        "/r/1.rules:2: there is no a.idd; is id meant?",
                        "/r/1.rules:2: there is no polkit.Result.AUTH",
                        "/r/1.rules:3: \"YES\" is no result: it means \"no\"",
                        "/r/1.rules:3: an assignment as a condition: is == meant?",
                        "/r/1.rules:4: true is no result: it means \"no\"",
                        "/r/1.rules:4: no action is called \"org.unknown\"",
                        "/r/1.rules:4: there is no s.usr; is user meant?",
                        "/r/1.rules:5: there is no s.groups.contains; is s.isInGroup meant?",
                        "/r/1.rules:5: there is no polkit.Results; is Result meant?",
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
                        "/r/1.rules:2: there is no s.usr; is user meant?",
                        "/r/1.rules:3: \"maybe\" is no result: it means \"no\"");
    }

    @Test
    void rulesThatNoCheckComesToAreTold() {
        assertThat(
                        lint(
                                "polkit.addRule(() => polkit.Result.AUTH_ADMIN);\n"
                                        + "polkit.addAdminRule(() => ['unix-user:0']);",
                                "polkit.addRule(() => 'yes');\n\npolkit.addAdminRule(() => []);"))
                .containsExactly(
                        "/r/2.rules:1: never asked: /r/1.rules:1 has answered every check before",
                        "/r/2.rules:3: never asked: /r/1.rules:2 has answered every check before");
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
