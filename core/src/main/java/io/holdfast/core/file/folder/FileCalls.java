package io.holdfast.core.file.folder;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.FileException;

/** Turns the results of system calls on files into exceptions. */
final class FileCalls {
    private FileCalls() {}

    /** Throws if the result of a system call on a file is negative (-errno). */
    static void check(int result, String call, String path) throws FileException {
        if (result < 0) {
            throw FileException.of(path, call, -result);
        }
    }

    static FileException failed(String path, ErrnoException e) {
        FileException made = FileException.of(path, e.call(), e.errno());
        var _ = made.initCause(e);
        return made;
    }
}
