package io.holdfast.authority.action;

import static java.nio.charset.StandardCharsets.UTF_16;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.subject.Identity;
import io.holdfast.core.process.Spawn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class PolicyFileReaderTest {
    private static final Path FILE = Path.of("/x/a.policy");

    private static final String WHOLE =
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <!DOCTYPE policyconfig PUBLIC "-//freedesktop//DTD polkit Policy Configuration 1.0//EN"
             "http://nowhere.invalid/policyconfig-1.dtd">
            <policyconfig>
              <vendor>The Vendor</vendor>
              <vendor_url>https://vendor.example/</vendor_url>
              <icon_name>computer</icon_name>
              <!-- two of them -->
              <action id="org.example.first">
                <description>Do it</description>
                <description xml:lang="de">Tu es</description>
                <message gettext-domain="example">Authenticate</message>
                <defaults>
                  <allow_any>auth_admin</allow_any>
                  <allow_inactive>auth_self_keep</allow_inactive>
                  <allow_active>yes</allow_active>
                </defaults>
                <annotate key="org.freedesktop.policykit.imply">org.example.second  org.other</annotate>
                <annotate key="org.freedesktop.policykit.owner">unix-user:ada unix-group:7</annotate>
              </action>
              <action id="org.example.second">
                <description>Do more</description>
                <message>Authenticate again</message>
                <vendor>Another</vendor>
                <vendor_url>https://another.example/</vendor_url>
                <icon_name>phone</icon_name>
              </action>
            </policyconfig>
            """;

    @TempDir private Path folder;

    private static PolicyFile parse(String text) {
        return PolicyFileReader.parse(FILE, text.getBytes(UTF_8));
    }

    private static PolicyFile action(String inside) {
        return parse(
                "<policyconfig><action id=\"before\"/>\n<action id=\"a\">"
                        + inside
                        + "</action>\n<action id=\"behind\"/></policyconfig>");
    }

    private static Action only(PolicyFile file) {
        assertThat(file.problems()).isEmpty();
        return file.actions().get(1);
    }

    private static List<String> ids(PolicyFile file) {
        return file.actions().stream().map(Action::id).toList();
    }

    @Test
    void everyElementIsRead() {
        PolicyFile file = parse(WHOLE);
        assertThat(file.problems()).isEmpty();
        assertThat(file.actions())
                .containsExactly(
                        new Action(
                                "org.example.first",
                                new LocalizedText("Do it", Map.of("de", "Tu es"), Optional.empty()),
                                new LocalizedText("Authenticate", Map.of(), Optional.of("example")),
                                "The Vendor",
                                "https://vendor.example/",
                                "computer",
                                ImplicitAuthorization.AUTH_ADMIN,
                                ImplicitAuthorization.AUTH_SELF_KEEP,
                                ImplicitAuthorization.YES,
                                Map.of(
                                        Action.IMPLY,
                                        "org.example.second  org.other",
                                        Action.OWNER,
                                        "unix-user:ada unix-group:7"),
                                new SourceLine(FILE, 9)),
                        new Action(
                                "org.example.second",
                                LocalizedText.of("Do more"),
                                LocalizedText.of("Authenticate again"),
                                "Another",
                                "https://another.example/",
                                "phone",
                                ImplicitAuthorization.NO,
                                ImplicitAuthorization.NO,
                                ImplicitAuthorization.NO,
                                Map.of(),
                                new SourceLine(FILE, 21)));
        Action first = file.actions().getFirst();
        assertThat(first.implied()).containsExactly("org.example.second", "org.other");
        assertThat(first.owners())
                .containsExactly(new Identity.User("ada"), new Identity.Group("7"));
        assertThat(first.implicit(true, true)).isEqualTo(ImplicitAuthorization.YES);
        assertThat(first.implicit(true, false)).isEqualTo(ImplicitAuthorization.AUTH_SELF_KEEP);
        assertThat(first.implicit(false, true)).isEqualTo(ImplicitAuthorization.AUTH_ADMIN);
        assertThat(first.implicit(false, false)).isEqualTo(ImplicitAuthorization.AUTH_ADMIN);
    }

    @Test
    void otherEncodingsAreReadToo() {
        String text = WHOLE.replace("UTF-8", "UTF-16");
        assertThat(ids(PolicyFileReader.parse(FILE, text.getBytes(UTF_16)))).hasSize(2);
    }

    @Test
    void ofATextAllIsKept() {
        Action action =
                only(
                        action(
                                "<description>Fish &amp; <![CDATA[<chips>]]>,\n"
                                        + " <!-- yes -->&#x263A;<?pi?> </description>"));
        assertThat(action.description().untranslated()).isEqualTo("Fish & <chips>,\n ☺ ");
    }

    @Test
    void theVendorOfAFileIsThatOfActionsWithoutOne() {
        Action action =
                parse(
                                "<policyconfig><vendor>V</vendor><action id='a'><vendor></vendor>"
                                        + "</action></policyconfig>")
                        .actions()
                        .getFirst();
        assertThat(action.vendor()).isEqualTo("V");
    }

    @Test
    void unknownElementsAreSkippedWithAllInThem() {
        PolicyFile file =
                action(
                        "<new>x<defaults><allow_any>yes</allow_any></defaults><action id='in'/>"
                                + "</new><description>a<b>c</b>d</description>");
        assertThat(ids(file)).containsExactly("before", "a", "behind");
        assertThat(file.actions().get(1).any()).isEqualTo(ImplicitAuthorization.NO);
        assertThat(file.actions().get(1).description().untranslated()).isEqualTo("ad");
        assertThat(file.problems())
                .map(Problem::toString)
                .containsExactly(
                        "/x/a.policy:2: <new> is not valid here: skipped",
                        "/x/a.policy:2: <b> is not valid here: skipped");
    }

    @Test
    void aFileOfAnotherKindDeclaresNothing() {
        PolicyFile file = parse("<busconfig><action id='a'/></busconfig>");
        assertThat(file.actions()).isEmpty();
        assertThat(file.problems()).hasSize(1);
    }

    @Test
    void prefixesHaveNoMeaning() {
        PolicyFile file =
                parse(
                        "<policyconfig xmlns='x'><p:action id='a'/><action id='b'><message"
                                + " p:xml='y' lang='de'>m</message></action></policyconfig>");
        assertThat(ids(file)).containsExactly("b");
        assertThat(file.actions().getFirst().message()).isEqualTo(LocalizedText.of("m"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "<defaults><allow_any>maybe</allow_any></defaults>",
                "<defaults><allow_any> yes</allow_any></defaults>",
                "<defaults><allow_active>Yes</allow_active></defaults>",
                "<defaults><allow_inactive>\nyes\n</allow_inactive></defaults>",
                "<icon_name>a.png</icon_name>",
                "<icon_name>b.jpg</icon_name>",
                "<icon_name>/usr/c</icon_name>",
                "<annotate>x</annotate>",
                "<annotate key='a' also='b'>x</annotate>",
                "<description>&unknown;</description>",
                "<annotate key='&unknown;'>x</annotate>",
                "<description>",
                "</description>",
                "<a b='1' b='2'/>",
                "\0",
                "&#0;",
                "<!DOCTYPE a>",
            })
    void anErrorEndsItsFileButWhatStandsBeforeItHolds(String inside) {
        PolicyFile file = action(inside);
        assertThat(ids(file)).containsExactly("before");
        assertThat(file.problems()).hasSize(1);
        assertThat(file.problems().getFirst().place().file()).isEqualTo(FILE);
        assertThat(file.problems().getFirst().place().line()).isPositive();
        assertThat(file.problems().getFirst().reason())
                .endsWith("; the rest of the file is ignored")
                .doesNotContain("\n");
    }

    @Test
    void theLineOfAnErrorIsTold() {
        PolicyFile file = action("\n\n<defaults>\n<allow_any>maybe</allow_any></defaults>");
        assertThat(file.problems())
                .map(Problem::toString)
                .containsExactly(
                        "/x/a.policy:5: \"maybe\" is not one of no, yes, auth_self, auth_self_keep,"
                                + " auth_admin and auth_admin_keep; the rest of the file is"
                                + " ignored");
    }

    @ParameterizedTest
    @CsvSource({"<action/>", "<action id='a' more='b'/>", "<action name='a'/>"})
    void anActionNeedsItsIdAlone(String action) {
        PolicyFile file = parse("<policyconfig><action id='x'/>" + action + "</policyconfig>");
        assertThat(ids(file)).containsExactly("x");
        assertThat(file.problems()).hasSize(1);
    }

    @Test
    void anEmptyDefaultIsNo() {
        Action action = only(action("<defaults><allow_active></allow_active></defaults>"));
        assertThat(action.active()).isEqualTo(ImplicitAuthorization.NO);
    }

    @Test
    void anOwnerThatIsNoIdentityOwnsNothingAndIsTold() {
        PolicyFile file =
                action(
                        "<annotate key='org.freedesktop.policykit.owner'>ada unix-user:bob"
                                + "</annotate>");
        assertThat(file.actions().get(1).owners()).containsExactly(new Identity.User("bob"));
        assertThat(file.problems())
                .map(Problem::reason)
                .containsExactly("org.freedesktop.policykit.owner: not an identity: \"ada\"");
    }

    @Test
    void onlyIdsBetweenSpacesOnTheLastLineAreImplied() {
        String imply = "<annotate key='org.freedesktop.policykit.imply'>%s</annotate>";
        assertThat(only(action(imply.formatted("a  b c"))).implied())
                .containsExactly("a", "b", "c");
        assertThat(only(action(imply.formatted("a\tb c\td e"))).implied())
                .containsExactly("a\tb", "c\td", "e");
        assertThat(only(action(imply.formatted("a b\n\t\tc d\n\te f"))).implied())
                .containsExactly("\te", "f");
        assertThat(only(action(imply.formatted("\n\t\t\torg.a\n\t\t\torg.b\n\t\t"))).implied())
                .as("like realmd's")
                .containsExactly("\t\t");
    }

    @Test
    void noExternalEntityIsRead() throws IOException {
        Path secret = folder.resolve("secret");
        Files.writeString(secret, "SECRET");
        for (String reference : List.of("&e;", "%e;", "")) {
            PolicyFile file =
                    parse(
                            """
                            <!DOCTYPE policyconfig SYSTEM "%s" [
                              <!ENTITY e SYSTEM "%s"> <!ENTITY %% p SYSTEM "%s"> %%p; ]>
                            <policyconfig><action id="a"><message>m%s</message></action></policyconfig>
                            """
                                    .formatted(
                                            secret.toUri(),
                                            secret.toUri(),
                                            secret.toUri(),
                                            reference));
            assertThat(file.toString()).doesNotContain("SECRET");
        }
    }

    @Test
    void noEntityGrows() {
        StringBuilder bomb = new StringBuilder("<!DOCTYPE policyconfig [<!ENTITY l0 \"lol\">");
        for (int i = 1; i < 30; i++) {
            bomb.append("<!ENTITY l%d \"%s\">".formatted(i, ("&l" + (i - 1) + ";").repeat(10)));
        }
        bomb.append("]><policyconfig><action id='a'/><action id='b'><message>&l29;</message>");
        PolicyFile file = parse(bomb + "</action></policyconfig>");
        assertThat(ids(file)).containsExactly("a");
        assertThat(file.problems()).hasSize(1);
    }

    @Test
    void elementsStandInEachOtherUpToALimit() {
        int inside = PolicyFileReader.MAX_DEPTH - 2;
        assertThat(ids(action("<d>".repeat(inside) + "</d>".repeat(inside))))
                .containsExactly("before", "a", "behind");
        PolicyFile deeper = action("<d>".repeat(inside + 1) + "</d>".repeat(inside + 1));
        assertThat(ids(deeper)).containsExactly("before");
        assertThat(deeper.problems().getLast().reason()).startsWith("more than 32 elements");
        assertThat(ids(action("<d>".repeat(200_000)))).containsExactly("before");
    }

    @Test
    void aFileMayBeAsLargeAsItsLimit() throws IOException {
        byte[] text = WHOLE.getBytes(UTF_8);
        byte[] largest = Arrays.copyOf(text, PolicyFileReader.MAX_FILE_SIZE);
        Arrays.fill(largest, text.length, largest.length, (byte) '\n');
        Path file = folder.resolve("a.policy");
        Files.write(file, largest);
        assertThat(PolicyFileReader.read(file).actions()).hasSize(2);
        assertThat(PolicyFileReader.read(file).problems()).isEmpty();
        Files.write(file, Arrays.copyOf(largest, largest.length + 1));
        PolicyFile tooLarge = PolicyFileReader.read(file);
        assertThat(tooLarge.actions()).isEmpty();
        assertThat(tooLarge.problems())
                .map(Problem::toString)
                .containsExactly(file + ": has more than 1048576 bytes");
    }

    @Test
    void aFileOfAsManyProblemsTellsTheFirst() {
        PolicyFile file = action("<x/>".repeat(1000));
        assertThat(file.problems()).hasSize(PolicyFileReader.MAX_PROBLEMS);
        assertThat(ids(file)).containsExactly("before", "a", "behind");
    }

    @Test
    void whatIsNoFileIsNotOpened() throws Exception {
        Path pipe = folder.resolve("a.policy");
        try (var child = Spawn.of("mkfifo", pipe.toString()).start()) {
            assertThat(child.await().isSuccess()).isTrue();
        }
        assertThat(PolicyFileReader.read(pipe).problems())
                .map(Problem::reason)
                .containsExactly("is a FIFO, not a regular file (EINVAL)");
        Path nowhere = Files.createSymbolicLink(folder.resolve("b.policy"), Path.of("gone"));
        assertThat(PolicyFileReader.read(nowhere).problems())
                .map(Problem::reason)
                .containsExactly("no such file or directory (ENOENT)");
        assertThat(PolicyFileReader.read(Path.of("/dev/null")).actions()).isEmpty();
        assertThat(PolicyFileReader.read(folder).problems()).hasSize(1);
    }
}
