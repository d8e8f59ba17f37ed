package io.holdfast.core.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class SubordinateUidsTest {
    @TempDir private Path folder;

    private SubordinateUids read(String ranges) throws Exception {
        Path subuid = Files.writeString(folder.resolve("subuid"), ranges);
        Path passwd =
                Files.writeString(
                        folder.resolve("passwd"),
                        """
                        root:x:0:0:root:/root:/bin/sh
                        ada:x:1000:1000::/home/ada:/bin/sh
                        malformed
                        bob:x:1001:1001::/home/bob:/bin/sh
                        """);
        return SubordinateUids.of(subuid, passwd);
    }

    @Test
    void theRangesOfAUserBelongToTheUser() throws Exception {
        SubordinateUids uids =
                read("ada:100000:65536\nbob:165536:65536\n1002:231072:10\nada:300000:10\n");

        assertThat(uids.ownerOf(99_999)).isEqualTo(99_999);
        assertThat(uids.ownerOf(100_000)).isEqualTo(1000);
        assertThat(uids.ownerOf(165_535)).isEqualTo(1000);
        assertThat(uids.ownerOf(165_536)).isEqualTo(1001);
        assertThat(uids.ownerOf(231_081)).isEqualTo(1002);
        assertThat(uids.ownerOf(231_082)).isEqualTo(231_082);
        assertThat(uids.ownerOf(300_009)).isEqualTo(1000);
        assertThat(uids.ownerOf(0)).isZero();
    }

    @Test
    void aContainerOfRootIsNotRoot() throws Exception {
        SubordinateUids uids =
                read("root:100000:10\nroot:200000:10\n0:300000:10\nldap.user:400000:10\n");

        assertThat(uids.ownerOf(100_005)).isEqualTo(100_000);
        assertThat(uids.ownerOf(200_005)).isEqualTo(100_000);
        assertThat(uids.ownerOf(300_005)).isEqualTo(300_000);
        assertThat(uids.ownerOf(400_005)).isEqualTo(400_000);
    }

    @Test
    void malformedLinesAndMissingFilesHaveNoRanges() throws Exception {
        SubordinateUids uids = read("ada\nada:1\nada:x:9\n:1:2\n\nbob:5000:99999999999999999999\n");
        assertThat(uids.ownerOf(5_000)).isEqualTo(5_000);

        Path missing = folder.resolve("missing");
        assertThat(SubordinateUids.of(missing, missing).ownerOf(7)).isEqualTo(7);
        assertThat(SubordinateUids.none().ownerOf(7)).isEqualTo(7);
    }
}
