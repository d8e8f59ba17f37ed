package io.holdfast.core.event;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** The start of a process, with its duration. */
@Name("io.holdfast.Spawn")
@Label("Process Spawn")
@Description("A process was started, or could not be")
@Category("Holdfast")
@StackTrace(true)
final class SpawnEvent extends Event {
    @Label("Process")
    @Description("PID and inode number in pidfs")
    String process = "";

    @Label("Program")
    String program = "";

    @Label("Failure")
    @Description("Why it was not started; empty if it was")
    String failure = "";
}
