package io.holdfast.journal.compression;

/** Compressed data cannot be read or written; the message says why, without a subject. */
public final class CodecException extends Exception {
    private static final long serialVersionUID = 1L;

    /** Describes the failure. */
    public CodecException(String message) {
        super(message);
    }
}
