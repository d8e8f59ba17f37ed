/**
 * The library's events for Java Flight Recorder (JFR), each with the identity of the process that
 * it is about.
 *
 * <p>Without a recording no event class is loaded, no event is made, and the kernel is not asked
 * for details. A JDK without the module {@code jdk.jfr} never records.
 */
@NullMarked
package io.holdfast.core.event;

import org.jspecify.annotations.NullMarked;
