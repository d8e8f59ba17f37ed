package io.holdfast.manager.scope;

import java.util.Locale;

/** How a scope ended, in systemd's words. */
enum ScopeResult {
    SUCCESS,
    /** Its processes could not be adopted. */
    RESOURCES,
    /** It ran for too long, or did not stop in time. */
    TIMEOUT,
    /** The kernel's OOM killer has killed a process, and {@code OOMPolicy=} ends the scope. */
    OOM_KILL;

    /** Returns the result as systemd writes it. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
