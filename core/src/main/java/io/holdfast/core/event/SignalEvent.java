package io.holdfast.core.event;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A signal that was sent. */
@Name("io.holdfast.Signal")
@Label("Process Signal")
@Description("A signal was sent through a pidfd")
@Category("Holdfast")
@StackTrace(true)
final class SignalEvent extends Event {
    @Label("Process")
    @Description("PID and inode number in pidfs")
    String process = "";

    @Label("Signal")
    String signal = "";

    @Label("Result")
    @Description("sent, gone, or the error")
    String result = "";
}
