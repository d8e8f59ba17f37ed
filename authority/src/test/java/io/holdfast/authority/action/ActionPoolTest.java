package io.holdfast.authority.action;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class ActionPoolTest {
    @TempDir private Path top;
    private Path first;
    private Path second;

    @BeforeEach
    void makeFolders() throws IOException {
        first = Files.createDirectory(top.resolve("zz-first"));
        second = Files.createDirectory(top.resolve("aa-second"));
    }

    private ActionPool pool() {
        return ActionPool.read(List.of(first, top.resolve("missing"), second));
    }

    /** Writes a file with one action, whose defaults are all this one. */
    static void write(Path file, String id, String answer) throws IOException {
        Files.writeString(file, policy(id, answer, ""));
    }

    private static String policy(String id, String answer, String more) {
        return """
        <policyconfig>
          <action id="%s"><defaults><allow_any>%s</allow_any></defaults>%s</action>
        </policyconfig>
        """
                .formatted(id, answer, more);
    }

    private static ImplicitAuthorization answer(ActionPool pool, String id) {
        return pool.action(id).orElseThrow().any();
    }

    @Test
    void whatIsMoreThanAllFilesMayHaveIsNotReadAndNamed() throws IOException {
        String padding = "<!--" + "x".repeat(900_000) + "-->";
        for (int i = 0; i < 6; i++) {
            Path _ =
                    Files.writeString(
                            first.resolve(i + ".policy"), policy("org.a" + i, "yes", padding));
        }
        assertThat(pool().actions())
                .map(Action::id)
                .containsExactly("org.a0", "org.a1", "org.a2", "org.a3");
        assertThat(pool().problems())
                .singleElement()
                .asString()
                .contains("4.policy")
                .contains("io.holdfast.authority.policyBytes");
    }

    @Test
    void actionsAreInTheOrderOfFoldersAndNames() throws IOException {
        write(second.resolve("a.policy"), "org.a", "yes");
        write(first.resolve("c.policy"), "org.c", "yes");
        write(first.resolve("b.policy"), "org.b", "yes");
        write(first.resolve(".hidden.policy"), "org.hidden", "yes");
        write(first.resolve("no.policy.bak"), "org.no", "yes");
        assertThat(pool().actions())
                .map(Action::id)
                .containsExactly("org.hidden", "org.b", "org.c", "org.a");
        assertThat(pool().problems()).isEmpty();
        assertThat(pool().action("org.no")).isEmpty();
    }

    @Test
    void aFileHidesThoseOfItsNameInLaterFolders() throws IOException {
        write(first.resolve("a.policy"), "org.a", "no");
        write(second.resolve("a.policy"), "org.a", "yes");
        assertThat(answer(pool(), "org.a")).isEqualTo(ImplicitAuthorization.NO);
        Files.writeString(first.resolve("a.policy"), "");
        assertThat(pool().action("org.a")).isEmpty();
        assertThat(pool().problems()).hasSize(1);
        Files.delete(first.resolve("a.policy"));
        Files.createSymbolicLink(first.resolve("a.policy"), Path.of("/dev/null"));
        assertThat(pool().action("org.a")).isEmpty();
        Files.delete(first.resolve("a.policy"));
        assertThat(answer(pool(), "org.a")).isEqualTo(ImplicitAuthorization.YES);
    }

    @Test
    void ofAnActionThatIsDeclaredTwiceTheLaterPathCounts() throws IOException {
        write(first.resolve("a.policy"), "org.a", "yes");
        write(first.resolve("b.policy"), "org.a", "auth_self");
        assertThat(answer(pool(), "org.a")).isEqualTo(ImplicitAuthorization.AUTH_SELF);
        write(second.resolve("0.policy"), "org.a", "auth_admin");
        assertThat(answer(pool(), "org.a")).isEqualTo(ImplicitAuthorization.AUTH_ADMIN);
        assertThat(pool().actions()).hasSize(1);
        assertThat(pool().action("org.a").orElseThrow().place())
                .isEqualTo(new SourceLine(second.resolve("0.policy"), 2));
    }

    @Test
    void aBrokenFileHarmsOnlyItself() throws IOException {
        write(first.resolve("a.policy"), "org.a", "yes");
        Files.writeString(
                first.resolve("b.policy"),
                "<policyconfig><action id='org.b'/><action id='org.bad'><x");
        write(first.resolve("c.policy"), "org.c", "yes");
        assertThat(pool().actions()).map(Action::id).containsExactly("org.a", "org.b", "org.c");
        assertThat(pool().problems())
                .singleElement()
                .extracting(problem -> problem.place().file())
                .isEqualTo(first.resolve("b.policy"));
    }

    @Test
    void whoImpliesAnActionIsKnown() throws IOException {
        String imply = "<annotate key='" + Action.IMPLY + "'>%s</annotate>";
        Files.writeString(
                first.resolve("a.policy"),
                policy("org.a", "yes", imply.formatted("org.c org.c org.d")));
        Files.writeString(
                first.resolve("b.policy"), policy("org.b", "yes", imply.formatted("org.c")));
        assertThat(pool().implying("org.c")).map(Action::id).containsExactly("org.a", "org.b");
        assertThat(pool().implying("org.d")).map(Action::id).containsExactly("org.a");
        assertThat(pool().implying("org.a")).isEmpty();
    }

    @Test
    void aFolderThatIsAFileIsAProblem() throws IOException {
        Files.delete(second);
        Files.createFile(second);
        write(first.resolve("a.policy"), "org.a", "yes");
        assertThat(pool().actions()).hasSize(1);
        assertThat(pool().problems())
                .singleElement()
                .extracting(Problem::place)
                .isEqualTo(new SourceLine(second, 0));
    }

    @Test
    void ofAFolderSoManyFilesCount() throws IOException {
        for (int i = 0; i <= ActionPool.MAX_FILES; i++) {
            write(first.resolve("%05d.policy".formatted(i)), "org.a" + i, "yes");
        }
        assertThat(pool().actions()).hasSize(ActionPool.MAX_FILES);
        assertThat(pool().problems())
                .singleElement()
                .asString()
                .contains("04096.policy and all later");
        Files.delete(first.resolve("00000.policy"));
        assertThat(pool().actions()).hasSize(ActionPool.MAX_FILES);
        assertThat(pool().problems()).isEmpty();
    }

    @Test
    void poolsThatSayTheSameAreEqual() throws IOException {
        write(first.resolve("a.policy"), "org.a", "yes");
        ActionPool before = pool();
        assertThat(before).isEqualTo(pool()).hasSameHashCodeAs(pool());
        write(first.resolve("a.policy"), "org.a", "no");
        assertThat(before).isNotEqualTo(pool()).isNotEqualTo(ActionPool.EMPTY);
        assertThat(answer(before, "org.a")).isEqualTo(ImplicitAuthorization.YES);
    }

    @Test
    void theFilesOfThisMachineAreRead() {
        Path installed = Path.of("/usr/share/polkit-1/actions");
        assumeThat(installed).isDirectory();
        ActionPool pool = ActionPool.read(ActionFolders.STANDARD);
        assertThat(pool.problems()) // some machine images have emptied files
                .allSatisfy(problem -> assertThat(problem.place().file()).isEmptyFile());
        assertThat(pool.actions())
                .isNotEmpty()
                .allSatisfy(action -> {
                    assertThat(action.description().untranslated()).isNotBlank();
                    assertThat(action.message().untranslated()).isNotBlank();
                });
    }
}
