package io.holdfast.bus.account;

/** Why a connection ended, in one word; for counters. */
public enum End {
    /** The client hung up. */
    LEFT("Left"),
    BUS_CLOSED("BusClosed"),
    /** It sent bytes that are no message. */
    MALFORMED("Malformed"),
    AUTHENTICATION("Authentication"),
    /** It sent what it may not send then, or not so. */
    MISBEHAVED("Misbehaved"),
    LIMIT("Limit"),
    /** Its container was stopped. */
    STOPPED("Stopped"),
    /** An errno, of its socket or for want of descriptors. */
    SYSTEM_ERROR("SystemError"),
    /** A fault of the bus. */
    FAULT("Fault");

    private final String text;

    End(String text) {
        this.text = text;
    }

    @Override
    public String toString() {
        return text;
    }
}
