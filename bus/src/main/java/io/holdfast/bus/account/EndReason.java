package io.holdfast.bus.account;

/** The reason why a connection ended, in one word, for counters. */
public enum EndReason {
    /** The client hung up. */
    LEFT("Left"),
    BUS_CLOSED("BusClosed"),
    /** It sent bytes that are not a message. */
    MALFORMED("Malformed"),
    AUTHENTICATION("Authentication"),
    /** It sent a message that is not allowed in its state, or in a wrong form. */
    MISBEHAVED("Misbehaved"),
    LIMIT("Limit"),
    /** Its container was stopped. */
    STOPPED("Stopped"),
    /** A system call failed on its socket, or for lack of descriptors. */
    SYSTEM_ERROR("SystemError"),
    /** A fault of the bus. */
    FAULT("Fault");

    private final String text;

    EndReason(String text) {
        this.text = text;
    }

    @Override
    public String toString() {
        return text;
    }
}
