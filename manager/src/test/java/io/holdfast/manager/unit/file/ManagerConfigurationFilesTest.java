package io.holdfast.manager.unit.file;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.manager.unit.ManagerScope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ManagerConfigurationFilesTest {
    @TempDir private Path folder;

    private void write(String name) throws IOException {
        Path file = folder.resolve(name);
        Path _ = Files.createDirectories(file.getParent());
        Files.writeString(file, "[Manager]\n");
    }

    private List<String> read() {
        return new ManagerConfigurationFiles(
                        "system.conf", List.of(folder.resolve("etc"), folder.resolve("usr")))
                .read().stream()
                        .map(file -> folder.relativize(Path.of(file.source())).toString())
                        .toList();
    }

    @Test
    void theFirstFileIsFollowedByTheDropInsOfAllFoldersByName() throws Exception {
        assertThat(read()).isEmpty();
        write("usr/system.conf");
        write("usr/system.conf.d/10-b.conf");
        write("etc/system.conf.d/20-a.conf");
        write("etc/system.conf.d/readme");
        assertThat(read())
                .containsExactly(
                        "usr/system.conf",
                        "usr/system.conf.d/10-b.conf",
                        "etc/system.conf.d/20-a.conf");
        write("etc/system.conf");
        assertThat(read()).startsWith("etc/system.conf").doesNotContain("usr/system.conf");
    }

    @Test
    void aDropInHidesOneOfItsNameAndALinkToDevNullDoesSoWithoutContents() throws Exception {
        write("usr/system.conf.d/a.conf");
        write("usr/system.conf.d/b.conf");
        write("etc/system.conf.d/a.conf");
        Path link = folder.resolve("etc/system.conf.d/b.conf");
        Path _ = Files.createSymbolicLink(link, Path.of("/dev/null"));
        assertThat(read()).containsExactly("etc/system.conf.d/a.conf");
        Files.delete(link);
    }

    @Test
    void aUsersOwnFolderComesFirst() {
        ManagerScope scope = ManagerScope.user(Map.of("XDG_CONFIG_HOME", "/home/a/.config"));
        ManagerConfigurationFiles files = ManagerConfigurationFiles.user(scope);
        assertThat(files.name()).isEqualTo("user.conf");
        assertThat(files.folders())
                .startsWith(Path.of("/home/a/.config/systemd"), Path.of("/etc/systemd"));
        assertThat(ManagerConfigurationFiles.system().folders())
                .startsWith(Path.of("/etc/systemd"), Path.of("/run/systemd"));
    }
}
