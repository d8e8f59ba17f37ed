/** The protocols of log messages: bytes to fields. No I/O. */
@NullMarked
package io.holdfast.receiver.input;

import org.jspecify.annotations.NullMarked;
