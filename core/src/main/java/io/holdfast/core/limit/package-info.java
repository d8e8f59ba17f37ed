/**
 * Bounds on the resources that other users can make a process hold: named limits, fair shares of
 * them, and throttled log lines.
 *
 * <p>Every queue, table and wait of Holdfast has a {@link io.holdfast.core.limit.Limit} with a
 * name, which {@code holdfast doctor} lists. If several users share a limit, a {@link
 * io.holdfast.core.limit.FairShare} keeps some of it for the next user. Log lines that a user can
 * cause at will pass through a {@link io.holdfast.core.limit.Throttle}.
 */
@NullMarked
package io.holdfast.core.limit;

import org.jspecify.annotations.NullMarked;
