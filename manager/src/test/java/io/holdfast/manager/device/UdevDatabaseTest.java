package io.holdfast.manager.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.sys.KernelPath;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Devices in a tree of its own with the node of /dev/null, and udev's files about it. */
class UdevDatabaseTest {
    @TempDir private Path root;
    private UdevDatabase database;

    @BeforeEach
    void make() throws Exception {
        root = root.toRealPath();
        database = new UdevDatabase(root);
        write("dev/plain", "");
        Files.createSymbolicLink(root.resolve("dev/null"), Path.of("/dev/null"));
        Path folder = root.resolve("sys/devices/virtual/mem/null");
        write("sys/devices/virtual/mem/null/uevent", "");
        write("sys/devices/virtual/mem/null/dev", "1:3\n");
        write("sys/class/mem/uevent", "");
        Files.createSymbolicLink(folder.resolve("subsystem"), root.resolve("sys/class/mem"));
        Files.createDirectories(root.resolve("sys/dev/char"));
        Files.createSymbolicLink(root.resolve("sys/dev/char/1:3"), folder);
        write("sys/devices/pci/net/eth0/uevent", "");
        write("sys/devices/pci/net/eth0/ifindex", "7\n");
        Files.createDirectories(root.resolve("sys/class/net"));
        Path card = root.resolve("sys/devices/pci/net/eth0");
        Files.createSymbolicLink(card.resolve("subsystem"), root.resolve("sys/class/net"));
        Files.createSymbolicLink(root.resolve("sys/class/net/eth0"), card);
    }

    private void write(String path, String text) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    @Test
    void withoutUdevANodeThatIsThereIsPlugged() throws Exception {
        assertThat(database.find("/dev/null"))
                .hasValueSatisfying(device ->
                        assertThat(device.path()).isEqualTo("/sys/devices/virtual/mem/null"));
        assertThat(database.find("/dev/nothing")).isEmpty();
        assertThat(database.find("/dev/plain")).as("a file").isEmpty();
    }

    @Test
    void udevDeclaresADeviceAsNotReady() throws Exception {
        write("run/udev/control", "");
        write(
                "run/udev/data/c1:3",
                "I:1\nE:SYSTEMD_READY=0\nE:SYSTEMD_WANTS=a.service b@.service\n");
        assertThat(database.find("/dev/null")).isEmpty();
        write(
                "run/udev/data/c1:3",
                "I:1\nE:SYSTEMD_READY=1\nE:SYSTEMD_WANTS=a.service b@.service\n");
        assertThat(database.find("/dev/null"))
                .hasValueSatisfying(device ->
                        assertThat(device.words("SYSTEMD_WANTS"))
                                .containsExactly("a.service", "b@.service"));
    }

    @Test
    void aFolderOfSysfsIsADevice() throws Exception {
        write("run/udev/data/n7", "E:SYSTEMD_WANTS=net.service\n");
        assertThat(database.find("/sys/devices/pci/net/eth0"))
                .hasValueSatisfying(device ->
                        assertThat(device.words("SYSTEMD_WANTS")).containsExactly("net.service"));
        assertThat(database.find("/sys/subsystem/net/devices/eth0"))
                .hasValueSatisfying(
                        device -> assertThat(device.path()).isEqualTo("/sys/devices/pci/net/eth0"));
        assertThat(database.find("/sys/subsystem/net/devices/eth1")).isEmpty();
    }

    @Test
    void anAliasOfUdevIsADevice() throws Exception {
        write("run/udev/tags/systemd/c1:3", "");
        write("run/udev/data/c1:3", "E:SYSTEMD_ALIAS=/dev/other /sys/other\n");
        assertThat(database.find("/dev/other")).isPresent();
        assertThat(database.find("/sys/other")).isPresent();
        assertThat(database.find("/dev/another")).isEmpty();
    }

    @Test
    void aNodeInAFolderThatOthersMayWriteIsNotLookedAt() throws Exception {
        Path folder = Files.createDirectory(root.resolve("dev/shm"));
        Files.createSymbolicLink(folder.resolve("null"), Path.of("/dev/null"));
        assertThat(database.find("/dev/shm/null")).isPresent();
        Files.setAttribute(folder, "unix:mode", 01777);
        assertThat(database.find("/dev/shm/null")).isEmpty();
        assertThat(database.find("/dev/null/null")).isEmpty();
    }

    @Test
    void aFileThatCannotBeReadDoesNotUnplugADevice() throws Exception {
        Files.createSymbolicLink(root.resolve("dev/loop"), Path.of("loop"));
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> database.find("/dev/loop"));
        write("run/udev/data/c1:3/folder", "");
        assertThat(database.find("/dev/null")).isPresent();
    }

    @Test
    void brokenFilesMeanNothing() throws Exception {
        write("run/udev/data/c1:3", "E:\nE\n=\nE:=x\nE:A\n\u0000");
        assertThat(database.find("/dev/null"))
                .hasValueSatisfying(device -> assertThat(device.isReady()).isTrue());
    }

    @Test
    void aPathIsFoundByItsBytesWhateverTheirCharacters() throws Exception {
        for (String name : List.of("\u00fc", "\udcff")) { // the second is a byte 0xFF
            Path link = root.resolve("dev").resolve(KernelPath.of(name));
            Files.createSymbolicLink(link, Path.of("/dev/null"));
            assertThat(database.find("/dev/" + name)).isPresent();
            assertThat(database.find("/sys/subsystem/" + name + "/devices/" + name)).isEmpty();
        }
    }

    @Test
    void anAliasMayHaveOtherCharactersThanThoseOfAscii() throws Exception {
        write("run/udev/tags/systemd/c1:3", "");
        write("run/udev/data/c1:3", "E:SYSTEMD_ALIAS=/dev/\u00fc\n");
        assertThat(database.find("/dev/\u00fc")).isPresent();
    }
}
