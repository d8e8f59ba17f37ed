package io.holdfast.authority.subject;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The state of a file as by stat(2): if two stamps are equal, the file was neither changed nor
 * replaced between them. All zero for a missing file.
 */
record FileStamp(@Nullable Object key, long modified, long size) {
    private static final FileStamp ABSENT = new FileStamp(null, 0, 0);

    static FileStamp of(Path file) {
        try {
            BasicFileAttributes stat = Files.readAttributes(file, BasicFileAttributes.class);
            return new FileStamp(
                    stat.fileKey(), stat.lastModifiedTime().to(NANOSECONDS), stat.size());
        } catch (IOException e) {
            return ABSENT;
        }
    }

    static List<FileStamp> of(List<Path> files) {
        List<FileStamp> stamps = new ArrayList<>(files.size());
        for (Path file : files) {
            stamps.add(of(file));
        }
        return stamps;
    }
}
