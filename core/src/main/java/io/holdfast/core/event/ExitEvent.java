package io.holdfast.core.event;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** The exit of a child. */
@Name("io.holdfast.Exit")
@Label("Process Exit")
@Description("A child process has exited and was reaped")
@Category("Holdfast")
@StackTrace(false)
final class ExitEvent extends Event {
    @Label("Process")
    @Description("PID and inode number in pidfs")
    String process = "";

    @Label("Exit")
    @Description("Its status, or the signal that ended it")
    String exit = "";
}
