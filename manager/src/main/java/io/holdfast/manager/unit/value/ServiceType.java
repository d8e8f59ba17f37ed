package io.holdfast.manager.unit.value;

/** The point at which a service counts as started. */
public enum ServiceType {
    /** As soon as its process is spawned. */
    SIMPLE,
    /** When the process has executed its program. */
    EXEC,
    /** When the spawned process has exited and left a daemon behind. */
    FORKING,
    /** When its last command has exited. */
    ONESHOT,
    /** When its bus name has an owner. */
    DBUS,
    /** When it has sent READY=1. */
    NOTIFY,
    /** As NOTIFY; it also reloads on a signal, and reports by READY=1 when the reload is done. */
    NOTIFY_RELOAD,
    /** As SIMPLE, but a little later, when no jobs run. */
    IDLE
}
