package io.holdfast.core.run;

import java.io.InputStream;
import java.nio.file.Path;

/** The standard input of the first program of a run. */
sealed interface Input {
    /** {@code /dev/null}. */
    record Nothing() implements Input {}

    /** The standard input of this process. */
    record Inherited() implements Input {}

    /** A private copy of bytes, never changed. */
    @SuppressWarnings("ArrayRecordComponent") // not compared
    record Bytes(byte[] bytes) implements Input {}

    record File(Path path) implements Input {}

    /** A stream, read on a thread of the run. */
    record Stream(InputStream stream) implements Input {}
}
