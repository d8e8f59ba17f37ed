package io.holdfast.manager.unit.file;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Tests the parsing of the kernel's mount table. */
class MountedPathsTest {
    @Test
    void escapedPathsAreReadAsTheyAre() {
        assertThat(
                        MountedPaths.parse(
                                """
                                22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
                                36 22 0:33 /sub /srv/two\\040words rw - btrfs /dev/sdb rw
                                37 22 0:34 / /a\\134b rw - tmpfs tmpfs rw
                                broken
                                """))
                .containsExactlyInAnyOrder("/", "/srv/two words", "/a\\b");
    }

    @Test
    void theRootIsMounted() {
        assertThat(MountedPaths.read()).contains("/");
    }
}
