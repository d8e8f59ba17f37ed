package io.holdfast.authority.pam;

import java.io.Serial;

/** An error code that PAM has returned. */
public final class PamException extends Exception {
    @Serial private static final long serialVersionUID = 1L;

    // security/_pam_types.h
    private static final int PAM_PERM_DENIED = 6;
    private static final int PAM_AUTH_ERR = 7;
    private static final int PAM_CRED_INSUFFICIENT = 8;
    private static final int PAM_USER_UNKNOWN = 10;
    private static final int PAM_MAXTRIES = 11;
    private static final int PAM_NEW_AUTHTOK_REQD = 12;
    private static final int PAM_ACCT_EXPIRED = 13;
    private static final int PAM_AUTHTOK_EXPIRED = 27;

    private final int code;

    PamException(String call, int code, String text) {
        super(call + ": " + text + " (" + code + ")");
        this.code = code;
    }

    /** Returns the error code of pam(3). */
    public int code() {
        return code;
    }

    /** Returns whether PAM has refused the user; otherwise, an error has occurred. */
    public boolean isRefusal() {
        return switch (code) {
            case PAM_PERM_DENIED,
                    PAM_AUTH_ERR,
                    PAM_CRED_INSUFFICIENT,
                    PAM_USER_UNKNOWN,
                    PAM_MAXTRIES,
                    PAM_NEW_AUTHTOK_REQD,
                    PAM_ACCT_EXPIRED,
                    PAM_AUTHTOK_EXPIRED ->
                    true;
            default -> false;
        };
    }
}
