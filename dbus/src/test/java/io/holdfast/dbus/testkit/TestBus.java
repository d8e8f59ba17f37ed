package io.holdfast.dbus.testkit;

/** A message bus for a test, which allows every client everything until it is closed. */
public interface TestBus extends AutoCloseable {
    /** The address for clients. */
    String address();

    /** The kind of the bus, where tests depend on the differences. */
    Kind kind();

    /** The kinds of buses. */
    enum Kind {
        DBUS_DAEMON,
        DBUS_BROKER,
        HOLDFAST
    }

    @Override
    void close();
}
