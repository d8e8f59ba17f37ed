/**
 * What Java Flight Recorder is told: the events of the library, each with the identity of the
 * process that it is about.
 *
 * <p>Nothing is loaded, made or asked of the kernel while nobody records. Where the JDK has no
 * module {@code jdk.jfr}, nothing ever is.
 */
@NullMarked
package io.holdfast.core.event;

import org.jspecify.annotations.NullMarked;
