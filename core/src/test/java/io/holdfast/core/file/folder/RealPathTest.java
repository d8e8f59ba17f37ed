package io.holdfast.core.file.folder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.file.FileException;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RealPathTest {
    @TempDir private Path top;

    @BeforeEach
    void make() throws IOException {
        top = top.toRealPath();
        Files.createDirectories(top.resolve("a/b"));
        Files.createFile(top.resolve("a/file"));
        Files.createSymbolicLink(top.resolve("link"), Path.of("a/"));
        Files.createSymbolicLink(top.resolve("a/up"), top);
        Files.createSymbolicLink(top.resolve("nowhere"), Path.of("missing"));
    }

    private String real(String path) throws FileException {
        return RealPath.of(top + path, _ -> false);
    }

    @Test
    void linksAreResolvedWhereverTheyAre() throws Exception {
        assertThat(RealPath.of("/", _ -> false)).isEqualTo("/");
        assertThat(real("/link//./b/")).isEqualTo(top + "/a/b");
        assertThat(real("/link/up/a/../link")).isEqualTo(top + "/a");
        assertThat(real("/link/file")).isEqualTo(top + "/a/file");
    }

    @Test
    void theLastNamesMayBeMissing() throws Exception {
        assertThat(real("/link/c/d/./")).isEqualTo(top + "/a/c/d");
        assertThat(real("/nowhere/c")).isEqualTo(top + "/missing/c");
        assertThatExceptionOfType(FileException.class).isThrownBy(() -> real("/c/.."));
        assertThatExceptionOfType(FileException.class)
                .isThrownBy(() -> RealPath.of("a", _ -> false));
    }

    @Test
    void theWalkEndsWhereItIsTold() throws Exception {
        String end = top + "/a";
        assertThat(RealPath.of(top + "/link/up/x", end::equals)).isEqualTo(top + "/a/up/x");
        assertThat(RealPath.of(top + "/link", end::equals)).isEqualTo(end);
    }

    @Test
    @Needs(root = true)
    void aLinkThatAUserMayReplaceIsRefused() throws Exception {
        Files.setAttribute(top.resolve("a"), "unix:uid", 1000);
        Files.setAttribute(top.resolve("a/up"), "unix:uid", 1000, LinkOption.NOFOLLOW_LINKS);
        assertThat(real("/link/b")).isEqualTo(top + "/a/b");
        assertThatExceptionOfType(FileException.class)
                .isThrownBy(() -> real("/link/up/a"))
                .withMessageContaining("the symbolic link \"" + top + "/a/up\"");
    }
}
