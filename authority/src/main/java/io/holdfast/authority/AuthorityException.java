package io.holdfast.authority;

import java.io.Serial;

/** A question that cannot be asked so, or a request that is refused. */
public final class AuthorityException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1;

    /** Why; on D-Bus the last part of the error's name. */
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

        /** As on D-Bus, behind {@code org.freedesktop.PolicyKit1.Error.}. */
        public String word() {
            return word;
        }
    }

    private final Kind kind;

    /**
     * @param message for people, in one line
     */
    public AuthorityException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    /** Of the kind that has no kind of its own. */
    public static AuthorityException failed(String message) {
        return new AuthorityException(Kind.FAILED, message);
    }

    static AuthorityException notAuthorized(String message) {
        return new AuthorityException(Kind.NOT_AUTHORIZED, message);
    }

    /** Why it is refused. */
    public Kind kind() {
        return kind;
    }
}
