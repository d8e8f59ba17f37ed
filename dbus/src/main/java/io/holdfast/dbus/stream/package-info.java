/**
 * The bytes of one connection: connecting, authentication, the split of the stream into messages
 * with their descriptors, and the queue of messages to send.
 */
@NullMarked
package io.holdfast.dbus.stream;

import org.jspecify.annotations.NullMarked;
