package io.holdfast.cli.command;

import io.holdfast.dbus.BusConnection;

/** A bus as the command line names it: {@code system}, {@code session}, or an address. */
public final class BusArgument {
    /** The word for the system bus. */
    public static final String SYSTEM = "system";

    /** The word for the session bus. */
    public static final String SESSION = "session";

    private BusArgument() {}

    /**
     * Connects to the bus; the caller closes the connection.
     *
     * @throws io.holdfast.dbus.address.BusAddressException if the text is not a valid address
     */
    public static BusConnection connect(String text) throws InterruptedException {
        return switch (text) {
            case SYSTEM -> BusConnection.system();
            case SESSION -> BusConnection.session();
            default -> BusConnection.connect(text);
        };
    }
}
