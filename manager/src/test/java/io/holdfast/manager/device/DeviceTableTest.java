package io.holdfast.manager.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.EventLoop;
import io.holdfast.manager.loop.Workers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests the table of the devices that units mean. */
@Timeout(60)
class DeviceTableTest {
    private static final String PATH = "/dev/null";

    @TempDir private Path root;
    private final EventLoop loop = EventLoop.open();
    private final List<String> said = new ArrayList<>();
    private final Workers workers = new Workers(loop, said::add);

    @AfterEach
    void close() {
        workers.close();
        loop.close();
    }

    private void read(DeviceTable table) {
        AtomicBoolean done = new AtomicBoolean();
        table.watch.refresh(() -> done.set(true));
        while (!done.get()) {
            int _ = loop.step(Duration.ofMillis(20));
        }
    }

    @Test
    void aDeviceStaysAsItWasWhileNothingIsKnownOfIt() throws Exception {
        DeviceTable table =
                new DeviceTable(
                        new UdevDatabase(root), loop, workers.ownLane("devices"), said::add);
        Path node = Files.createDirectory(root.resolve("dev")).resolve("null");
        Files.createSymbolicLink(node, Path.of("/dev/null"));
        table.add(PATH, () -> {});
        read(table);
        assertThat(table.at(PATH)).isPresent();
        Files.delete(node);
        Files.createSymbolicLink(node, node);
        read(table);
        read(table);
        assertThat(table.at(PATH)).isPresent();
        assertThat(said).singleElement().asString().contains("cannot find out whether /dev/null");
        Files.delete(node);
        read(table);
        assertThat(table.at(PATH)).isEmpty();
    }

    @Test
    void aPathThatNoFileCanHaveDoesNotHideTheOtherDevices() throws Exception {
        DeviceTable table =
                new DeviceTable(
                        new UdevDatabase(root), loop, workers.ownLane("devices"), said::add);
        Path folder = Files.createDirectory(root.resolve("dev"));
        Files.createSymbolicLink(folder.resolve("null"), Path.of("/dev/null"));
        table.add("/dev/a\0b", () -> {});
        table.add(PATH, () -> {});
        read(table);
        assertThat(table.at(PATH)).isPresent();
    }
}
