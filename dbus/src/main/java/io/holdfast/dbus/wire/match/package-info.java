/** Match rules, which select the messages that a connection receives. */
@NullMarked
package io.holdfast.dbus.wire.match;

import org.jspecify.annotations.NullMarked;
