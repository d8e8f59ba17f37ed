package io.holdfast.core.event;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** The identification of a socket's peer. */
@Name("io.holdfast.Peer")
@Label("Socket Peer")
@Description("The process at the other end of a UNIX socket was identified")
@Category("Holdfast")
@StackTrace(false)
final class PeerEvent extends Event {
    @Label("Process")
    @Description("PID and inode number in pidfs")
    String process = "";

    @Label("User")
    long uid;

    @Label("How")
    @Description("Held: by its pidfd; BestEffort: by number, before Linux 6.5; Gone: reaped before")
    String how = "";
}
