package io.holdfast.manager.unit.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Identifies one state of a file or folder: any change of its content sets the time of its last
 * change, which no program can set otherwise.
 *
 * @param changed the time of the last change of its content or attributes, in nanoseconds
 */
public record FileStamp(long device, long inode, long size, long changed) {
    /** Returns the stamp of a file, links followed; empty if there is none. */
    public static Optional<FileStamp> of(Path file) {
        try {
            Map<String, Object> now = Files.readAttributes(file, "unix:dev,ino,size,ctime");
            return Optional.of(
                    new FileStamp(
                            number(now, "dev"),
                            number(now, "ino"),
                            number(now, "size"),
                            nanoseconds((FileTime) Objects.requireNonNull(now.get("ctime")))));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static long nanoseconds(FileTime time) {
        return time.to(TimeUnit.NANOSECONDS);
    }

    private static long number(Map<String, Object> attributes, String name) {
        return (Long) Objects.requireNonNull(attributes.get(name));
    }

    /** {@return whether the last change was before this time} */
    public boolean isBefore(Instant time) {
        return changed < nanoseconds(FileTime.from(time));
    }
}
