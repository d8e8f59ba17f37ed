package io.holdfast.authority.action;

/**
 * What is wrong with a file or a folder.
 *
 * @param reason in one line, and what became of it
 */
public record Problem(Place place, String reason) {
    @Override
    public String toString() {
        return place + ": " + reason;
    }
}
