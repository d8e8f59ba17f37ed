package io.holdfast.authority.action;

/**
 * An error in a file or a folder.
 *
 * @param reason one line: the error, and its consequence
 */
public record Problem(SourceLine place, String reason) {
    @Override
    public String toString() {
        return place + ": " + reason;
    }
}
