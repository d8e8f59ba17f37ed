package io.holdfast.cli.command;

import io.holdfast.dbus.BusConnection;

/** A bus as the command line names it: {@code system}, {@code session}, or an address. */
public final class BusArgument {
    /** The system's bus. */
    public static final String SYSTEM = "system";

    /** The bus of the user's session. */
    public static final String SESSION = "session";

    private BusArgument() {}

    /**
     * Connects to it; the caller closes the connection.
     *
     * @throws io.holdfast.dbus.address.BusAddressException if the text is no address
     */
    public static BusConnection connect(String text) throws InterruptedException {
        return switch (text) {
            case SYSTEM -> BusConnection.system();
            case SESSION -> BusConnection.session();
            default -> BusConnection.connect(text);
        };
    }
}
