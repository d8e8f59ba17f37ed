package io.holdfast.manager.systemd1.caller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.access.Permission;
import io.holdfast.manager.access.Permission.Question;
import io.holdfast.manager.job.JobMode;
import io.holdfast.manager.systemd1.property.UnitDescription;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class CommandQuestionTest {
    private static Struct set(String name, String type, Object value) {
        return Struct.of(name, Variant.of(type, value));
    }

    private static Struct command(String property, String path, String... arguments) {
        List<String> words = new ArrayList<>(List.of(path));
        words.addAll(List.of(arguments));
        return property.endsWith("Ex")
                ? set(
                        property,
                        "a(sasas)",
                        List.of(Struct.of(path, words, List.of("no-env-expand"))))
                : set(property, "a(sasb)", List.of(Struct.of(path, words, false)));
    }

    private static Question question(Struct... properties) {
        UnitDescription unit = UnitDescription.of(UnitType.SERVICE, List.of(properties));
        return CommandQuestion.of(UnitName.of("run-1.service"), unit, JobMode.REPLACE, true, true);
    }

    @Test
    void aPlainCommandHasAnActionOfItsOwnWithProgramAndCommandLine() {
        Question question =
                question(
                        set("User", "s", "bob"),
                        set("Environment", "as", List.of("TERM=xterm", "SUDO_UID=0")),
                        command("ExecStartEx", "/bin/a", "-x", "it's $HOME", "a\nb"));
        assertThat(question.action()).isEqualTo(Permission.RUN_COMMAND);
        assertThat(question.general()).contains(Permission.MANAGE_UNITS);
        assertThat(question.details())
                .containsEntry("program", "/bin/a")
                .containsEntry("command_line", "/bin/a -x 'it'\\''s $HOME' 'a\\u000ab'")
                .containsEntry("user", "bob")
                .containsEntry("unit", "run-1.service")
                .containsEntry("verb", "start");
    }

    @Test
    void thePromptIsShortAndTheDetailForRulesIsWhole() {
        String word = "x".repeat(5000);
        Question question = question(command("ExecStart", "/bin/a", word));
        assertThat(question.details().get("command_line")).isEqualTo("/bin/a " + word);
        assertThat(question.details().get("command")).hasSizeLessThan(100).endsWith("…\"");
        assertThat(question.details().get("polkit.message")).contains("$(command)", "$(user)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"LD_PRELOAD=/x.so", "PATH=/x", "LD_PRELOAD"})
    void aVariableThatChangesTheProgramNeedsMore(String assignment) {
        Question question =
                question(
                        command("ExecStart", "/bin/a"),
                        set("Environment", "as", List.of(assignment)));
        assertThat(question.action()).isEqualTo(Permission.MANAGE_UNITS);
        assertThat(question.details())
                .doesNotContainKeys("program", "command_line")
                .containsEntry("command", "\"/bin/a\"");
    }

    @ParameterizedTest
    @ValueSource(strings = {"SHELL=/tmp/x", "TERM=../../tmp/x", "LANG=/tmp/x", "COLORTERM=%s"})
    void aValueThatProgramsTakeForAPathNeedsMore(String assignment) {
        Struct variable = set("Environment", "as", List.of(assignment));
        assertThat(question(command("ExecStart", "/bin/a"), variable).action())
                .isEqualTo(Permission.MANAGE_UNITS);
    }

    @Test
    void theShellThatIsStartedMayBeInItsEnvironment() {
        Struct variable = set("Environment", "as", List.of("SHELL=/bin/sh"));
        assertThat(question(command("ExecStart", "/bin/sh"), variable).action())
                .isEqualTo(Permission.RUN_COMMAND);
    }

    @Test
    void anotherNameOfTheProgramNeedsMore() {
        for (String own : List.of("/bin/busybox", "busybox", "-busybox")) {
            assertThat(question(named(own)).action()).isEqualTo(Permission.RUN_COMMAND);
        }
        assertThat(question(named("sh")).action()).isEqualTo(Permission.MANAGE_UNITS);
    }

    private static Struct named(String name) {
        return set(
                "ExecStart",
                "a(sasb)",
                List.of(Struct.of("/bin/busybox", List.of(name, "-x"), false)));
    }

    @Test
    void aPathMayNotHideAFlag() {
        for (String path : List.of("+/bin/a", "!/bin/a", "-/bin/a", ":/bin/a", "@/bin/a", "|a")) {
            assertThatThrownBy(() -> question(command("ExecStart", path)))
                    .as(path)
                    .hasMessageContaining("begins with a prefix");
        }
    }

    @Test
    void theUserIsTheOneOfTheUnitFile() {
        assertThat(question(set("User", "s", " root"), command("ExecStart", "/bin/a")).details())
                .containsEntry("user", "root");
    }

    @Test
    void aSecondCommandOrAnotherSettingNeedsMore() {
        Struct start = command("ExecStart", "/bin/a");
        for (Struct more :
                List.of(
                        command("ExecStartPre", "/bin/b"),
                        command("ExecStart", "/bin/b"),
                        set("Group", "s", "shadow"),
                        set("BindPaths", "a(ssbt)", List.of(Struct.of("/a", "/b", false, 0L))),
                        set(
                                "ExecStartEx",
                                "a(sasas)",
                                List.of(
                                        Struct.of(
                                                "/bin/b", List.of("b"), List.of("privileged")))))) {
            assertThat(question(start, more).action())
                    .as("%s", more)
                    .isEqualTo(Permission.MANAGE_UNITS);
        }
        assertThat(question(command("ExecStart", "/bin/a", "$TERM")).action())
                .as("expanded")
                .isEqualTo(Permission.MANAGE_UNITS);
        UnitDescription unit = UnitDescription.of(UnitType.SERVICE, List.of(start));
        assertThat(question(unit, JobMode.REPLACE, false).action())
                .as("with another unit")
                .isEqualTo(Permission.MANAGE_UNITS);
    }

    private static Question question(UnitDescription unit, JobMode mode, boolean alone) {
        return CommandQuestion.of(UnitName.of("a.service"), unit, mode, alone, true);
    }

    @ParameterizedTest
    @EnumSource(JobMode.class)
    void aModeThatAffectsOtherUnitsNeedsMore(JobMode mode) {
        UnitDescription unit =
                UnitDescription.of(UnitType.SERVICE, List.of(command("ExecStart", "/bin/a")));
        assertThat(question(unit, mode, true).action())
                .isEqualTo(
                        mode == JobMode.REPLACE || mode == JobMode.FAIL
                                ? Permission.RUN_COMMAND
                                : Permission.MANAGE_UNITS);
    }
}
