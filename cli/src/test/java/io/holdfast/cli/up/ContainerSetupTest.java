package io.holdfast.cli.up;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ContainerSetupTest {
    private static final String ID = "[0-9a-f]{32}\n";

    @TempDir private Path root;
    private final List<String> warnings = new ArrayList<>();

    @BeforeEach
    void layOutAnImage() throws IOException {
        for (String name : List.of("etc", "run", "var")) {
            Files.createDirectory(root.resolve(name));
        }
    }

    private void makeFiles() {
        new ContainerSetup(root, warnings::add).makeFiles();
    }

    private int mode(String path) throws IOException {
        return (Integer) Files.getAttribute(root.resolve(path), "unix:mode") & 07777;
    }

    @Test
    void whoeverMayWriteToATemporaryFolderMayNotRemoveTheFilesOfOthers() throws Exception {
        makeFiles();

        assertThat(mode("tmp")).isEqualTo(01777);
        assertThat(mode("var/tmp")).isEqualTo(01777);
        assertThat(mode("run/lock")).isEqualTo(01777);
        assertThat(mode("run/log")).isEqualTo(0755);
        assertThat(warnings).isEmpty();
    }

    @Test
    void foldersOfTheImageStayAsTheyAre() throws Exception {
        Files.setAttribute(Files.createDirectory(root.resolve("tmp")), "unix:mode", 0700);
        makeFiles();

        assertThat(mode("tmp")).isEqualTo(0700);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "\n", "uninitialized\n"})
    void aMachineIdOfAnImageIsReplaced(String before) throws Exception {
        Path file = Files.writeString(root.resolve("etc/machine-id"), before);
        makeFiles();

        assertThat(Files.readString(file)).matches(ID);
    }

    @Test
    void aMachineIdIsKept() throws Exception {
        makeFiles();
        String made = Files.readString(root.resolve("etc/machine-id"));
        makeFiles();

        assertThat(root.resolve("etc/machine-id")).content().isEqualTo(made).matches(ID);
    }

    @Test
    void eachPartThatCannotBeMadeIsReportedInPlainWords() throws Exception {
        Files.delete(root.resolve("etc"));
        Files.createFile(root.resolve("etc"));
        Files.delete(root.resolve("var"));
        makeFiles();

        assertThat(warnings)
                .hasSize(2)
                .noneMatch(line -> line.contains("Exception"))
                .anyMatch(line -> line.startsWith("cannot create " + root + "/var/tmp: "))
                .anyMatch(line -> line.contains(root + "/etc/machine-id: "));
    }
}
