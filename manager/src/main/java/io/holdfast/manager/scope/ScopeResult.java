package io.holdfast.manager.scope;

import java.util.Locale;

/** How a scope ended, in systemd's words. */
enum ScopeResult {
    SUCCESS,
    /** Its processes could not be adopted. */
    RESOURCES,
    /** It has run, or taken to stop, for too long. */
    TIMEOUT;

    /** As systemd writes it. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
