package io.holdfast.manager.view;

/**
 * The errors that a service has reported about itself (sd_notify(3)).
 *
 * @param errno ERRNO=; 0 if there is none
 * @param bus the name of a D-Bus error, BUSERROR=; may be empty
 * @param varlink the name of a Varlink error, VARLINKERROR=; may be empty
 */
public record ReportedErrors(int errno, String bus, String varlink) {
    /** Nothing reported. */
    public static final ReportedErrors NONE = new ReportedErrors(0, "", "");
}
