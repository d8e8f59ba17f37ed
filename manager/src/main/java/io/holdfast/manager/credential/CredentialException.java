package io.holdfast.manager.credential;

/** A credential of a unit could not be provided. Its message contains no content. */
public final class CredentialException extends Exception {
    private static final long serialVersionUID = 1L;

    CredentialException(String message) {
        super(message);
    }

    CredentialException(String credential, Exception cause) {
        super("credential " + credential + ": " + cause.getMessage(), cause);
    }
}
