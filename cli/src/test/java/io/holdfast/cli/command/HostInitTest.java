package io.holdfast.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostInitTest {
    @TempDir private Path folder;

    private boolean isSystemd(String name) throws IOException {
        return HostInit.isSystemd(folder, Files.writeString(folder.resolve("comm"), name + "\n"));
    }

    @Test
    void systemdHasItsFolderAndItsName() throws IOException {
        assertThat(isSystemd("systemd")).isTrue();
    }

    /**
     * As the init of a container Holdfast's keeper, a shell, is PID 1, and the folder exists, too.
     */
    @Test
    void anotherInitWithThatFolderIsNotSystemd() throws IOException {
        assertThat(isSystemd("sh")).isFalse();
    }

    @Test
    void withoutTheFolderItIsNotSystemd() throws IOException {
        Path name = Files.writeString(folder.resolve("comm"), "systemd\n");
        assertThat(HostInit.isSystemd(folder.resolve("absent"), name)).isFalse();
    }

    @Test
    void theFolderDecidesIfPid1IsHidden() {
        assertThat(HostInit.isSystemd(folder, folder.resolve("hidden"))).isTrue();
    }
}
