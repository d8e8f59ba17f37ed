package io.holdfast.manager.unit.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.testkit.Gen;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.Tree;
import io.holdfast.manager.unit.UnitName;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SpecifiersTest {
    private static final Specifiers SPECIFIERS =
            new Specifiers(
                    UnitName.of("foo-bar\\x2dbaz@srv-a\\x20b.service"),
                    Optional.of(Path.of("/etc/systemd/system/foo.service")),
                    Tree.HOST,
                    Tree.SYSTEM);

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "%i;srv-a\\x20b",
                "%I;srv/a b",
                "%n;foo-bar\\x2dbaz@srv-a\\x20b.service",
                "%N;foo-bar\\x2dbaz@srv-a\\x20b",
                "%p;foo-bar\\x2dbaz",
                "%P;foo/bar-baz",
                "%j;bar\\x2dbaz",
                "%J;bar-baz",
                "%f;/srv/a b",
                "%t %S %C %L %E %D;/run /var/lib /var/cache /var/log /etc /usr/share",
                "%u %U %g %G %h;root 0 root 0 /root",
                "%H %l;box.example.org box",
                "%q;The Box",
                "%m;0123456789abcdef0123456789abcdef",
                "%b;fedcba9876543210fedcba9876543210",
                "%v %a;6.18.3-test x86-64",
                "%o %w;debian 13",
                "%T %V;/tmp /var/tmp",
                "%y %Y;/etc/systemd/system/foo.service /etc/systemd/system",
                "100%%;100%",
                "%%i;%i",
                "5%;5%",
                "50%-60%.;50%-60%.",
            })
    void eachIsReplaced(String text, String expanded) {
        assertThat(SPECIFIERS.expand(text)).isEqualTo(expanded);
    }

    @Test
    void theShellIsTheOneOfTheManagersUser() {
        assertThat(SPECIFIERS.expand("%s")).isEqualTo(Tree.SYSTEM.account().shell());
    }

    @Test
    void missingOsFieldsAreEmpty() {
        assertThat(SPECIFIERS.expand("<%A%B%M%W>")).isEqualTo("<>");
    }

    @Test
    void aPlainUnitHasAnEmptyInstance() {
        Specifiers plain =
                new Specifiers(
                        UnitName.of("a-b.service"), Optional.empty(), Tree.HOST, Tree.SYSTEM);
        assertThat(plain.expand("<%i|%I|%f>")).isEqualTo("<||/a/b>");
    }

    @Test
    void credentialsLieInTheRuntimeFolder() {
        assertThat(SPECIFIERS.expand("%d"))
                .isEqualTo("/run/credentials/foo-bar\\x2dbaz@srv-a\\x20b.service");
    }

    @ParameterizedTest
    @ValueSource(strings = {"%c", "%r", "%R"})
    void pathsOfCgroupsAreNotKnownWhenAUnitIsRead(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SPECIFIERS.expand(text))
                .withMessageContaining(text + " is not supported");
    }

    @ParameterizedTest
    @ValueSource(strings = {"%z", "a%0"})
    void unknownOnesAreRefused(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SPECIFIERS.expand(text))
                .withMessageContaining("unknown specifier %");
    }

    @Test
    void thoseWithoutAValueSayWhatIsMissing() {
        Specifiers bare =
                new Specifiers(
                        UnitName.of("a.service"), Optional.empty(), Host.UNKNOWN, Tree.SYSTEM);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> bare.expand("%m"))
                .withMessageContaining("machine id");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> bare.expand("%y"))
                .withMessageContaining("no file");
    }

    @Test
    void theResultIsLimited() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SPECIFIERS.expand("%n".repeat(Specifiers.MAX_LENGTH / 2)))
                .withMessageContaining("longer than");
    }

    @Test
    void aUsersManagerHasTheUsersFolders() {
        ManagerScope scope =
                ManagerScope.user(Map.of("HOME", "/home/u", "XDG_RUNTIME_DIR", "/run/user/7"));
        Specifiers user =
                new Specifiers(UnitName.of("a.service"), Optional.empty(), Tree.HOST, scope);
        assertThat(user.expand("%t %S %C %L %E %h"))
                .isEqualTo(
                        "/run/user/7 /home/u/.local/state /home/u/.cache /home/u/.local/state/log"
                                + " /home/u/.config /home/u");
    }

    static Stream<Gen> generated() {
        return Gen.cases(200);
    }

    @ParameterizedTest
    @MethodSource("generated")
    void doubledPercentSignsKeepAnyText(Gen gen) {
        String text = gen.string("%abin é", 20);
        assertThat(SPECIFIERS.expand(text.replace("%", "%%"))).isEqualTo(text);
    }
}
