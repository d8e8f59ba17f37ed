package io.holdfast.authority.agent;

import java.io.Serial;

/** The user has dismissed the dialog. */
public final class DismissedException extends Exception {
    @Serial private static final long serialVersionUID = 1L;

    /** Makes an exception, for use by an {@link AgentUserInterface}. */
    public DismissedException() {
        super("the user has dismissed the dialog");
    }
}
