/**
 * The notify sockets: messages that processes send about their unit, sd_notify(3).
 *
 * <p>{@link io.holdfast.manager.notify.NotifySockets} opens a socket for each run of a service,
 * {@link io.holdfast.manager.notify.NotifySocket} receives a datagram with the pidfd of its sender,
 * {@link io.holdfast.manager.notify.NotifyRouter} finds the unit that the process belongs to, and
 * {@link io.holdfast.manager.notify.NotifyMessage} is the parsed datagram.
 */
@NullMarked
package io.holdfast.manager.notify;

import org.jspecify.annotations.NullMarked;
