package io.holdfast.core.process;

import io.holdfast.core.Fd;
import io.holdfast.core.sys.KernelFile;

/**
 * The {@code fdinfo} file of a descriptor of this process (proc_pid_fdinfo(5)). It is read for the
 * calling thread: before Linux 5.14 a thread that has changed its user may not read that of the
 * process.
 */
record FdInfo(String text) {
    static final String PID = "Pid";

    static FdInfo of(Fd fd) {
        return new FdInfo(
                fd.with(number -> KernelFile.text(null, "/proc/thread-self/fdinfo/" + number)));
    }

    boolean contains(String key) {
        return ("\n" + text).contains("\n" + key + ":");
    }

    int number(String key) {
        String field = Proc.field(text, key); // NSpid has several values: the first counts
        int end = field.indexOf('\t');
        return Integer.parseInt(end < 0 ? field : field.substring(0, end));
    }
}
