package io.holdfast.manager.job;

/**
 * How a new job deals with those that are there, and with other units.
 *
 * @see <a
 *     href="https://www.freedesktop.org/software/systemd/man/systemctl.html#--job-mode=">systemctl</a>
 */
public enum JobMode {
    /** Jobs that are in its way are cancelled. */
    REPLACE,
    /** It is refused if others are in its way. */
    FAIL,
    /** As {@link #REPLACE}, and none of the new jobs gives way to later ones. */
    REPLACE_IRREVERSIBLY,
    /** Nothing is done to other units, and none is waited for. */
    IGNORE_DEPENDENCIES,
    /**
     * Nothing is done to other units. Transactions wait for none of another, so that this comes to
     * the same as {@link #IGNORE_DEPENDENCIES}.
     */
    IGNORE_REQUIREMENTS,
    /** Of a start: what depends on the unit and is up is restarted. */
    RESTART_DEPENDENCIES,
    /** Of a stop: the sockets that would start the unit again are stopped too. */
    TRIGGERING;

    /** Whether other units are left as they are. */
    public boolean isAlone() {
        return this == IGNORE_DEPENDENCIES || this == IGNORE_REQUIREMENTS;
    }
}
