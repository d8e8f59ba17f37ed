/**
 * The output of a manager and its units: messages for its listener, the output of units, and
 * throttled complaints.
 */
@NullMarked
package io.holdfast.manager.log;

import org.jspecify.annotations.NullMarked;
