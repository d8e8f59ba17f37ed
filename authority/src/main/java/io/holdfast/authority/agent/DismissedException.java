package io.holdfast.authority.agent;

import java.io.Serial;

/** The user does not want to authenticate. */
public final class DismissedException extends Exception {
    @Serial private static final long serialVersionUID = 1L;

    /** For whoever talks to the user: he has said no, or closed the dialog. */
    public DismissedException() {
        super("the user has dismissed the dialog");
    }
}
