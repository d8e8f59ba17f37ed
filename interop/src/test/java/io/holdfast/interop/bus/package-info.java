/**
 * Foreign clients and services on our message bus, and on those that they were written for.
 *
 * <p>Whatever is expected of our bus is expected of {@code dbus-daemon} and {@code dbus-broker},
 * too: an expectation that is wrong fails there.
 */
@NullMarked
package io.holdfast.interop.bus;

import org.jspecify.annotations.NullMarked;
