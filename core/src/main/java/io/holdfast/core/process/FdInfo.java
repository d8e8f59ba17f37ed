package io.holdfast.core.process;

import io.holdfast.core.Fd;
import io.holdfast.core.sys.KernelFile;

/**
 * What {@code fdinfo} tells of a descriptor of ours (proc_pid_fdinfo(5)). Of the calling thread:
 * before Linux 5.14 one that has changed its user may not read that of the process.
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
        String field = Proc.field(text, key); // of NSpid the first of several
        int end = field.indexOf('\t');
        return Integer.parseInt(end < 0 ? field : field.substring(0, end));
    }
}
