package io.holdfast.dbus.testkit;

/** A message bus of a test, which allows everything to everybody, until it is closed. */
public interface TestBus extends AutoCloseable {
    /** What clients connect to. */
    String address();

    /** What kind of bus it is, where tests must know how the buses differ. */
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
