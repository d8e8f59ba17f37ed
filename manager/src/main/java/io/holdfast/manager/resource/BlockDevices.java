package io.holdfast.manager.resource;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.manager.unit.resource.ResourceDirective;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/** Finds the block devices of paths in this machine's files. Blocking. */
record BlockDevices(Consumer<String> problems) implements AttributeList.DeviceNumbers {
    private static final int S_IFBLK = 0x6000;

    /**
     * Returns the device of a node, or else of the file system of a file; of a partition its disk.
     */
    @Override
    public Optional<String> of(ResourceDirective directive, String path) {
        try (Fd file = Fcntl.open(path, Fcntl.O_PATH)) {
            FileStatus status = SysStat.stat(file);
            long device = status.type() == S_IFBLK ? status.special() : status.device();
            if (device >>> 32 == 0) { // the major number
                problems.accept(directive.key() + "=" + path + ": it is on no block device");
                return Optional.empty();
            }
            return Optional.of(disk((device >>> 32) + ":" + (device & 0xFFFF_FFFFL)));
        } catch (ErrnoException e) {
            problems.accept(directive.key() + "=" + path + ": " + e.getMessage());
            return Optional.empty();
        }
    }

    private static String disk(String numbers) {
        Path device = Path.of("/sys/dev/block", numbers);
        try {
            return Files.exists(device.resolve("partition"))
                    ? Files.readString(device.toRealPath().resolve("../dev")).strip()
                    : numbers;
        } catch (IOException e) {
            return numbers;
        }
    }
}
