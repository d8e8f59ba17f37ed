package io.holdfast.core.run;

import java.io.InputStream;
import java.nio.file.Path;

/** What a run gives to the first program as its standard input. */
sealed interface Input {
    /** {@code /dev/null}. */
    record Nothing() implements Input {}

    /** The standard input of this process. */
    record Inherited() implements Input {}

    /** A copy of bytes, which nobody changes. */
    @SuppressWarnings("ArrayRecordComponent") // not compared
    record Bytes(byte[] bytes) implements Input {}

    record File(Path path) implements Input {}

    /** Read on a thread of the run's. */
    record Stream(InputStream stream) implements Input {}
}
