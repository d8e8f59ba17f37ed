/**
 * What a manager and its units write: lines for its listener, the output of units, and complaints
 * that do not flood.
 */
@NullMarked
package io.holdfast.manager.log;

import org.jspecify.annotations.NullMarked;
