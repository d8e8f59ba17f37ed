package io.holdfast.core.state;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class StateFolderTest {
    @TempDir private Path folder;
    private StateFolder states;

    @BeforeEach
    void open() {
        try (TrustedFolder runtime = TrustedFolder.make(folder.resolve("run"))) {
            states = StateFolder.open(runtime);
        }
    }

    @AfterEach
    void close() {
        states.close();
    }

    private Path file(String name) {
        return folder.resolve("run/state").resolve(name);
    }

    private Map<String, String> refused() {
        Map<String, String> refused = new TreeMap<>();
        states.read(refused::put);
        return refused;
    }

    static Stream<Gen> generators() {
        return Gen.cases(50);
    }

    @ParameterizedTest
    @MethodSource("generators")
    void whatIsWrittenIsRead(Gen gen) {
        Fields fields = new Fields();
        Map<String, String> model = new TreeMap<>();
        for (int i = gen.between(0, 6); i > 0; i--) {
            String value = gen.string("ab \\\n\0\r\t=ä\u2028", 30);
            fields.put("field-" + i, value);
            model.put("field-" + i, value);
        }
        states.write("x.service", fields);
        Fields read = requireNonNull(states.read((name, why) -> {}).get("x.service"));
        model.forEach((name, value) -> assertThat(read.text(name)).isEqualTo(value));
    }

    @Test
    void aFileIsReplacedAsAWhole() {
        states.write("x.service", new Fields().put("state", "RUNNING").put("restarts", 3));
        states.write("x.service", new Fields().put("state", "DEAD"));
        states.write("y.service", new Fields());
        Map<String, Fields> all = states.read((name, why) -> {});
        assertThat(all).containsOnlyKeys("x.service", "y.service");
        Fields x = requireNonNull(all.get("x.service"));
        assertThat(x.text("state")).isEqualTo("DEAD");
        assertThat(x.number("restarts")).isZero();
        states.remove("x.service");
        states.remove("x.service");
        assertThat(states.read((name, why) -> {})).containsOnlyKeys("y.service");
        StateFolder.remove(folder.resolve("run"));
        StateFolder.remove(folder.resolve("run"));
        assertThat(file("")).doesNotExist();
    }

    @Test
    void whatDoesNotCountIsRefusedByItsName() throws Exception {
        states.write("good.service", new Fields().put("state", "DEAD"));
        String good = Files.readString(file("good.service"));
        Files.writeString(file("cut.service"), good.substring(0, good.length() - 2));
        Files.writeString(file("empty.service"), "");
        Files.writeString(
                file("newer.service"), good.replace("holdfast-state 1", "holdfast-state 9"));
        Files.writeString(
                file("boot.service"), good.replaceFirst("boot [^\n]+", "boot of another time"));
        Files.writeString(
                file("container.service"), good.replaceFirst("init [^\n]+", "init 1:99999999"));
        Files.writeString(file("junk.service"), "\0\1\2 \n\nend\n");
        Files.createDirectory(file("folder.service"));
        Files.createSymbolicLink(file("link.service"), file("good.service"));
        Files.writeString(file(".new"), good);
        assertThat(refused())
                .hasEntrySatisfying("cut.service", why -> assertThat(why).contains("cut off"))
                .hasEntrySatisfying("empty.service", why -> assertThat(why).contains("cut off"))
                .hasEntrySatisfying("newer.service", why -> assertThat(why).contains("version 9"))
                .hasEntrySatisfying("boot.service", why -> assertThat(why).contains("another boot"))
                .hasEntrySatisfying(
                        "container.service",
                        why -> assertThat(why).contains("a container that has ended"))
                .containsOnlyKeys(
                        "container.service",
                        "cut.service",
                        "empty.service",
                        "newer.service",
                        "boot.service",
                        "junk.service",
                        "folder.service",
                        "link.service");
        assertThat(states.read((name, why) -> {})).containsOnlyKeys("good.service");
    }

    @Test
    @Needs(root = true)
    void aFileOfAnotherWriterIsRefused() throws Exception {
        states.write("x.service", new Fields());
        Files.setAttribute(file("x.service"), "unix:uid", 65534);
        assertThat(refused()).containsEntry("x.service", "user 65534 wrote it");
    }

    @Test
    void linesThatAreNoneAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> Fields.parse("no-value\n"));
        assertThatIllegalArgumentException().isThrownBy(() -> Fields.parse("a \\x\n"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Fields.parse("n x\n").number("n"))
                .withMessageContaining("n is not a number: x");
        assertThat(new Fields().put("a", "x\ny\\n\0").toString()).isEqualTo("a x\\ny\\\\n\\0\n");
    }
}
