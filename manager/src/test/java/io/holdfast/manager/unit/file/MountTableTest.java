package io.holdfast.manager.unit.file;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.manager.unit.file.MountTable.Mounted;
import org.junit.jupiter.api.Test;

/** Tests the parsing of the kernel's mount table. */
class MountTableTest {
    private static final String TEXT =
            """
            22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
            36 22 0:33 /sub /srv/two\\040words rw - btrfs /dev/sdb rw
            37 22 0:34 / /a\\134b rw - tmpfs tmpfs rw
            broken
            38 22 0:35 / /b rw shared:2 master:1 - tmpfs
            """;

    @Test
    void escapedPathsAreReadAsTheyAre() {
        assertThat(MountTable.parse(TEXT).mounts())
                .containsOnlyKeys("/", "/srv/two words", "/a\\b");
    }

    @Test
    void theOptionsOfTheMountAndOfTheFileSystemAreRead() {
        assertThat(MountTable.parse(TEXT).at("/"))
                .contains(new Mounted("/dev/sda1", "ext4", "rw,relatime,rw,errors=remount-ro"));
    }

    @Test
    void theUpperOneOfTwoMountsOnOnePointIsSeen() {
        String upper = "39 22 0:36 / / ro - overlay overlay ro\n";
        assertThat(MountTable.parse(TEXT + upper).at("/"))
                .contains(new Mounted("overlay", "overlay", "ro,ro"));
    }

    @Test
    void anAutomountPointIsNotMounted() {
        String point = "40 22 0:37 / /auto rw - autofs systemd-1 rw,fd=5,direct\n";
        assertThat(MountTable.parse(TEXT + point).at("/auto")).isEmpty();
        assertThat(
                        MountTable.parse(TEXT + point + "41 40 0:38 / /auto rw - tmpfs none rw\n")
                                .at("/auto"))
                .isPresent();
    }

    @Test
    void anAutomountPointIsAmongAllPoints() {
        String point = "40 22 0:37 / /auto rw - autofs systemd-1 rw,fd=5,direct\n";
        assertThat(MountTable.points(TEXT + point))
                .containsExactlyInAnyOrder("/", "/srv/two words", "/a\\b", "/auto");
        assertThat(MountTable.points()).contains("/");
    }

    @Test
    void theRootIsMounted() {
        assertThat(MountTable.read().mounts()).containsKey("/");
    }

    @Test
    void automountPointsAreListedWithTheirSources() {
        String points =
                """
                40 1 0:37 / /auto rw - autofs one rw,fd=8
                41 40 0:38 / /auto rw - autofs two\\040words rw,fd=9
                """;
        assertThat(MountTable.automounts(TEXT + points, "/auto"))
                .containsExactly("one", "two words");
        assertThat(MountTable.automounts(TEXT + points, "/")).isEmpty();
    }
}
