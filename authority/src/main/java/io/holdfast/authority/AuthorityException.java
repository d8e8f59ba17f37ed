package io.holdfast.authority;

import java.io.Serial;

/** An invalid request, or one that the authority refuses. */
public final class AuthorityException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1;

    /** The kind of an error; on D-Bus, the last part of the error's name. */
    public enum Kind {
        FAILED("Failed"),
        CANCELLED("Cancelled"),
        NOT_SUPPORTED("NotSupported"),
        NOT_AUTHORIZED("NotAuthorized"),
        CANCELLATION_ID_NOT_UNIQUE("CancellationIdNotUnique");

        private final String word;

        Kind(String word) {
            this.word = word;
        }

        /** Returns the part of the D-Bus name after {@code org.freedesktop.PolicyKit1.Error.}. */
        public String word() {
            return word;
        }
    }

    private final Kind kind;

    /**
     * Makes an exception of this kind.
     *
     * @param message for people, in one line
     */
    public AuthorityException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    /** Makes an exception of the kind {@link Kind#FAILED}. */
    public static AuthorityException failed(String message) {
        return new AuthorityException(Kind.FAILED, message);
    }

    static AuthorityException notAuthorized(String message) {
        return new AuthorityException(Kind.NOT_AUTHORIZED, message);
    }

    /** Returns the kind of the error. */
    public Kind kind() {
        return kind;
    }
}
