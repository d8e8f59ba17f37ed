package io.holdfast.manager.unit.value;

/** When a service counts as started. */
public enum ServiceType {
    /** As soon as its process is spawned. */
    SIMPLE,
    /** When the new program runs. */
    EXEC,
    /** When the spawned process has exited and left a daemon behind. */
    FORKING,
    /** When its last command has exited. */
    ONESHOT,
    /** When its name is owned on the bus. */
    DBUS,
    /** When it has sent READY=1. */
    NOTIFY,
    /** The same, and it reloads by a signal and tells when it is done. */
    NOTIFY_RELOAD,
    /** As simple, but a little later, when no jobs run. */
    IDLE
}
