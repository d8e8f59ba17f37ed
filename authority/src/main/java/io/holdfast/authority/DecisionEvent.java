package io.holdfast.authority;

import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** The Java Flight Recorder event of a decision. */
@Name("io.holdfast.authority.Decision")
@Label("Authorization Decision")
@Category("Holdfast")
@StackTrace(false)
final class DecisionEvent extends Event {
    @Label("Action")
    String action = "";

    @Label("Subject")
    String subject = "";

    @Label("Caller")
    String caller = "";

    @Label("Authorized")
    boolean authorized;

    @Label("Challenge")
    boolean challenge;

    @Label("Explanation")
    String explanation = "";
}
